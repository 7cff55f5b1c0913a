//! What most tables have in common: named entries, durations.

use crate::domain::time::Span;
use crate::settings::Table;
use std::collections::BTreeMap;

/// The tables of `[key.NAME]`, those whose name nobody could write elsewhere reported and left out.
pub fn named<'a>(root: &mut Table<'a>, key: &str) -> Vec<Table<'a>> {
    let mut tables = root.named_tables(key);
    for table in &mut tables {
        if !is_name(table.name()) {
            let message = format!("{:?} cannot be a name", table.name());
            table.error(
                "",
                message,
                "write 1 to 64 letters, digits, dots, dashes or underscores, first a letter or digit",
            );
        }
    }
    tables
}

/// A name that cannot be taken for a number, an address or `group:...`, and goes into a URL as it is.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.chars().count())
        && name.starts_with(|c: char| c.is_alphanumeric())
        && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
}

/// A parser's sentence with a hint after `; `, if it has none.
pub fn with_hint(sentence: String, hint: &str) -> String {
    if sentence.contains("; ") { sentence } else { format!("{sentence}; {hint}") }
}

/// A duration that is more than nothing.
pub fn some_time(table: &mut Table<'_>, key: &str) -> Option<Span> {
    table.parsed(key, |text| match Span::parse(text)? {
        Span::ZERO => Err(format!("{text:?} is no time at all; write for example \"30s\"")),
        span => Ok(span),
    })
}

/// By name; what could not be read is left out.
pub fn by_name<'a, T>(
    tables: Vec<Table<'a>>,
    mut read: impl FnMut(&mut Table<'a>) -> Option<T>,
) -> BTreeMap<String, T> {
    tables.into_iter().filter_map(|mut table| Some((table.name().to_owned(), read(&mut table)?))).collect()
}
