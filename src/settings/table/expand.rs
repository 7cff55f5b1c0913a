//! One key that stands for several.

use super::Table;
use crate::settings::tree::{Item, Tree, Value};

/// A value that somebody made, in place of one that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Texts(Vec<String>),
    Table(Vec<(&'static str, String)>),
}

impl<'a> Table<'a> {
    /// The entries of this table with these in place of `key`, where they are not written themselves. All of
    /// them stand where the key does.
    pub fn expanded(&self, key: &str, pieces: Vec<(&'static str, Piece)>) -> Tree {
        let at = self.place(key);
        let item = |value| Item { value, key_at: at, at };
        // What is finished has no placeholders.
        let text = |text: String| item(Value::Text(text.replace("${", "$${")));
        let mut tree = self.tree.clone();
        tree.entries.remove(key);
        for (name, piece) in pieces {
            let made = match piece {
                Piece::Text(words) => text(words),
                Piece::Texts(all) => item(Value::List(all.into_iter().map(text).collect())),
                Piece::Table(inner) => {
                    let entries = inner.into_iter().map(|(name, words)| (name.to_owned(), text(words)));
                    item(Value::Table(Tree { entries: entries.collect() }))
                }
            };
            tree.entries.entry(name.to_owned()).or_insert(made);
        }
        tree
    }

    /// The same table with other entries.
    pub fn over<'b>(&self, tree: &'b Tree) -> Table<'b>
    where
        'a: 'b,
    {
        Table::new(self.reading, &self.name, self.path.clone(), tree, self.head, self.simulated)
    }
}
