//! Watches: a value crosses a threshold, and an incident opens; it comes back, and it ends.

use super::due::come;
use super::incident::Opening;
use super::labels::type_or;
use super::refusal::{Answer, Code, Refusal};
use super::state::Metric;
use super::turn::{Turn, refuse};
use crate::config::{Rule, Watch};
use crate::domain::Labels;
use crate::domain::event::{EventKind, Gone, Payload, WatchStatus};
use crate::domain::time::Span;
use crate::domain::who::Who;

/// The built-in rules are looked at this often.
const LOOK: Span = Span::secs(30);
/// Names of metrics that are remembered, beside those that a watch is about.
const METRICS: usize = if cfg!(test) { 100 } else { 10_000 };
/// One that was not set for so long gives its place to another one.
const IDLE: Span = Span::days(1);
/// Unchanged values are written down this often at the most.
const SEEN_EVERY: Span = Span::mins(1);

/// The value of a built-in rule, and whether it is beyond its threshold.
pub(super) struct Measured {
    pub value: f64,
    pub breached: bool,
    pub detail: String,
}

impl Turn<'_> {
    pub fn set_metric(&mut self, name: &str, value: f64) -> Answer {
        if !value.is_finite() {
            return refuse(Refusal::field("value", "a value is a finite number"));
        }
        if name.is_empty() || name.len() > 200 || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse(Refusal::field("name", "a metric's name has 1 to 200 characters without blanks"));
        }
        self.make_room_for(name)?;
        self.agenda.unseen.insert(name.to_owned(), Metric { value, at: self.wall });
        self.agenda.unseen_due.get_or_insert(self.now + SEEN_EVERY);
        let (config, before) = (self.config, self.decided());
        for watch in config.watches.values().filter(|w| w.rule.metric() == Some(name)) {
            self.judge(watch, value);
        }
        // Whoever asks for it after a crash hears an old value rather than that there is none; what was acted on is
        // known as long as that is.
        if self.decided() != before || !self.state.metrics.contains_key(name) {
            self.write_down_metrics();
        }
        self.pump();
        self.metric_view(name)
    }

    /// New names come from outside, in any number; what a watch waits for is always taken.
    fn make_room_for(&mut self, name: &str) -> Result<(), Refusal> {
        let watched = |name: &str| self.config.watches.values().any(|w| w.rule.metric() == Some(name));
        // A new name is recorded at once, so these are all.
        let known = &self.state.metrics;
        if known.contains_key(name) || known.len() < METRICS || watched(name) {
            return Ok(());
        }
        let idle = |m: &&Metric| m.at + IDLE <= self.wall;
        let seen = |name: &String| self.metric(name);
        let oldest = known.keys().filter(|name| !watched(name)).filter_map(|name| Some((seen(name)?, name)));
        let oldest = oldest.filter(|(m, _)| idle(&m)).min_by_key(|(m, _)| m.at).map(|(_, name)| name.clone());
        match oldest {
            Some(name) => {
                self.emit(EventKind::MetricForgotten(Gone { name }));
                Ok(())
            }
            None => {
                let words = "metrics were set within a day; no further name is taken but those that a watch is about";
                refuse(Refusal::new(Code::RateLimited, format!("{METRICS} {words}")))
            }
        }
    }

    /// After a reload: what was said before, by these rules as they are now. What somebody ended by hand stays ended.
    pub fn judge_anew(&mut self, names: &[String]) {
        let config = self.config;
        for watch in names.iter().filter_map(|name| config.watches.get(name)) {
            let Some(value) = watch.rule.metric().and_then(|name| self.metric(name)).map(|m| m.value) else { continue };
            let breached = beyond(&watch.rule, value).is_some_and(|(breached, _)| breached);
            let known = self.state.watches.get(&watch.name).is_some_and(|w| w.status == WatchStatus::Breached);
            let ended = known && self.state.live_incident(&fingerprint(&watch.name)).is_none();
            if !(breached && ended) {
                self.judge(watch, value);
            }
        }
    }

    fn judge(&mut self, watch: &Watch, value: f64) {
        if let Some((breached, cleared)) = beyond(&watch.rule, value) {
            self.set_watch(watch, breached, cleared, value, describe(&watch.rule, value));
        }
    }

    /// Between threshold and clearing value the status stays as it was.
    fn set_watch(&mut self, watch: &Watch, breached: bool, cleared: bool, value: f64, detail: String) {
        let before = self.state.watches.get(&watch.name).map_or(WatchStatus::NoData, |w| w.status);
        let status = match before {
            _ if breached => WatchStatus::Breached,
            WatchStatus::Breached if !cleared => WatchStatus::Breached,
            _ => WatchStatus::Ok,
        };
        if status != before {
            let name = watch.name.clone();
            self.emit(EventKind::WatchChanged { name, status, value: Some(value), detail: detail.clone() });
        }
        let open = self.state.live_incident(&fingerprint(&watch.name)).map(|i| i.level);
        match status {
            // Also when somebody resolved it by hand and nothing is better; and at a level that a reload has raised.
            WatchStatus::Breached if breached && open.is_none_or(|level| level < watch.incident.level) => {
                self.open_watch(watch, detail);
            }
            WatchStatus::Ok if open.is_some() => self.close_watch(watch, &detail),
            _ => {}
        }
    }

    fn open_watch(&mut self, watch: &Watch, detail: String) {
        let mut terms = watch.incident.clone();
        terms.kind_of = Some(type_or(&terms.kind_of, &terms.labels, watch.rule.kind()));
        let once = !watch.tiers.is_empty();
        if once {
            terms.to = Some(watch.tiers.iter().map(|t| Who::Tier(t.clone())).collect());
        }
        let subject = match &watch.rule {
            Rule::Capacity { deal, .. } => format!("{deal}: {detail}"),
            _ => format!("{}: {detail}", watch.name),
        };
        let mut annotations = Labels::new();
        if let Rule::Capacity { deal, .. } = &watch.rule {
            terms.labels.insert("deal".into(), deal.clone());
            annotations.insert("deal".into(), deal.clone());
        }
        let body = format!("Watch {}: {detail}.", watch.name);
        self.open(Opening {
            fingerprint: fingerprint(&watch.name),
            source: "watch",
            name: Some(watch.name.clone()),
            opened_by: format!("watch {}", watch.name),
            payload: Payload { subject, body, annotations, ..Payload::default() },
            terms,
            about: None,
            once,
            tenant: None,
            alert: None,
        });
    }

    fn close_watch(&mut self, watch: &Watch, detail: &str) {
        if let Some(id) = self.state.live_incident(&fingerprint(&watch.name)).map(|i| i.id) {
            let because = format!("watch {} is well again: {detail}", watch.name);
            self.resolve(id, &format!("watch {}", watch.name), &because, None);
        }
    }

    // ---- the built-in rules

    pub fn plan_rules(&mut self) {
        let built_in = self.config.watches.values().any(|w| w.rule.metric().is_none());
        self.agenda.rates = built_in.then(|| self.agenda.rates.unwrap_or(self.now + LOOK));
    }

    /// Looks at rates and queues, and writes down values that changed nothing.
    pub fn rules_due(&mut self) {
        if come(self.agenda.unseen_due, self.now) {
            self.write_down_metrics();
        }
        if !come(self.agenda.rates, self.now) {
            return;
        }
        self.agenda.rates = Some(self.now + LOOK);
        let config = self.config;
        for watch in config.watches.values() {
            self.judge_built_in(watch);
        }
    }

    /// Last values that changed nothing, in one event.
    pub fn write_down_metrics(&mut self) {
        self.agenda.unseen_due = None;
        let values = std::mem::take(&mut self.agenda.unseen);
        if !values.is_empty() {
            self.emit(EventKind::MetricsSeen { values: values.into_iter().map(|(name, m)| (name, m.value)).collect() });
        }
    }

    fn judge_built_in(&mut self, watch: &Watch) {
        let Some(Measured { value, mut breached, detail }) = self.measured(&watch.rule) else { return };
        if matches!(watch.rule, Rule::LowProcessingRate { .. }) {
            // At two looks in a row: what came a moment ago could not have been done.
            let waits = self.waits(&watch.rule);
            breached &= self.agenda.waited;
            self.agenda.waited = waits;
        }
        self.set_watch(watch, breached, !breached, value, detail);
    }

    /// What a built-in rule sees at this moment.
    pub(super) fn measured(&self, rule: &Rule) -> Option<Measured> {
        match rule {
            Rule::FailureRate { over, above, least } => {
                let (delivered, failed, _) = self.state.rates.since(self.now - *over);
                let all = delivered + failed;
                let value = if all == 0 { 0.0 } else { failed as f64 / all as f64 };
                let breached = all >= *least && value > *above;
                let detail = format!("{failed} of {all} deliveries failed in {over} ({:.0} %)", value * 100.0);
                Some(Measured { value, breached, detail })
            }
            Rule::QueueOverflow { above } => {
                let pending = self.state.pending() as u64;
                let detail = format!("{pending} deliveries pending, over {above} is too many");
                Some(Measured { value: pending as f64, breached: pending > *above, detail })
            }
            Rule::LowProcessingRate { below } => {
                let (_, _, ended) = self.state.rates.since(self.now - Span::mins(1));
                let work = self.state.to_be_sent();
                let detail = format!("{ended} deliveries ended in a minute while {work} waited");
                Some(Measured { value: ended as f64, breached: self.waits(rule) && ended < *below, detail })
            }
            _ => None,
        }
    }

    /// A few that wait for a broken channel are no jam: as many must wait as should have been done.
    fn waits(&self, rule: &Rule) -> bool {
        matches!(rule, Rule::LowProcessingRate { below } if self.state.to_be_sent() as u64 >= *below)
    }

    pub fn metric(&self, name: &str) -> Option<Metric> {
        self.agenda.unseen.get(name).or_else(|| self.state.metrics.get(name)).copied()
    }

    pub fn metric_view(&self, name: &str) -> Answer {
        match self.metric(name) {
            Some(m) => Ok(serde_json::json!({ "name": name, "value": m.value, "value_at": self.time(m.at) })),
            None => {
                let message = format!("no metric {name:?} was set");
                refuse(Refusal { field: Some("name".into()), ..Refusal::new(Code::NotFound, message) })
            }
        }
    }
}

