//! Alerts from outside: an incident for each, as long as its source reports it.
//!
//! Who an alert is, its labels say. A report of one that is open is counted and pushes its end on;
//! one whose end has come resolves it, and so does the clock when no report comes in time. Nothing
//! is remembered of an end that nobody was told the beginning of. What arrives later counts.

use super::incident::Opening;
use super::refusal::{Answer, Code, Refusal};
use super::report::{AlertReport, FirstReport, Reports};
use super::request::has_room;
use super::state::fingerprint_of;
use super::turn::{Turn, done, refuse};
use crate::config::{Alertmanager, IncidentTerms};
use crate::domain::Labels;
use crate::domain::event::{AlertReported, AlertsAwaited, EventKind, Payload};
use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Timestamp};

/// Alerts that are open at the most.
pub(crate) const OPEN: usize = 250_000;
/// The last tenth is for urgent ones.
const NOT_URGENT: usize = OPEN / 10 * 9;
/// Letters of a subject.
const SUBJECT: usize = 1_000;
/// Why an alert ended that its source did not end.
pub(crate) const NO_LONGER_REPORTED: &str = "no longer reported";

impl Turn<'_> {
    /// Takes each by itself; what does not fit is not there, and the others are.
    pub fn report(&mut self, reports: Reports) -> Answer {
        let mut left_out = 0;
        for report in reports.alerts {
            if !self.report_one(report) {
                left_out += 1;
            }
        }
        if left_out > 0 {
            let message = format!(
                "at most {OPEN} alerts are open ({NOT_URGENT} of what is not urgent), with so much text and so many deliveries as fit: {left_out} of these were not taken"
            );
            return refuse(Refusal::new(Code::RateLimited, message).retry_after(60));
        }
        done()
    }

    /// `false`: there is no room for it.
    fn report_one(&mut self, report: AlertReport) -> bool {
        let ended = report.ends_at.is_some_and(|at| at <= self.wall);
        match self.state.live_alert(report.fingerprint) {
            Some(id) if ended => {
                // What it says at its end is what the notice of the end says.
                let before = self.state.incidents.get(&id).map(|i| &i.content.annotations);
                if !report.annotations.is_empty() && before.is_some_and(|before| *before != report.annotations) {
                    self.heard_again(id, report);
                }
                let by = self.by.name.clone();
                self.resolve(id, &by, "its source says that it is over", None);
            }
            Some(id) => self.report_again(id, report),
            None if ended => {}
            None => return self.open_alert(report),
        }
        true
    }

    /// When it ends, as the source says or by the clock.
    fn end_of(&self, report: &AlertReport) -> (Timestamp, EngineTime) {
        let ends_at = report.ends_at.unwrap_or(self.wall + self.config.alertmanager.resolve_timeout);
        (ends_at, self.state.engine_time(ends_at))
    }

    fn report_again(&mut self, id: IncidentId, report: AlertReport) {
        let rules = &self.config.alertmanager;
        let level = rules.level_of(&report.labels).unwrap_or(rules.otherwise);
        self.heard_again(id, report);
        if self.state.incidents.get(&id).is_some_and(|i| level > i.level) {
            self.raise(id, level, terms(level, Labels::new()));
        }
    }

    /// Its times and its text as they are now.
    fn heard_again(&mut self, id: IncidentId, report: AlertReport) {
        let rules = &self.config.alertmanager;
        let Some(i) = self.state.incidents.get(&id) else { return };
        let (ends_at, due) = self.end_of(&report);
        let old = i.alert.as_ref();
        let starts_at = old.map_or(self.wall, |a| a.starts_at);
        let url = Some(&report.generator_url).filter(|url| old.is_none_or(|a| a.generator_url != *url.as_str()));
        let head = EventKind::AlertReported(AlertReported {
            id,
            starts_at,
            ends_at,
            due,
            generator_url: url.cloned(),
            kept: Vec::new(),
            unrated: false,
        });
        if i.content.annotations == report.annotations {
            self.emit(head);
        } else {
            self.emit_with(head, payload(rules, &report.labels, report.annotations));
        }
    }

    fn open_alert(&mut self, report: AlertReport) -> bool {
        let rules = &self.config.alertmanager;
        let said = rules.level_of(&report.labels);
        let level = said.unwrap_or(rules.otherwise);
        let room = if level == Level::Urgent { OPEN } else { NOT_URGENT };
        if self.state.open_alerts() >= room || self.has_room(level).is_err() {
            return false;
        }
        let (ends_at, due) = self.end_of(&report);
        let starts_at = report.starts_at.or(report.ends_at).unwrap_or(self.wall);
        let name = report.labels.get("alertname").map(str::to_owned);
        if !has_room(self.state.text_bytes() + report.annotations.bytes() as u64, level, "") {
            return false;
        }
        let payload = payload(rules, &report.labels, report.annotations);
        let mut terms = terms(level, report.labels);
        terms.kind_of = terms.labels.get("type").or(name.as_deref()).map(str::to_owned);
        self.open_anew(Opening {
            fingerprint: fingerprint_of(report.fingerprint),
            source: "alert",
            name,
            opened_by: self.by.name.clone(),
            payload,
            terms,
            about: None,
            once: false,
            tenant: None,
            alert: Some(FirstReport {
                starts_at,
                ends_at,
                due,
                generator_url: report.generator_url,
                unrated: said.is_none(),
            }),
        });
        true
    }

    /// It was not reported again in time.
    pub fn alert_lapsed(&mut self, id: IncidentId) {
        if self.agenda.emergency {
            // What is refused cannot be reported.
            return self.await_alerts(self.now + self.config.alertmanager.resolve_timeout);
        }
        let by = self.state.incidents.get(&id).map(|i| i.opened_by.clone()).unwrap_or_default();
        self.resolve(id, &by, NO_LONGER_REPORTED, None);
    }

    /// No source could be heard: alerts that would be over by then are not over before.
    pub fn await_alerts(&mut self, until: EngineTime) {
        if self.state.alerts_due_before(until) {
            self.emit(EventKind::AlertsAwaited(AlertsAwaited { until }));
        }
    }
}

/// An alert says its level and nothing else; all the rest is by level.
fn terms(level: Level, labels: Labels) -> IncidentTerms {
    IncidentTerms { level, kind_of: None, policy: None, to: None, channels: None, labels }
}

/// Subject and body are annotations; all of them go along.
fn payload(rules: &Alertmanager, labels: &Labels, annotations: Labels) -> Payload {
    let said = |names: [&str; 2]| {
        names.into_iter().filter_map(|name| annotations.get(name)).find(|text| !text.trim().is_empty())
    };
    let subject = said(["summary", "title"]).or_else(|| labels.get("alertname"));
    let subject = subject.map_or_else(|| shown(labels), str::to_owned);
    let mut body = said(["description", "message"]).unwrap_or_default().to_owned();
    if rules.level_of(labels).is_none() {
        let why = match labels.get(&rules.level_label) {
            None => format!("the alert has no label {}", rules.level_label),
            Some(word) => format!("{} \"{word}\" is no level that is known", rules.level_label),
        };
        let gap = if body.is_empty() { "" } else { "\n\n" };
        body.push_str(&format!("{gap}(Level {}, because {why}.)", rules.otherwise));
    }
    let subject = match subject.char_indices().nth(SUBJECT) {
        Some((at, _)) => subject[..at].to_owned(),
        None => subject,
    };
    Payload { subject, body, annotations, ..Payload::default() }
}

/// `instance=a, job=b`
fn shown(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().take(4).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(", ")
}
