//! stentor: an alarm daemon that tries every way to reach the people on call, until somebody
//! acknowledges, and can say afterwards why it did what it did.
//!
//! The folders are floors; each uses only those under it (see ARCHITECTURE.md, and
//! `tests/layers.rs`, which fails on an arrow that goes up).

pub mod api;
pub mod channel;
pub mod config;
pub mod ctl;
pub mod daemon;
pub mod domain;
pub mod engine;
pub mod heartbeat;
pub mod ledger;
pub mod message;
pub mod net;
pub mod runtime;
pub mod settings;
