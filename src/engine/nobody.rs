//! A sending that reaches nobody: refused, with the reason for each channel, and what would be right.

use super::plan::{Planned, Terms};
use super::refusal::{Code, Refusal};
use super::turn::Turn;
use crate::domain::delivery::Medium;
use crate::domain::event::EventKind;
use crate::domain::level::Level;
use crate::domain::who::Who;

impl Turn<'_> {
    /// The refusal, and its record. The ledger's copy names no bare address.
    pub fn nobody(&mut self, level: Level, terms: &Terms, planned: &[Planned]) -> Refusal {
        let message = self.why_nobody(level, terms, planned);
        let told = [vec![message.clone()], reasons(planned, |_| "an address".to_owned())].concat().join("; ");
        self.emit(EventKind::RequestRefused { code: Code::Nobody.as_str().into(), message: told, field: None });
        Refusal { reasons: reasons(planned, str::to_owned), ..Refusal::new(Code::Nobody, message) }
    }

    fn why_nobody(&self, level: Level, terms: &Terms, planned: &[Planned]) -> String {
        let of_level = self.config.levels.get(&level).map(|l| l.channels.join(", ")).unwrap_or_default();
        let no_address = planned.iter().any(|p| p.skip.as_deref() == Some("no-address"));
        match terms.channels {
            None if of_level.is_empty() => format!("level {level} has no channel; add --channel"),
            None if no_address => {
                let other = self.channel_for(terms).map_or(String::new(), |c| format!(" {c}"));
                format!("level {level} has {of_level} only; add --channel{other}")
            }
            _ => "nobody to send to".to_owned(),
        }
    }

    /// A channel by which these could be told, to be named: one that is nobody's fallback first.
    fn channel_for(&self, terms: &Terms) -> Option<&str> {
        let who = terms.to.as_ref()?.first()?;
        let has = |medium: Medium| match who {
            Who::Email(_) => medium == Medium::Mail,
            Who::Phone(_) => medium != Medium::Mail,
            Who::Person(name) => self.config.people.get(name).is_some_and(|p| p.address(medium).is_some()),
            Who::Group(_) | Who::Schedule(_) | Who::Tier(_) => false,
        };
        let is_fallback = |name: &str| self.config.channels.values().any(|c| c.fallback.as_deref() == Some(name));
        let fitting = self.config.channels.values().filter(|c| c.medium().is_some_and(has));
        fitting.min_by_key(|c| (c.medium(), is_fallback(&c.name), &c.name)).map(|c| c.name.as_str())
    }
}

/// A sentence for each channel and person.
fn reasons(planned: &[Planned], shown: impl Fn(&str) -> String) -> Vec<String> {
    let reason = |p: &Planned| {
        let who = p.who.clone().or_else(|| p.address.as_deref().map(&shown)).unwrap_or_else(|| "-".to_owned());
        let why = p.skip.as_deref().unwrap_or("-").replace("quiet-hours", "quiet hours");
        format!("{} {who}: {why}", p.channel)
    };
    planned.iter().map(reason).collect()
}
