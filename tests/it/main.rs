//! The real binaries as child processes, against stand-ins on loopback: one story in each file.
//! docs/testing.md says how they are built and how to add one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

#[path = "../../examples/standins/mod.rs"]
mod standins;

mod harness;

mod access;
mod bad_input;
mod blocked;
mod broken_morning;
mod damaged;
mod emergency;
mod heartbeats;
mod incidents;
mod killed;
mod ledger_files;
mod misbehaving;
mod reload;
mod secrets;
mod sending;
mod shipped;
mod sound;
mod stopped;
mod tcp;
mod two_daemons;
mod watches;
