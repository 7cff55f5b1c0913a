#![allow(clippy::unwrap_used, clippy::expect_used)]

mod damage;
mod packed;
mod writing;
