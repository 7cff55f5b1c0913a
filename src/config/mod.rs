//! stentor.toml: what can be written, its defaults, and everything that can be wrong with it.
//!
//! [`Config`] is the finished, valid form that the engine decides by; it never changes, a reload
//! makes a new one. Reading and checking are in the other files of this folder.

pub mod model;

pub use crate::settings::Problem;
pub use model::*;
