//! From what is written to a text: placeholders, secrets, and complaints about either.

use crate::settings::placeholder::Resolved;
use crate::settings::table::Table;
use crate::settings::tree::{Item, Value};

/// A text after its placeholders were put in.
pub(in crate::settings::table) enum Text {
    Is(String),
    /// A placeholder is not set, and that is all right here.
    Unset,
    /// Reported.
    Wrong,
}

impl Table<'_> {
    pub(in crate::settings::table) fn resolved(&self, path: &str, item: &Item) -> Text {
        let Value::Text(raw) = &item.value else {
            self.reading.error_at(
                item.at,
                format!("{path} is {}, not a text", item.value.what()),
                "write it in quotes: \"...\"",
            );
            return Text::Wrong;
        };
        match self.reading.resolve(raw) {
            Ok(Resolved::Text(text)) => Text::Is(text),
            Ok(Resolved::Missing(_)) if self.simulated => Text::Unset,
            Ok(Resolved::Missing(reasons)) => {
                for reason in reasons {
                    self.complain(item, path, &reason, "write ${file:NAME} for a systemd credential, or ${file:/path}");
                }
                Text::Wrong
            }
            Err(why) => {
                self.complain(item, path, &why, "");
                Text::Wrong
            }
        }
    }

    pub(in crate::settings::table) fn parse_item<T>(
        &self,
        path: &str,
        item: &Item,
        parse: &dyn Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match self.resolved(path, item) {
            Text::Is(text) => text,
            Text::Unset | Text::Wrong => return None,
        };
        let Value::Text(raw) = &item.value else { return None };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.complain(item, path, &unresolved(why, &text, raw), "");
                None
            }
        }
    }

    /// A sentence whose part after `; ` is the hint, else this one.
    pub(in crate::settings::table) fn complain(&self, item: &Item, path: &str, sentence: &str, otherwise: &str) {
        let (message, hint) = sentence.split_once("; ").unwrap_or((sentence, otherwise));
        self.reading.error_at(item.at, format!("{path}: {message}"), hint);
    }

    /// Whatever is written under the key is a secret.
    pub(in crate::settings::table) fn mask(&self, key: &str) {
        let mut todo: Vec<&Item> = self.tree.entries.get(key).into_iter().collect();
        while let Some(item) = todo.pop() {
            match &item.value {
                Value::List(elements) => todo.extend(elements),
                Value::Table(tree) => todo.extend(tree.entries.values()),
                _ => self.reading.note_secret(item.at),
            }
        }
    }
}

/// A parser quotes what it was given; what came from a placeholder must not be repeated.
fn unresolved(sentence: String, text: &str, raw: &str) -> String {
    if text == raw {
        return sentence;
    }
    let shown = format!("{raw:?}");
    sentence.replace(&format!("{text:?}"), &shown).replace(&format!("{:?}", text.trim()), &shown)
}
