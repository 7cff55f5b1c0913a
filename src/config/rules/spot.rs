//! The draft, and where in the files each part of it stands.

use crate::config::model::Config;
use crate::domain::level::Level;
use crate::settings::{Place, Reading, Tree, Value};

/// What the rules look at, and complain to.
pub struct Judge<'a> {
    pub config: &'a Config,
    pub tree: &'a Tree,
    pub reading: &'a Reading<'a>,
}

/// The way to a value: `["policies", "page", "steps", "1", "to"]`, list elements from 0.
pub type Path<'p> = &'p [&'p str];

impl<'a> Judge<'a> {
    pub fn error(&self, path: Path<'_>, message: impl AsRef<str>, hint: impl Into<String>) {
        self.reading.error_at(self.place(path), format!("{}: {}", self.shown(path), message.as_ref()), hint);
    }

    pub fn warning(&self, path: Path<'_>, message: impl AsRef<str>, hint: impl Into<String>) {
        self.reading.warning_at(self.place(path), format!("{}: {}", self.shown(path), message.as_ref()), hint);
    }

    /// Where in a text that is written there this byte of it stands; the text as a whole, where that
    /// cannot be said.
    pub fn place_inside(&self, path: Path<'_>, text: &str, offset: usize) -> Place {
        let whole = self.place(path);
        self.reading.inside(whole, text, offset).unwrap_or(whole)
    }

    /// Whether an entry of this name is written, be it right or wrong.
    pub fn is_written(&self, path: Path<'_>) -> bool {
        self.tree.at(path).is_some()
    }

    /// The names that are written in a collection.
    pub fn names(&self, collection: &str) -> Vec<&'a str> {
        match self.tree.entries.get(collection).map(|item| &item.value) {
            Some(Value::Table(tree)) => tree.entries.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The levels that have a table of their own.
    pub fn written_levels(&self) -> Vec<Level> {
        self.names("levels").into_iter().filter_map(Level::parse_strict).collect()
    }

    /// Whether all of a written list could be read: otherwise its sense is not to be judged.
    pub fn is_whole(&self, path: Path<'_>, read: usize) -> bool {
        match self.tree.at(path).map(|item| &item.value) {
            Some(Value::List(elements)) => elements.len() == read,
            Some(_) => false,
            None => true,
        }
    }

    /// The place of the value, or of the nearest thing around it that is written.
    fn place(&self, path: Path<'_>) -> Place {
        let written = (1..=path.len()).rev().find_map(|n| self.tree.at(&path[..n]));
        written.map_or(Place::default(), |item| match item.value {
            Value::Table(_) => item.key_at,
            _ => item.at,
        })
    }

    /// `policies.page.steps[2].to`, elements counted from 1.
    pub fn shown(&self, path: Path<'_>) -> String {
        let mut text = path.first().map(|first| (*first).to_owned()).unwrap_or_default();
        for i in 1..path.len() {
            let in_list = self.tree.at(&path[..i]).is_some_and(|item| matches!(item.value, Value::List(_)));
            match path[i].parse::<usize>() {
                Ok(n) if in_list => text.push_str(&format!("[{}]", n + 1)),
                _ if path[i].is_empty() => {}
                _ => text.push_str(&format!(".{}", path[i])),
            }
        }
        text
    }
}
