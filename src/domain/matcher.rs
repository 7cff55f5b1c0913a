//! Label matchers as Alertmanager and amtool write them: `name=value`, `!=`, `=~`, `!~`.
//!
//! Grammar: the operator is the first of the four after the name; a value is bare or in double
//! quotes (backslash escapes `"`, `\` and `n`). A regular expression is anchored at both ends. A
//! label that is missing is the empty text.

use crate::domain::Labels;
use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    NotEqual,
    Match,
    NotMatch,
}

impl Op {
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Equal => "=",
            Op::NotEqual => "!=",
            Op::Match => "=~",
            Op::NotMatch => "!~",
        }
    }
}

/// One condition on one label.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub name: String,
    pub op: Op,
    pub value: String,
    regex: Option<Regex>,
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Matcher {
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Matcher, String> {
        let wrong = || format!("{text:?} is not a matcher; write name=value, name!=value, name=~regex or name!~regex");
        let at = text.find(['=', '!']).ok_or_else(wrong)?;
        let name = text[..at].trim();
        let rest = &text[at..];
        let (op, value) = [("=~", Op::Match), ("!~", Op::NotMatch), ("!=", Op::NotEqual), ("=", Op::Equal)]
            .into_iter()
            .find_map(|(sign, op)| rest.strip_prefix(sign).map(|v| (op, v)))
            .ok_or_else(wrong)?;
        if !is_label_name(name) {
            return Err(format!("{name:?} is not a label name (letters, digits and _, not first a digit)"));
        }
        Matcher::new(name, op, unquote(value.trim()).ok_or_else(wrong)?)
    }

    /// # Errors
    /// When the value is not a regular expression, where one is wanted.
    pub fn new(name: &str, op: Op, value: String) -> Result<Matcher, String> {
        let regex = match op {
            Op::Equal | Op::NotEqual => None,
            Op::Match | Op::NotMatch => Some(
                regex::RegexBuilder::new(&format!("^(?:{value})$"))
                    .size_limit(1 << 20)
                    .build()
                    .map_err(|e| format!("{value:?} is not a regular expression: {e}"))?,
            ),
        };
        Ok(Matcher { name: name.to_owned(), op, value, regex })
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        let hit = self.regex.as_ref().map_or(value == self.value, |r| r.is_match(value));
        hit == matches!(self.op, Op::Equal | Op::Match)
    }
}

/// `^[a-zA-Z_][a-zA-Z0-9_]*$`
pub fn is_label_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unquote(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                c => out.push(c),
            },
            c => out.push(c),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(f, "{}{}\"{value}\"", self.name, self.op.as_str())
    }
}

impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Matcher::parse(&text).map_err(serde::de::Error::custom)
    }
}
