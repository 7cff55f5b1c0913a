//! `stentorctl` without a daemon: the tests serve its socket and look at what it asks, prints and
//! exits with. Nothing here leaves the machine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ack;
mod errors;
mod foul;
mod ledger;
mod offline;
mod people;
mod requests;
mod standin;
mod streams;
