//! A TOML document as plain values that know their place.

use crate::settings::source::Place;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it, and its key, stand.
#[derive(Clone, Debug)]
pub struct Item {
    pub value: Value,
    /// The key's place; for an element of an array, the element's own.
    pub key_at: Place,
    pub at: Place,
}

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    /// `None`: written as a whole number, but beyond 64 bits.
    Integer(Option<i64>),
    Float(f64),
    Flag(bool),
    /// A date or time that is not in quotes, as written.
    Datetime(String),
    List(Vec<Item>),
    Table(Tree),
}

impl Value {
    /// What it is, for "is a number, not a text".
    pub fn what(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Datetime(_) => "a date without quotes",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// The entries of a table, by key.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub entries: BTreeMap<String, Item>,
}

impl Tree {
    /// What stands at a path; a number is an element of a list, counted from 0.
    pub fn at(&self, path: &[&str]) -> Option<&Item> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.entries.get(*first)?, |item, step| match &item.value {
            Value::Table(tree) => tree.entries.get(*step),
            Value::List(elements) => elements.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

/// A mistake in the form of the file: where, and the parser's words.
pub type Malformed = (Place, String);

/// Reads one file's text; everything that is malformed is told, not only the first.
///
/// # Errors
/// The mistakes in the file's form.
pub fn parse(text: &str, file: usize) -> Result<Tree, Vec<Malformed>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(tree(root.into_inner(), file));
    }
    let told = errors.iter().map(|e| {
        let span = e.span().unwrap_or_default();
        (Place { file, start: span.start, end: span.end }, e.message().to_owned())
    });
    Err(told.collect())
}

/// As much of the text as can be understood.
pub fn parse_leniently(text: &str, file: usize) -> Tree {
    tree(DeTable::parse_recoverable(text).0.into_inner(), file)
}

fn tree(table: DeTable<'_>, file: usize) -> Tree {
    let entries = table.into_iter().map(|(key, value)| {
        let key_at = place(&key, file);
        (key.into_inner().into_owned(), item(value, key_at, file))
    });
    Tree { entries: entries.collect() }
}

fn item(spanned: Spanned<DeValue<'_>>, key_at: Place, file: usize) -> Item {
    let at = place(&spanned, file);
    let value = match spanned.into_inner() {
        DeValue::String(s) => Value::Text(s.into_owned()),
        DeValue::Integer(n) => Value::Integer(i64::from_str_radix(n.as_str(), n.radix()).ok()),
        DeValue::Float(x) => Value::Float(x.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(b) => Value::Flag(b),
        DeValue::Datetime(d) => Value::Datetime(d.to_string()),
        DeValue::Array(list) => {
            let elements = list.into_iter().map(|element| {
                let at = place(&element, file);
                item(element, at, file)
            });
            Value::List(elements.collect())
        }
        DeValue::Table(t) => Value::Table(tree(t, file)),
    };
    Item { value, key_at, at }
}

fn place<T>(spanned: &Spanned<T>, file: usize) -> Place {
    let span = spanned.span();
    Place { file, start: span.start, end: span.end }
}
