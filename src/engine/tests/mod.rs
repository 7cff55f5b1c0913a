//! The engine's behaviour, told as stories: SEMANTICS.md line by line, and what holds for every
//! history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod table;
mod world;
