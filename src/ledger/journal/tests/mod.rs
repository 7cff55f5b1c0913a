#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chunks;
mod damage;
mod packed;
mod power;
mod refilling;
mod writing;
