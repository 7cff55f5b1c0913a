//! Incidents as documents.

use super::ROWS;
use super::delivery::attachment_rows;
use crate::domain::delivery::Status;
use crate::domain::event::{Next, NextWhat};
use crate::domain::id::IncidentId;
use crate::engine::plan::Terms;
use crate::engine::refusal::Answer;
use crate::engine::state::{Delivery, Incident, IncidentStatus, Notified};
use crate::engine::turn::Turn;
use serde_json::{Value, json};

impl Turn<'_> {
    pub(crate) fn incident(&self, i: &Incident) -> Value {
        let held = i.silenced_by.is_some();
        let silence = self.silences_of(&i.labels).filter(|_| held).max_by_key(|s| s.ends);
        let next = match (i.status, silence) {
            // At its end it begins anew.
            (IncidentStatus::Open, Some(s)) => Some(Next { due: s.ends, what: NextWhat::Restart }),
            (IncidentStatus::Acknowledged, _) => i.next,
            _ => i.next.filter(|_| i.is_calling()),
        };
        let mut view = json!({
            "number": i.number,
            "id": i.id,
            "fingerprint": i.fingerprint,
            "level": i.level,
            "type": i.kind_of,
            "subject": i.content.subject,
            "body": i.content.body,
            "status": i.status,
            "count": i.count,
            "opened_at": self.time(i.opened_at),
            "opened_by": i.opened_by,
            "acknowledged_by": i.acknowledged_by,
            "acknowledged_at": self.time_or_null(i.acknowledged_at),
            "resolved_at": self.time_or_null(i.resolved_at),
            "resolved_by": i.resolved_by,
            "because": i.because,
            "policy": i.policy,
            "step": i.fired.map(|(_, s)| s + 1),
            "round": i.fired.map(|(r, _)| r + 1),
            "rounds": rounds(i),
            "next": next.map(|n| self.next(i, n)),
            "labels": i.labels,
            "silenced_by": i.silenced_by,
            "silenced_until": silence.map(|s| self.due(s.ends)),
            "snoozed_until": i.snoozed_until.map(|t| self.due(t)),
            "notified": self.notified(i),
        });
        if !i.content.attachments.is_empty() {
            view["attachments"] = json!(attachment_rows(&i.content));
        }
        if let Some(place) = &i.content.more {
            view["more"] = json!(place);
        }
        view
    }

    fn next(&self, i: &Incident, next: Next) -> Value {
        let policy = self.policy_of(i);
        let step = match next.what {
            NextWhat::Step { step, .. } => policy.and_then(|p| p.steps.get(step as usize)),
            NextWhat::Reminder => policy.and_then(|p| p.steps.last()),
            NextWhat::Opening | NextWhat::Restart => policy.and_then(|p| p.steps.first()),
        };
        let level = self.config.levels.get(&i.level);
        let Terms { channels, to, .. } = match policy {
            Some(_) => self.step_terms(i, step),
            None => self.remaining(Terms { channels: i.channels.clone(), to: i.to.clone(), ..Terms::default() }),
        };
        let channels = channels.or_else(|| level.map(|l| l.channels.clone()));
        let to = to.or_else(|| level.and_then(|l| l.to.clone()));
        let (what, round, step) = match next.what {
            NextWhat::Step { round, step } => ("step", Some(round + 1), Some(step + 1)),
            NextWhat::Reminder => ("reminder", None, None),
            NextWhat::Opening => ("opening", None, None),
            NextWhat::Restart => ("restart", None, None),
        };
        json!({
            "at": self.due(next.due),
            "to": to.unwrap_or_default(),
            "channels": channels.unwrap_or_default(),
            "what": what,
            "round": round,
            "step": step,
        })
    }

    /// Who was told, by what, and how it went; in order of time.
    fn notified(&self, i: &Incident) -> Vec<Value> {
        let mut rows = Vec::new();
        for id in &i.notifications {
            match self.state.notifications.get(id) {
                Some(n) if n.origin.is_notice() => {}
                Some(n) => {
                    let deliveries = n.deliveries.iter().filter_map(|d| self.state.deliveries.get(d));
                    rows.extend(deliveries.map(|d| self.told_by(d)));
                }
                None => {
                    let left = i.notified.iter().filter(|n| n.notification == *id && !n.notice);
                    rows.extend(left.map(|n| self.was_told(n)));
                }
            }
        }
        rows
    }

    fn told_by(&self, d: &Delivery) -> Value {
        let asked = d.chain.first();
        let via = (asked.map(String::as_str) != Some(d.channel())).then(|| d.channel());
        let waits = matches!(d.status, Status::Backoff | Status::Waiting | Status::Unknown);
        json!({
            "who": d.who.as_ref().or(d.address.as_ref()),
            "channel": asked,
            "status": self.shown_status(d),
            "at": self.time(d.sent_at.or(d.ended_at).unwrap_or(d.created_at)),
            "via": via,
            "reason": if waits { d.detail.as_deref() } else { d.reason.as_deref() },
        })
    }

    fn was_told(&self, n: &Notified) -> Value {
        json!({
            "who": n.who.as_ref().or(n.address.as_ref()),
            "channel": n.channel,
            "status": n.status,
            "at": self.time(n.at),
            "via": n.via,
            "reason": n.reason,
        })
    }

    pub(crate) fn incidents_view(&self, ids: &[IncidentId]) -> Answer {
        let rows: Vec<Value> =
            ids.iter().filter_map(|id| self.state.incidents.get(id)).map(|i| self.incident(i)).collect();
        Ok(json!({ "incidents": rows, "next_cursor": null }))
    }

    /// Open ones, or all at hand; newest first. The cursor is the id of the last row.
    pub(crate) fn incidents_list(&self, all: bool, before: Option<IncidentId>) -> Value {
        let wanted = |i: &&Incident| (all || i.is_live()) && before.is_none_or(|id| i.id < id);
        let mut found: Vec<&Incident> = self.state.incidents.values().filter(wanted).collect();
        found.sort_by_key(|i| std::cmp::Reverse(i.id));
        let next = (found.len() > ROWS).then(|| found[ROWS - 1].id);
        let rows: Vec<Value> = found.into_iter().take(ROWS).map(|i| self.incident(i)).collect();
        json!({ "incidents": rows, "next_cursor": next })
    }
}

/// All of them: those of the policy, and what somebody or an earlier config has begun or is about to.
fn rounds(i: &Incident) -> u32 {
    let begun = i.fired.map_or(0, |(round, _)| round + 1);
    let coming = match i.next {
        Some(Next { what: NextWhat::Step { round, .. }, .. }) => round + 1,
        _ => 0,
    };
    i.rounds.max(begun).max(coming)
}
