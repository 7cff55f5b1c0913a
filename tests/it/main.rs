//! The real binaries as child processes, against stand-ins on loopback: one story in each file.
//! docs/testing.md says how they are built and how to add one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::print_stdout)]

#[path = "../../examples/standins/mod.rs"]
mod standins;

mod harness;

mod access;
mod alerts;
mod attached;
mod bad_input;
mod blocked;
mod broken_morning;
mod callbacks;
mod clock;
mod costs;
mod crowded;
mod damaged;
mod dead_letters;
mod disk;
mod editing;
mod emergency;
mod events;
mod heartbeats;
mod incidents;
mod injected;
mod killed;
mod ledger_files;
mod limits;
mod lost_answers;
mod machine;
mod misbehaving;
mod misplaced;
mod network;
mod process;
mod real;
mod receivers;
mod reload;
mod safe_mode;
mod secrets;
mod selftest;
mod sending;
mod shipped;
mod sound;
mod stopped;
mod tampered;
mod tcp;
mod templates;
mod threads;
mod torture;
mod two_daemons;
mod watches;
