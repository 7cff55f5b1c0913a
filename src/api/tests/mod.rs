//! The API before a real engine, loop and ledger, asked over real Unix sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alerts;
mod batches;
mod door;
mod errors;
mod foul;
mod health;
mod past;
mod people;
mod rights;
mod routes;
mod streams;
mod waiting;
mod world;
