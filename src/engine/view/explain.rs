//! Why: each event in a sentence, with the rule behind it.

use crate::domain::event::{AttemptResult, Carriage, Carried, EventKind, Origin};
use crate::domain::id::{DeliveryId, NotificationId};
use crate::message::attachment;
use serde_json::Value;
use std::collections::HashMap;

/// Explains events in their order. A delivery is called by what it was made for: `call for alice`.
#[derive(Default)]
pub struct Story {
    names: HashMap<DeliveryId, String>,
    /// Why a sending was made, which says where its channels and recipients come from.
    origins: HashMap<NotificationId, Origin>,
    /// `report.pdf (120 KB)`: said once, and then counted on.
    files: Vec<String>,
}

impl Story {
    /// Of the incident or the delivery that this document is of.
    pub fn of(document: &Value) -> Story {
        let files = document["attachments"].as_array().into_iter().flatten();
        let named = |file: &Value| {
            let size = attachment::size(file["bytes"].as_u64().unwrap_or_default());
            format!("{} ({size})", file["name"].as_str().unwrap_or_default())
        };
        Story { files: files.map(named).collect(), ..Story::default() }
    }

    /// What happened, and because of which rule. `None` for what explains nothing.
    pub fn explain(&mut self, head: &EventKind) -> Option<(String, String)> {
        use EventKind::*;
        let name = match head {
            DeliveryCreated { id, chain, who, .. } => {
                let name = name_of(chain, who.as_deref());
                self.names.insert(*id, name.clone());
                Some(name)
            }
            AttemptStarted { delivery: id, .. }
            | AttemptFinished { delivery: id, .. }
            | DeliveryMoved { id, .. }
            | DeliveryRerouted { id, .. }
            | DeliveryEnded { id, .. }
            | DeadLetterRequeued { id }
            | DeadLetterDropped { id } => self.names.get(id).cloned(),
            DeliveryReported(report) => self.names.get(&report.id).cloned(),
            NotificationAccepted { id, origin, .. } => {
                self.origins.insert(*id, origin.clone());
                None
            }
            _ => None,
        };
        let (what, because) = match head {
            DeliveryCreated { notification, status, reason: None, start: 0, on_call, .. } => {
                (status.to_string(), chosen(self.origins.get(notification), *on_call))
            }
            _ => explain(head)?,
        };
        let brings = matches!(head, IncidentOpened { .. } | DeliveryCreated { .. }) && !self.files.is_empty();
        let what = if brings { format!("{what}, with {}", std::mem::take(&mut self.files).join(", ")) } else { what };
        Some((name.map_or(what.clone(), |name| format!("{name}: {what}")), because))
    }
}

fn name_of(chain: &[String], who: Option<&str>) -> String {
    let channel = chain.first().map_or("-", String::as_str);
    who.map_or_else(|| channel.to_owned(), |who| format!("{channel} for {who}"))
}

