//! A TOML table that is asked for its keys; see the promises at [`Table`].

use crate::settings::reading::Reading;
use crate::settings::source::Place;
use crate::settings::suggest;
use crate::settings::tree::{Item, Tree, Value};
use std::collections::BTreeSet;

mod expand;
mod lists;
mod resolve;
mod values;

/// A TOML table that collects every complaint.
///
/// A key that was asked for is a known key; when the table is dropped, the others are reported.
/// So ask for every key before leaving early with `?`.
///
/// Absent is `None` without an error; wrong is `None` with one. Where [`Table::simulated`], a
/// required key may be missing and a placeholder unset: then `require_text` and `require_secret`
/// give an empty text, and the others `None`, all without an error.
#[derive(Debug)]
pub struct Table<'a> {
    reading: &'a Reading<'a>,
    name: String,
    /// `channels.sms`; empty at the top.
    path: String,
    tree: &'a Tree,
    head: Place,
    simulated: bool,
    known: BTreeSet<String>,
    check_unknown: bool,
}

pub use expand::Piece;

/// What was written for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Number,
    Flag,
    List,
    Table,
    Other,
}

impl Reading<'_> {
    /// The table at the top of a document.
    pub fn root<'a>(&'a self, tree: &'a Tree) -> Table<'a> {
        Table::new(self, "", String::new(), tree, Place::default(), self.without_secrets())
    }
}

impl<'a> Table<'a> {
    pub(in crate::settings) fn new(
        reading: &'a Reading<'a>,
        name: &str,
        path: String,
        tree: &'a Tree,
        head: Place,
        simulated: bool,
    ) -> Self {
        let known = BTreeSet::new();
        Table { reading, name: name.to_owned(), path, tree, head, simulated, known, check_unknown: true }
    }

    /// "sms" of `[channels.sms]`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `channels.sms`, or `channels.sms.KEY`.
    pub fn path(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (_, true) => self.path.clone(),
            _ => format!("{}.{key}", self.path),
        }
    }

    /// Whether the key is written; does not make it known.
    pub fn has(&self, key: &str) -> bool {
        self.tree.entries.contains_key(key)
    }

    /// What is written for the key; does not make it known.
    pub fn shape(&self, key: &str) -> Option<Shape> {
        self.tree.entries.get(key).map(|item| match item.value {
            Value::Text(_) => Shape::Text,
            Value::Integer(_) | Value::Float(_) => Shape::Number,
            Value::Flag(_) => Shape::Flag,
            Value::List(_) => Shape::List,
            Value::Table(_) => Shape::Table,
            Value::Datetime(_) => Shape::Other,
        })
    }

    /// The keys as written, in alphabetical order.
    pub fn keys(&self) -> Vec<String> {
        self.tree.entries.keys().cloned().collect()
    }

    /// `simulate = true`, or a check without secrets: what is missing is no error.
    pub fn simulated(&self) -> bool {
        self.simulated
    }

    /// From here on missing secrets and texts are no errors.
    pub fn simulate(&mut self) {
        self.simulated = true;
    }

    /// Makes keys known that somebody else reads.
    pub fn known(&mut self, keys: &[&str]) {
        self.known.extend(keys.iter().map(|k| (*k).to_owned()));
    }

    /// The keys asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.known.iter().cloned().collect()
    }

    /// Where a key's value stands; the table's head when it is absent.
    pub fn place(&self, key: &str) -> Place {
        self.tree.entries.get(key).map_or(self.head, |item| match item.value {
            Value::Table(_) => item.key_at,
            _ => item.at,
        })
    }

    /// The places of a list's elements, in order.
    pub fn element_places(&self, key: &str) -> Vec<Place> {
        match self.tree.entries.get(key).map(|item| &item.value) {
            Some(Value::List(elements)) => elements.iter().map(|e| e.at).collect(),
            _ => Vec::new(),
        }
    }

    /// At the key's value, or at the table's head when it is absent.
    pub fn error(&mut self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.error_at(self.place(key), key, message, hint);
    }

    /// At the key's value, or at the table's head when it is absent.
    pub fn warning(&mut self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        let message = format!("{}: {}", self.path(key), message.into());
        self.reading.warning_at(self.place(key), message, hint);
    }

    /// At a place of its own, about the key.
    pub fn error_at(&self, place: Place, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        let message = message.into();
        let message = match self.path(key) {
            path if path.is_empty() => message,
            path => format!("{path}: {message}"),
        };
        self.reading.error_at(place, message, hint);
    }

    /// A word of earlier days: an error that says what to write instead.
    pub fn renamed(&mut self, old: &str, write: &str) {
        // Nobody is to be told of it by a list of what is known.
        if !self.has(old) {
            return;
        }
        if let Some(item) = self.item(old) {
            let message = format!("{}: {old} is an old word", self.path(""));
            self.reading.error_at(item.key_at, message, format!("write {write}"));
        }
    }

    /// A key whose time has not come: refused, never ignored.
    pub fn later(&mut self, key: &str) {
        if !self.has(key) {
            return;
        }
        if let Some(item) = self.item(key) {
            let message = format!("{} is not yet supported", self.path(key));
            self.reading.error_at(item.key_at, message, "leave it out");
        }
    }

    /// Unknown keys of this table are not reported (because it was refused as a whole).
    pub fn ignore_unknown(&mut self) {
        self.check_unknown = false;
    }

    /// Reports the keys that nobody asked for. Dropping the table does the same.
    pub fn finish(self) {}

    /// What all tables of this config share.
    pub fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn item(&mut self, key: &str) -> Option<&'a Item> {
        self.known.insert(key.to_owned());
        self.tree.entries.get(key)
    }

    fn inner(&self, name: &str, path: String, tree: &'a Tree, head: Place) -> Table<'a> {
        Table::new(self.reading, name, path, tree, head, self.simulated)
    }

    fn wrong<T>(&self, item: &Item, message: String, hint: impl Into<String>) -> Option<T> {
        self.reading.error_at(item.at, message, hint);
        None
    }

    fn missing<T>(&self, key: &str, example: &str) -> Option<T> {
        let (is, place) = match self.has(key) {
            true => ("is empty", self.place(key)),
            false => ("is missing", self.head),
        };
        let hint = format!("write {key} = {example}");
        self.reading.error_at(place, format!("{} {is}", self.path(key)), hint);
        None
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        if !self.check_unknown {
            return;
        }
        for (key, item) in &self.tree.entries {
            if !self.known.contains(key) {
                let known = self.known.iter().map(String::as_str);
                let message = format!("unknown key {}", self.path(key));
                self.reading.error_at(item.key_at, message, suggest::hint(key, known));
            }
        }
    }
}
