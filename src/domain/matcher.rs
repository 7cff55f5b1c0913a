//! Label matchers as Alertmanager and amtool write them: `name=value`, `!=`, `=~`, `!~`.
//!
//! A value is bare (no blanks and none of `{}!=~,\"'` and backtick) or in double quotes with Go's
//! escapes. Several are joined by commas, in one pair of braces or none, and all must hold. A
//! regular expression is anchored at both ends. A label that is missing is the empty text.

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
    /// One matcher.
    ///
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
        Matcher::new(name, op, read_value(value.trim())?)
    }

    /// Several, joined by commas, in braces or not; a comma may follow the last. None is none.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse_list(text: &str) -> Result<Vec<Matcher>, String> {
        let text = text.trim();
        let inner = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(|| format!("{text:?}: the brace is not closed"))?,
            None => text,
        };
        let mut parts = split_at_commas(inner);
        if parts.last().is_some_and(|last| last.trim().is_empty()) {
            parts.pop();
        }
        parts.into_iter().map(Matcher::parse).collect()
    }

    /// # Errors
    /// When the value is not a regular expression, where one is wanted.
    pub fn new(name: &str, op: Op, value: String) -> Result<Matcher, String> {
        let regex = match op {
            Op::Equal | Op::NotEqual => None,
            Op::Match | Op::NotMatch => {
                // By itself first: "a)|(b" would be well-formed only inside the brackets.
                compile(&value).map_err(|e| format!("{value:?} is not a regular expression: {e}"))?;
                let anchored = compile(&format!("^(?:{value})$"));
                Some(anchored.map_err(|e| format!("{value:?} is not a regular expression: {e}"))?)
            }
        };
        Ok(Matcher { name: name.to_owned(), op, value, regex })
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
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

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build()
}

fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn read_value(value: &str) -> Result<String, String> {
    let Some(inner) = value.strip_prefix('"') else {
        return match value.find(|c: char| c.is_whitespace() || "{}!=~,\\\"'`".contains(c)) {
            None => Ok(value.to_owned()),
            Some(_) => Err(format!("the value {value:?} needs double quotes, as in name=\"a value\"")),
        };
    };
    unquote(inner).ok_or_else(|| {
        format!(
            "{value} is not well quoted; it ends with \" and knows \\\" \\\\ \\n \\r \\t \\xNN \\uNNNN and the like"
        )
    })
}

/// What follows the opening quote, by the rules of Go's interpreted strings.
fn unquote(inner: &str) -> Option<String> {
    let mut out: Vec<u8> = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    loop {
        let c = match chars.next()? {
            '"' => return if chars.next().is_none() { String::from_utf8(out).ok() } else { None },
            '\\' => match chars.next()? {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                c @ ('\\' | '"') => c,
                'u' => char::from_u32(digits(&mut chars, 4, 16, 0)?)?,
                'U' => char::from_u32(digits(&mut chars, 8, 16, 0)?)?,
                // These two name a byte, which may be a part of a letter.
                'x' => {
                    out.push(u8::try_from(digits(&mut chars, 2, 16, 0)?).ok()?);
                    continue;
                }
                c @ '0'..='7' => {
                    out.push(u8::try_from(digits(&mut chars, 2, 8, c.to_digit(8)?)?).ok()?);
                    continue;
                }
                _ => return None,
            },
            c => c,
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn digits(chars: &mut std::str::Chars<'_>, count: u32, radix: u32, first: u32) -> Option<u32> {
    (0..count).try_fold(first, |n, _| n.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?))
}

/// Always quoted, so that it can be read back and pasted into a shell between single quotes.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}\"", self.name, self.op.as_str())?;
        for c in self.value.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
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
