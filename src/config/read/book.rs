//! Who a list of WHO means: a name that a person has, else a number of the region's, where there is one.

use crate::config::person::Person;
use crate::config::read::entries::with_hint;
use crate::domain::phone::{self, Region};
use crate::domain::who::Who;
use crate::settings::Table;
use std::collections::BTreeMap;

const HINT: &str = "write a name, \"group:NAME\", \"schedule:NAME\", \"tier:NAME\", an address or a number";

/// What is known when lists of WHO are read.
#[derive(Clone, Copy)]
pub struct Book<'a> {
    pub people: &'a BTreeMap<String, Person>,
    pub region: Option<Region>,
}

impl Book<'_> {
    /// A list of WHO; what is wrong is reported at its own place.
    pub fn who(&self, table: &mut Table<'_>, key: &str) -> Option<Vec<Who>> {
        table.parsed_list(key, |text| self.one(text).map_err(|why| with_hint(why, HINT)))
    }

    fn one(&self, text: &str) -> Result<Who, String> {
        let who = Who::parse(text)?;
        let national = match &who {
            Who::Person(name) => phone::is_like_one(name) && !self.people.contains_key(name),
            _ => false,
        };
        match self.region {
            _ if !national => Ok(who),
            Some(region) => phone::e164(text, Some(region)).map(Who::Phone).map_err(|_| {
                format!("{text:?} is no number of [daemon] region; write it with + and its country, as \"+15550100\"")
            }),
            None => Err(format!(
                "{text:?} is a number without its country; write it as \"+15550100\", or say in [daemon] region whose numbers these are"
            )),
        }
    }
}
