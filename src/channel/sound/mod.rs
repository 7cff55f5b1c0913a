//! Sound on this host.
pub mod player;
mod protocol;
mod tone;
