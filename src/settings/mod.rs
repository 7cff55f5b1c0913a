//! How a setting is declared and read: a TOML table with spans that collects every error.
//!
//! An adapter asks its [`Table`] for the keys it knows; unknown keys, wrong types and missing
//! values become [`Problem`]s with file, line and column. Strings may hold placeholders:
//! `${NAME}`, `${NAME:-text}`, `${file:NAME}`, `$${` for a plain `${`.

pub use crate::domain::secret::Secret;

/// (to come)
#[derive(Debug)]
pub struct Table<'a>(std::marker::PhantomData<&'a ()>);
