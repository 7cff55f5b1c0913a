//! stentor.toml: what can be written, its defaults, and everything that can be wrong with it.
//!
//! [`Config`] is the finished, valid form that the engine decides by; it never changes, a reload
//! makes a new one by [`load()`]. The way there: `files` (main file, conf.d and templates to one document),
//! `read` (each table by itself, defaults filled in), `rules` (whether they fit together).
//! Everything that is wrong is told at once, with file, line, column and a hint.

mod absent;
mod accounts;
pub mod check;
mod diff;
mod files;
mod intake;
pub mod kept;
mod kinds;
mod later;
mod limits;
mod load;
pub mod model;
mod options;
mod person;
pub mod preview;
mod read;
mod rules;
pub mod state_dir;
mod template_files;
pub mod testing;
#[cfg(test)]
mod tests;

pub use crate::settings::{Environment, Problem, ProcessEnvironment};
pub use accounts::{Accounts, SystemAccounts};
pub use diff::diff;
pub use files::{Files, folders_of, is_text};
pub use intake::{Alertmanager, Token};
pub use kinds::Kinds;
pub use limits::{Budgets, DEFAULT_BUDGET, Limits, PRICES, Rate};
pub use load::{load, load_from_files};
pub use model::*;
pub use options::{LoadOptions, Loaded};
pub use person::{Person, Preferences, Quiet, Wanted};
