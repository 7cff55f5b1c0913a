//! For tests of whatever reads settings: a table from a text.

use crate::settings::{Problems, Table, read};
use std::collections::BTreeMap;

/// Reads `text` as one table, without any environment variable.
///
/// ```
/// use stentor::settings::testing;
/// let (name, problems) = testing::table("name = 'x'", |t| t.text("name"));
/// assert_eq!(name.as_deref(), Some("x"));
/// assert_eq!(testing::told(&problems), "");
/// ```
pub fn table<T>(text: &str, read: impl FnOnce(&mut Table<'_>) -> T) -> (T, Problems) {
    table_with(text, &[], read)
}

/// Reads `text` as one table; `values` are variables (`NAME`) and files (`file:NAME`).
pub fn table_with<T>(text: &str, values: &[(&str, &str)], f: impl FnOnce(&mut Table<'_>) -> T) -> (T, Problems) {
    read("test.toml", text, &environment(values), f)
}

/// Variables (`NAME`) and files (`file:NAME`) as an environment.
pub fn environment(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Every error and warning, one a line: `error 3:8 message (hint)`.
pub fn told(problems: &Problems) -> String {
    let line = |sort: &str, p: &crate::settings::Problem| {
        let hint = if p.hint.is_empty() { String::new() } else { format!(" ({})", p.hint) };
        format!("{sort} {}:{} {}{hint}\n", p.line, p.column, p.message)
    };
    let errors = problems.errors.iter().map(|p| line("error", p));
    errors.chain(problems.warnings.iter().map(|p| line("warning", p))).collect()
}
