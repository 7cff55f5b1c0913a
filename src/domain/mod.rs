//! The words of the field, as types: what an alarm is made of, without any I/O.
//!
//! Everything above speaks in these. Nothing here reads a clock, a file or the network, except
//! [`clock::SystemClock`], the one place that reads time. [`failpoint`] is for tests alone.

pub mod clock;
pub mod delivery;
pub mod event;
pub mod failpoint;
pub mod failure;
pub mod id;
pub mod json;
mod labels;
pub mod level;
pub mod matcher;
pub mod money;
pub mod phone;
pub mod schedule;
pub mod secret;
pub mod time;
pub mod who;
pub mod window;

pub use labels::Labels;

#[cfg(test)]
mod tests;
