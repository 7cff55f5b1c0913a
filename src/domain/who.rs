//! WHO: how the config, the commands and the API name somebody to tell.

use crate::domain::phone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A person, a set of people that is resolved when a sending is made, or a bare address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    Person(String),
    Group(String),
    /// Whoever is on call in this schedule at that moment.
    Schedule(String),
    /// Every person of this tier.
    Tier(String),
    Email(String),
    /// A number in E.164: `+`, a digit 1 to 9 and 6 to 14 more.
    Phone(String),
}

impl Who {
    /// Reads `alice`, `person:alice`, `group:ops`, `schedule:primary`, `tier:TIER_1`,
    /// `a@b.example`, `+1 (555) 010-0`, `tel:...`, `00...`. Whether the name exists is for the config to say.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Who, String> {
        let text = text.trim();
        if text.starts_with("tel:") {
            return phone(text).map(Who::Phone);
        }
        if let Some((sort, name)) = text.split_once(':') {
            let name = name.trim().to_owned();
            if name.is_empty() || name.chars().any(char::is_control) {
                return Err(format!("{text:?} names nobody after the colon"));
            }
            return match sort {
                "person" => Ok(Who::Person(name)),
                "group" => Ok(Who::Group(name)),
                "schedule" => Ok(Who::Schedule(name)),
                "tier" => Ok(Who::Tier(name)),
                _ if text.contains('@') => email(text).map(Who::Email),
                _ => Err(format!("{text:?}: {sort:?} is not one of person, group, schedule, tier")),
            };
        }
        if text.starts_with('+') {
            return phone(text).map(Who::Phone);
        }
        if phone::is_like_one(text) {
            // A national form is read where its country is known.
            return Ok(phone(text).map_or_else(|_| Who::Person(text.to_owned()), Who::Phone));
        }
        if text.contains('@') {
            return email(text).map(Who::Email);
        }
        if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{text:?} is not a name, an address or a number (a number begins with +)"));
        }
        Ok(Who::Person(text.to_owned()))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A name that alone would be read as something else keeps its sort before it.
            Who::Person(n) if n.contains([':', '@', '+']) || n.contains(char::is_whitespace) => write!(f, "person:{n}"),
            Who::Person(n) | Who::Email(n) | Who::Phone(n) => f.write_str(n),
            Who::Group(n) => write!(f, "group:{n}"),
            Who::Schedule(n) => write!(f, "schedule:{n}"),
            Who::Tier(n) => write!(f, "tier:{n}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Who::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A number in E.164, as far as that can be told without knowing a country.
///
/// # Errors
/// A sentence that says what would be right.
pub fn phone(text: &str) -> Result<String, String> {
    phone::e164(text, None)
}

/// An e-mail address as far as we judge: one part before and one after the last `@`, no blanks.
///
/// # Errors
/// A sentence that says what would be right.
pub fn email(text: &str) -> Result<String, String> {
    let text = text.trim();
    text.parse::<lettre::Address>()
        .map(|_| text.to_owned())
        .map_err(|_| format!("{text:?} is not an e-mail address; write it as \"ops@example.org\""))
}
