//! A word that many things of the state have in common (a channel, a person, a type), which is there once.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// As a string that takes 8 bytes in each place where it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<Box<str>>);

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(Arc::new(text.into()))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, text: &str) -> bool {
        **self == *text
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, text: &&str) -> bool {
        **self == **text
    }
}

impl Default for Name {
    fn default() -> Name {
        Name::from("")
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.to_string()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Name, D::Error> {
        Ok(Name(Arc::new(Box::deserialize(d)?)))
    }
}

/// All names in use. What only stands here any more goes now and then.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: HashSet<Name>,
    /// So many there may be before it is looked which are still in use.
    room: usize,
}

const LEAST: usize = 1_024;

impl Names {
    /// The one name of this text.
    pub fn of(&mut self, text: &str) -> Name {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        if self.known.len() >= self.room {
            self.known.retain(|name| Arc::strong_count(&name.0) > 1);
            self.room = LEAST.max(self.known.len() * 2);
        }
        let name = Name::from(text);
        self.known.insert(name.clone());
        name
    }

    pub fn of_any(&mut self, text: Option<&str>) -> Option<Name> {
        text.map(|text| self.of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_there_once_and_goes_when_nobody_has_it() {
        let mut names = Names::default();
        let one = names.of("ops-slack");
        assert!(Arc::ptr_eq(&one.0, &names.of("ops-slack").0));
        for n in 0..10 * LEAST {
            names.of(&n.to_string());
        }
        assert!(names.known.len() <= LEAST && Arc::ptr_eq(&one.0, &names.of("ops-slack").0));
    }
}