fn explain(head: &EventKind) -> Option<(String, String)> {
    use EventKind::*;
    let (what, because) = match head {
        IncidentOpened { number, level, opened_by, policy, silenced_by, channels, .. } => {
            let way = match (silenced_by, policy, channels) {
                (Some(silence), ..) => format!("told to nobody: silence {silence} holds it"),
                (None, Some(policy), _) => format!("it follows policy {policy}"),
                (None, None, Some(own)) if own.is_empty() => "no policy and no channels: told to nobody".into(),
                (None, None, Some(own)) => format!("no policy: its own channels, {}, once", own.join(", ")),
                (None, None, None) => format!("no policy: the channels of level {level}, once"),
            };
            (format!("#{number} opened at level {level}"), format!("reported by {opened_by}; {way}"))
        }
        IncidentRepeated { .. } => {
            ("reported again".into(), "the same fingerprint is open: counted, nothing sent".into())
        }
        AlertReported(_) => {
            ("its source reports the alert".into(), "it is over when it is not reported again in time".into())
        }
        IncidentRaised { level, .. } => {
            (format!("raised to {level}"), "a higher level starts its policy from the first step".into())
        }
        IncidentStepped { round, step, saved, because, passed_over, .. } => {
            let mut why = because.clone();
            if saved.0 > 0 {
                why += &format!("; {saved} earlier than planned, and so are all later times");
            }
            if !passed_over.is_empty() {
                why += &format!("; {} missed before it are passed over", passed_over.len());
            }
            (format!("step {} of round {}", step + 1, round + 1), why)
        }
        IncidentReminded { next, .. } => {
            let why =
                if next.is_some() { "nobody has acknowledged; its level reminds" } else { "it follows no policy" };
            ("a sending of its own".into(), why.into())
        }
        IncidentReplanned { rounds, .. } => {
            let what = match rounds {
                0 => "goes on by the new config".to_owned(),
                n => format!("goes on by the new config, {n} rounds at the most"),
            };
            (what, "the config was changed".into())
        }
        IncidentAcknowledged { by, via, note, .. } => {
            let note = note.as_ref().map_or(String::new(), |n| format!(": {n}"));
            (
                format!("acknowledged by {by}{note}"),
                format!("by {via}; from here on no attempt starts and no step fires"),
            )
        }
        IncidentUnacknowledged { by, because, .. } => {
            (format!("acknowledgement withdrawn by {by}"), format!("{because}; it starts again at the first step"))
        }
        IncidentSnoozed { by, .. } => (format!("snoozed by {by}"), "it starts again when the snooze is over".into()),
        IncidentSilenced { silence, .. } => ("silenced".into(), format!("silence {silence} matches")),
        IncidentUnsilenced { because, .. } => ("no longer silenced".into(), because.clone()),
        IncidentResolved { by, because, .. } => (format!("resolved by {by}"), because.clone()),
        NotificationAccepted { origin, level, .. } => (format!("a sending at level {level}"), origin_line(origin)),
        DeliveryCreated { chain, status, reason, start, .. } => {
            let why = match (reason, start) {
                (Some(reason), _) => reason.clone(),
                (None, at) => format!(
                    "it begins with {}: the ways before it are dead",
                    chain.get(*at).map_or("-", String::as_str)
                ),
            };
            (status.to_string(), why)
        }
        AttemptStarted { n, channel, possibly_duplicate, files, .. } => {
            let why = match (possibly_duplicate, n) {
                (true, _) => "an earlier answer was lost: possibly a duplicate",
                (false, 1) => "a slot was free",
                (false, _) => "its time to be tried again has come",
            };
            (
                format!("attempt {n} by {channel}"),
                files.iter().fold(why.to_owned(), |why, go| format!("{why}; {}", carriage(*go))),
            )
        }
        AttemptFinished { n, channel, result, .. } => (format!("attempt {n} by {channel} ended"), result_line(result)),
        DeliveryMoved { status, because, .. } => (format!("now {status}"), because.clone()),
        DeliveryRerouted { chain, .. } => {
            (format!("goes by {}", chain.join(", else ")), "the config has other fallbacks now".to_owned())
        }
        DeliveryEnded { status, reason, .. } => (status.to_string(), reason.clone().unwrap_or_default()),
        DeliveryReported(report) => match &report.key {
            Some(key) => (format!("{key} was pressed"), "the keys of a call can be used once".into()),
            None if report.found => ("its provider has it".into(), report.status.clone()),
            None if report.late => {
                (format!("its provider says {}", report.status), "too late: that changes nothing any more".into())
            }
            None => (format!("its provider says {}", report.status), "by a signed call, or when it was asked".into()),
        },
        DeliveryCounted(counted) => {
            (format!("counted against the limits of {}", counted.channel), "once for its whole chain".into())
        }
        DeliveryPriced(priced) => {
            let by = if priced.reported { "as its provider says" } else { "by the prices of the config" };
            (format!("attempt {} costs {} {}", priced.n, priced.cost, priced.currency), by.into())
        }
        UrgentUnheard(u) if !u.heard => (
            "the last resort: sound at full volume, and a word to whoever is logged in".into(),
            "it is urgent, and every way of it has failed for a minute".into(),
        ),
        UrgentUnheard(_) => ("the last resort is over".into(), "somebody was told, or it is over".into()),
        DeadLetterRequeued { .. } => ("tried again".into(), "somebody requeued the dead letter".into()),
        DeadLetterDropped { .. } => {
            ("given up".into(), "the dead letter was dropped, by order or because too many are kept".into())
        }
        SoundStarted { channel, .. } => {
            (format!("{channel} sounds"), "until acknowledged, stopped, or its longest time".into())
        }
        SoundStopped { channel, because, .. } => (format!("{channel} is silent"), because.clone()),
        _ => return None,
    };
    Some((what, because))
}

fn origin_line(origin: &Origin) -> String {
    match origin {
        Origin::OneShot => "a one-shot: it never escalates".into(),
        Origin::Test => "somebody asked for a test".into(),
        Origin::Fomo => "pushed by hand".into(),
        Origin::Opening { .. } => "the incident's one sending".into(),
        Origin::Step { round, step, .. } => format!("step {} of round {}", step + 1, round + 1),
        Origin::Reminder { .. } => "a reminder: the last sending again".into(),
        Origin::Acknowledged { .. } => "a notice to those who were told".into(),
        Origin::Resolved { .. } => "the end, to those who were told".into(),
    }
}

/// Where a delivery comes from that is not skipped and begins with its first way.
fn chosen(origin: Option<&Origin>, on_call: bool) -> String {
    let named = match origin {
        Some(Origin::OneShot | Origin::Test) => "named by the request; what it leaves out, by its level",
        Some(Origin::Fomo | Origin::Opening { .. }) => "named by what opened it; what that leaves out, by its level",
        Some(Origin::Step { .. }) => "named by the step; what it leaves out, by the level",
        Some(Origin::Reminder { .. }) => "as in the last sending",
        Some(Origin::Acknowledged { .. } | Origin::Resolved { .. }) => {
            "told of the incident by this way, so also of this"
        }
        None => "named by the request, the step or the level",
    };
    let on_call = if on_call { "; on call at that moment" } else { "" };
    format!("{named}{on_call}")
}

/// How the files went, and why not along.
fn carriage(go: Carriage) -> String {
    let how = match go.how {
        Carried::Whole => return "it carries the files".to_owned(),
        Carried::Linked => "its text links to them",
        Carried::Named => "its text says that they exist",
        Carried::Unsaid => "its text says nothing of them",
    };
    match go.too_large_for {
        Some(most) => format!("the files are left out, because this channel takes {most} MiB; {how}"),
        None => format!("this channel carries no files; {how}"),
    }
}

fn result_line(result: &AttemptResult) -> String {
    match result {
        AttemptResult::Delivered { detail, .. } => format!("delivered: {detail}"),
        AttemptResult::Sent { detail, .. } => format!("sent: {detail}"),
        AttemptResult::Submitted { detail, .. } => format!("submitted: {detail}"),
        AttemptResult::Simulated { .. } => "simulated: nothing was sent".into(),
        AttemptResult::Failed(failure) => failure.to_string(),
        AttemptResult::Lost { words } => words.clone(),
        AttemptResult::Priced { result, .. } => result_line(result),
    }
}
