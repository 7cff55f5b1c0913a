//! One file for each command: its flags, its request, its text for people.

mod attach;
pub mod channels;
pub mod check_config;
pub mod deliveries;
pub mod dlq;
pub mod events;
pub mod explain;
pub mod fomo;
pub mod heartbeats;
pub mod incidents;
pub mod ledger;
pub mod meta;
mod problems;
pub mod reload;
pub mod requests;
mod results;
pub mod selftest;
pub mod send;
pub mod silence;
pub mod sms;
pub mod sound;
pub mod status;
pub mod template;
pub mod unsupported;
mod values;
pub mod watches;
