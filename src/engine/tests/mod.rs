//! The engine's behaviour, told as stories: SEMANTICS.md line by line, and what holds for every
//! history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod acknowledgement;
mod fallback;
mod health;
mod incidents;
mod policies;
mod preferences;
mod rounds;
mod sendings;
mod silences;
mod table;
mod three;
#[allow(dead_code, reason = "a vocabulary: not every story needs every word of it")]
mod world;
