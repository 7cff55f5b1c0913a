//! Reading what holds several values: lists, maps, tables in tables.

use crate::domain::secret::Secret;
use crate::settings::source::Place;
use crate::settings::table::resolve::Text;
use crate::settings::table::{Shape, Table};
use crate::settings::tree::{Item, Value};
use std::collections::BTreeMap;

impl<'a> Table<'a> {
    /// A list of texts; `Some` and empty for `[]`.
    pub fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        self.parsed_list(key, |text| Ok(text.to_owned()))
    }

    /// A list of texts and a parser; each element's error is reported at its own place, and the
    /// list is then what was right.
    pub fn parsed_list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let item = self.item(key)?;
        let path = self.path(key);
        match &item.value {
            Value::List(elements) => Some(elements.iter().filter_map(|e| self.parse_item(&path, e, &parse)).collect()),
            other => {
                let message = format!("{path} is {}, not a list", other.what());
                self.reading.error_at(item.at, message, format!("write {key} = [\"...\"]"));
                None
            }
        }
    }

    /// A table of texts.
    pub fn text_map(&mut self, key: &str) -> Option<BTreeMap<String, String>> {
        let item = self.item(key)?;
        let path = self.path(key);
        let Value::Table(tree) = &item.value else {
            return self.wrong(
                item,
                format!("{path} is {}, not a table", item.value.what()),
                format!("write {key} = {{ NAME = \"...\" }}"),
            );
        };
        let entry = |(name, item): (&String, &Item)| match self.resolved(&format!("{path}.{name}"), item) {
            Text::Is(text) => Some((name.clone(), text)),
            Text::Unset => Some((name.clone(), String::new())),
            Text::Wrong => None,
        };
        Some(tree.entries.iter().filter_map(entry).collect())
    }

    /// A table of texts that never reach the ledger.
    pub fn secret_map(&mut self, key: &str) -> Option<BTreeMap<String, Secret>> {
        self.mask(key);
        Some(self.text_map(key)?.into_iter().map(|(name, text)| (name, Secret::new(text))).collect())
    }

    /// A table in this one.
    pub fn table(&mut self, key: &str) -> Option<Table<'a>> {
        let item = self.item(key)?;
        match &item.value {
            Value::Table(tree) => Some(self.inner(key, self.path(key), tree, item.key_at)),
            other => {
                let path = self.path(key);
                self.wrong(item, format!("{path} is {}, not a table", other.what()), format!("write [{path}]"))
            }
        }
    }

    /// Every table of `[key.*]`, by name; nothing else may stand there.
    pub fn named_tables(&mut self, key: &str) -> Vec<Table<'a>> {
        if self.shape(key) == Some(Shape::List) {
            self.known.insert(key.to_owned());
            self.error(key, "this is a list, and each entry needs a name", format!("write [{}.NAME]", self.path(key)));
            return Vec::new();
        }
        self.tables(key)
    }

    /// Every table of `[key.*]`, by name; or the elements of a list of tables, in order.
    pub fn tables(&mut self, key: &str) -> Vec<Table<'a>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let path = self.path(key);
        let tables = match &item.value {
            Value::Table(tree) => {
                let named =
                    |(name, item): (&'a String, &'a Item)| (name.clone(), format!("{path}.{name}"), item.key_at, item);
                tree.entries.iter().map(named).collect::<Vec<_>>()
            }
            Value::List(elements) => {
                let numbered =
                    |(i, item): (usize, &'a Item)| (String::new(), format!("{path}[{}]", i + 1), item.at, item);
                elements.iter().enumerate().map(numbered).collect()
            }
            other => {
                self.wrong::<()>(
                    item,
                    format!("{path} is {}, not a table", other.what()),
                    format!("write [{path}.NAME]"),
                );
                Vec::new()
            }
        };
        let table = |(name, path, head, item): (String, String, Place, &'a Item)| match &item.value {
            Value::Table(tree) => Some(self.inner(&name, path, tree, head)),
            other => self.wrong(item, format!("{path} is {}, not a table", other.what()), "write a table: { ... }"),
        };
        tables.into_iter().filter_map(table).collect()
    }
}
