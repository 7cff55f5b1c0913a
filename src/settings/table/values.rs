//! Reading one value: texts, secrets, numbers, flags, durations, words.

use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::settings::suggest;
use crate::settings::table::Table;
use crate::settings::table::resolve::Text;
use crate::settings::tree::{Item, Value};
use std::ops::RangeInclusive;

const NUMBER: &str = "write a number, as 0.5 or 100";
const FLAG: &str = "write true or false, without quotes";

impl Table<'_> {
    /// Placeholders resolved.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let item = self.item(key)?;
        match self.resolved(&self.path(key), item) {
            Text::Is(text) => Some(text),
            Text::Unset => Some(String::new()),
            Text::Wrong => None,
        }
    }

    /// Absent or empty is an error that says `write KEY = "EXAMPLE"`; an empty text if simulated.
    pub fn require_text(&mut self, key: &str, example: &str) -> Option<String> {
        let written = self.has(key);
        match self.text(key) {
            Some(text) if !text.trim().is_empty() => Some(text),
            _ if self.simulated => Some(String::new()),
            None if written => None,
            _ => self.missing(key, &format!("{example:?}")),
        }
    }

    /// Like `text`; what is written as a literal never reaches the ledger.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        self.mask(key);
        self.text(key).map(Secret::new)
    }

    /// Like `require_text`; what is written as a literal never reaches the ledger.
    pub fn require_secret(&mut self, key: &str, example: &str) -> Option<Secret> {
        self.mask(key);
        self.require_text(key, example).map(Secret::new)
    }

    /// A text that holds a placeholder is read as a number.
    pub fn integer(&mut self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let item = self.item(key)?;
        let path = self.path(key);
        let allowed = match (*range.start(), *range.end()) {
            (least, i64::MAX) => format!("write a whole number, {least} or more"),
            (least, most) => format!("write a whole number from {least} to {most}"),
        };
        let number = match &item.value {
            Value::Integer(number) => *number,
            Value::Text(raw) => match self.resolved(&path, item) {
                Text::Is(text) => match text.trim().parse() {
                    Ok(number) => Some(number),
                    Err(_) => return self.wrong(item, format!("{path}: {raw:?} is not a whole number"), allowed),
                },
                Text::Unset | Text::Wrong => return None,
            },
            other => return self.wrong(item, format!("{path} is {}, not a whole number", other.what()), allowed),
        };
        match number.filter(|n| range.contains(n)) {
            Some(number) => Some(number),
            None => self.wrong(item, format!("{path} is out of range"), allowed),
        }
    }

    /// A finite number, with or without a point.
    pub fn float(&mut self, key: &str) -> Option<f64> {
        let item = self.item(key)?;
        let path = self.path(key);
        let number = match &item.value {
            Value::Integer(Some(number)) => *number as f64,
            Value::Float(number) => *number,
            Value::Text(raw) => match self.resolved(&path, item) {
                Text::Is(text) => match text.trim().parse() {
                    Ok(number) => number,
                    Err(_) => return self.wrong(item, format!("{path}: {raw:?} is not a number"), NUMBER),
                },
                Text::Unset | Text::Wrong => return None,
            },
            other => return self.wrong(item, format!("{path} is {}, not a number", other.what()), NUMBER),
        };
        if number.is_finite() {
            return Some(number);
        }
        self.wrong(item, format!("{path} is not a finite number"), NUMBER)
    }

    /// Absent is an error that says `write KEY = EXAMPLE`.
    pub fn require_float(&mut self, key: &str, example: f64) -> Option<f64> {
        if self.has(key) { self.float(key) } else { self.missing(key, &example.to_string()) }
    }

    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let item = self.item(key)?;
        let path = self.path(key);
        match &item.value {
            Value::Flag(flag) => Some(*flag),
            Value::Text(raw) => match self.resolved(&path, item) {
                Text::Is(text) if text == "true" => Some(true),
                Text::Is(text) if text == "false" => Some(false),
                Text::Is(_) => self.wrong(item, format!("{path}: {raw:?} is neither true nor false"), FLAG),
                Text::Unset | Text::Wrong => None,
            },
            other => self.wrong(item, format!("{path} is {}, not true or false", other.what()), FLAG),
        }
    }

    /// A duration: `"5m"`.
    pub fn span(&mut self, key: &str) -> Option<Span> {
        self.parsed(key, Span::parse)
    }

    /// One of a few words; the error lists them.
    pub fn choice(&mut self, key: &str, options: &[&'static str]) -> Option<&'static str> {
        self.parsed(key, |word| {
            options
                .iter()
                .copied()
                .find(|o| *o == word)
                .ok_or_else(|| format!("{word:?} is not known; {}", suggest::hint(word, options.iter().copied())))
        })
    }

    /// A text and a parser whose error is reported at the text's place. In the parser's sentence
    /// what stands after `; ` is the hint.
    pub fn parsed<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let item = self.item(key)?;
        self.parse_item(&self.path(key), item, &parse)
    }

    /// Like `parsed`; absent or empty is an error that says `write KEY = "EXAMPLE"`. `None` without
    /// an error if simulated and missing.
    pub fn require_parsed<T>(
        &mut self,
        key: &str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let written = match self.item(key) {
            None => None,
            Some(item @ Item { value: Value::Text(_), .. }) => match self.resolved(&self.path(key), item) {
                Text::Is(text) if text.trim().is_empty() => None,
                Text::Is(_) => Some(item),
                Text::Unset | Text::Wrong => return None,
            },
            Some(item) => Some(item),
        };
        match written {
            Some(item) => self.parse_item(&self.path(key), item, &parse),
            None if self.simulated => None,
            None => self.missing(key, &format!("{example:?}")),
        }
    }
}
