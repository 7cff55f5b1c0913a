//! What strangers may write, read by each parser: bytes that are nearly right. Nothing may panic, hang
//! or grow, and what is accepted must be what it says.
//!
//! One file for each parser (or family of small ones) with its seeds. A case that fails is made as short as possible and written to
//! `corpus/PARSER/`; what is there is tried first at each run, for ever. A few hundred cases in `make
//! test`, the same at each run; `make fuzz` tries new ones for as long as it is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../../examples/standins/mod.rs"]
mod standins;

mod addresses;
mod answers;
mod callbacks;
mod config;
mod harness;
mod headers;
mod journal;
mod mail;
mod matchers;
mod templates;
mod times;
