//! How a setting is declared and read: a TOML table with spans that collects every error.
//!
//! An adapter asks its [`Table`] for the keys it knows; unknown keys, wrong types and missing
//! values become [`Problem`]s with file, line and column. Strings may hold placeholders:
//! `${NAME}`, `${NAME:-text}`, `${file:NAME}`, `$${` for a plain `${`.
//!
//! ```
//! let (port, problems) = stentor::settings::read(
//!     "example.toml",
//!     "port = 'x'\nprot = 1",
//!     &stentor::settings::ProcessEnvironment,
//!     |table| table.integer("port", 1..=65535),
//! );
//! assert_eq!(port, None);
//! assert_eq!(problems.errors[0].to_string(), "example.toml:1:8: port: \"x\" is not a whole number (write a whole number from 1 to 65535)");
//! assert_eq!(problems.errors[1].to_string(), "example.toml:2:1: unknown key prot (did you mean \"port\"?)");
//! ```

mod fingerprint;
mod mask;
mod placeholder;
mod problem;
mod reading;
mod source;
mod suggest;
mod table;
pub mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use crate::domain::secret::Secret;
pub use mask::masked;
pub use placeholder::{Environment, ProcessEnvironment};
pub use problem::Problem;
pub use reading::Reading;
pub use source::Place;
pub use suggest::hint as suggestion;
pub use table::{Piece, Shape, Table};
pub use tree::{Item, Tree, Value};
pub use write::written;

/// What was found wrong with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

/// Reads a whole text as one table, for programs that use an adapter without the daemon; `name` is
/// what problems call the file. When the text is no TOML, `read` gets an empty table and should
/// be believed only if there are no errors.
pub fn read<T>(
    name: &str,
    text: &str,
    environment: &dyn Environment,
    read: impl FnOnce(&mut Table<'_>) -> T,
) -> (T, Problems) {
    let mut reading = Reading::new(environment, false);
    let parsed = reading.parse(name, text);
    let tree = parsed.clone().unwrap_or_default();
    let mut table = reading.root(&tree);
    let value = read(&mut table);
    if parsed.is_none() {
        table.ignore_unknown();
    }
    table.finish();
    let problems = Problems { errors: reading.errors(), warnings: reading.warnings() };
    (value, problems)
}