/// By the rules over pushed values (below, above, capacity): whether one is beyond its threshold, and whether well again.
fn beyond(rule: &Rule, value: f64) -> Option<(bool, bool)> {
    match rule {
        Rule::Capacity { below, clear_above, .. } | Rule::Below { below, clear_above, .. } => {
            Some((value < *below, value >= *clear_above))
        }
        Rule::Above { above, clear_below, .. } => Some((value > *above, value <= *clear_below)),
        _ => None,
    }
}

pub(crate) fn fingerprint(name: &str) -> String {
    format!("watch/{name}")
}

pub(crate) fn describe(rule: &Rule, value: f64) -> String {
    // Four places may hide on which side of its threshold it is.
    let v = match rule {
        Rule::Capacity { below: at, .. } | Rule::Below { below: at, .. } | Rule::Above { above: at, .. }
            if value != *at && number(value) == number(*at) =>
        {
            value.to_string()
        }
        _ => number(value),
    };
    match rule {
        Rule::Capacity { below, .. } => format!("{v} remaining, threshold {}", number(*below)),
        Rule::Below { metric, below, .. } => format!("{metric} is {v}, below {} is too low", number(*below)),
        Rule::Above { metric, above, .. } => format!("{metric} is {v}, above {} is too high", number(*above)),
        _ => v,
    }
}

/// `400000`, `0.35`: as people write it, at most four places; `1e308` where nobody would write it out.
pub(crate) fn number(value: f64) -> String {
    if value.abs() >= 1e15 {
        format!("{value:e}")
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}
