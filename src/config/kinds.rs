//! Which kinds of events somebody wants to be told of: `incident.*`, `sms.failed`, `*`.
//!
//! Two families are told: the outcomes of CLI.md (`incident.*`, `delivery.*`, ...), and for each delivery the
//! contract's `FAMILY.sent`, `.delivered` and `.failed`, where the family is the medium or the kind of channel.

use crate::channel::KINDS;
use std::collections::BTreeSet;

/// What is told to who asks for nothing in particular.
const OUTCOMES: [&str; 9] = [
    "notification",
    "incident.opened",
    "incident.step",
    "incident.reminder",
    "incident.acknowledged",
    "incident.resolved",
    "delivery.delivered",
    "delivery.failed",
    "test",
];
/// What becomes of a delivery, in the contract's words.
const FATES: [&str; 3] = ["sent", "delivered", "failed"];

/// Patterns of kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds(Vec<String>);

impl Default for Kinds {
    fn default() -> Kinds {
        Kinds(OUTCOMES.map(str::to_owned).into())
    }
}

impl Kinds {
    /// Nothing given: the default.
    ///
    /// # Errors
    /// A sentence about the first pattern that no kind can match.
    pub fn parse<T: AsRef<str>>(patterns: &[T]) -> Result<Kinds, String> {
        if patterns.is_empty() {
            return Ok(Kinds::default());
        }
        let known = all();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            if !known.iter().any(|kind| fits(pattern, kind)) {
                let first: BTreeSet<&str> = known.iter().map(|kind| kind.split('.').next().unwrap_or(kind)).collect();
                let first: Vec<&str> = first.into_iter().collect();
                return Err(format!(
                    "{pattern:?} is no kind of event; write one such as \"incident.opened\", \"sms.*\" or \"*\"; they begin with {}",
                    first.join(", ")
                ));
            }
        }
        Ok(Kinds(patterns.iter().map(|p| p.as_ref().to_owned()).collect()))
    }

    /// Whether any of the contract's is among them.
    pub fn want_contract(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*" || !OUTCOMES.iter().any(|kind| fits(pattern, kind)))
    }

    pub fn want(&self, kind: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, kind))
    }
}

/// `*`, a kind, or its beginning up to a dot and `*`.
fn fits(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(start) => start.ends_with('.') && kind.starts_with(start),
        None => pattern == kind,
    }
}

fn all() -> Vec<String> {
    let families: BTreeSet<&str> = KINDS.iter().map(|kind| kind.family()).collect();
    let contract = families.into_iter().flat_map(|family| FATES.map(|fate| format!("{family}.{fate}")));
    OUTCOMES.map(str::to_owned).into_iter().chain(contract).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_kind_a_family_or_everything() {
        let kinds = Kinds::parse(&["incident.*", "sms.failed"]).unwrap();
        for (kind, wanted) in [
            ("incident.opened", true),
            ("sms.failed", true),
            ("sms.sent", false),
            ("delivery.failed", false),
            ("notification", false),
        ] {
            assert_eq!(kinds.want(kind), wanted, "{kind}");
        }
        assert!(Kinds::parse(&["*"]).unwrap().want("slack.sent"));
        assert!(Kinds::default().want("delivery.failed") && !Kinds::default().want("sms.failed"));
        assert!(kinds.want_contract() && Kinds::parse(&["*"]).unwrap().want_contract());
        assert!(!Kinds::default().want_contract() && !Kinds::parse(&["incident.*"]).unwrap().want_contract());
    }

    #[test]
    fn what_no_kind_can_match_is_refused() {
        for wrong in ["", "incidents.*", "sms", "sms.*.x", "inc*", "email.lost", ".*", "twilio.sent"] {
            let words = Kinds::parse(&[wrong]).unwrap_err();
            assert!(words.contains("email") && words.contains("slack"), "{words}");
        }
    }
}
