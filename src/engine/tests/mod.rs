//! The engine's behaviour, told as stories: SEMANTICS.md line by line, and what holds for every
//! history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod acknowledgement;
mod alerts;
mod bounds;
mod clocks;
mod fallback;
mod health;
mod heartbeats;
mod hooks;
mod incidents;
mod letters;
mod limits;
mod lost;
mod particulars;
mod poison;
mod policies;
mod preferences;
mod prices;
mod properties;
mod reload;
mod rounds;
mod sendings;
mod silences;
mod soak;
mod table;
mod templates;
mod threads;
mod three;
mod unheard;
mod watches;
mod words;
#[allow(dead_code, reason = "a vocabulary: not every story needs every word of it")]
mod world;
