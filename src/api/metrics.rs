//! Prometheus metrics: counters folded from what becomes durable, gauges asked for at each look.
//!
//! Label values come from the config and from our own vocabulary, never from callers.

use super::Api;
use super::callbacks::Outcome;
use super::history::Facts;
use crate::domain::clock;
use crate::domain::delivery::Status;
use crate::domain::event::{AttemptResult, EventKind, Frame, Priced};
use crate::domain::id::DeliveryId;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{AlertReport, Ask, Caller, Code, Read};
use crate::runtime::{Handle, Released};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// From creation to delivery; a page that takes ten minutes is late.
const SECONDS: [f64; 14] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0];
/// Gauges are set anew at each look; what is no longer set (a name that left the config) goes.
const GAUGES_LIVE: Duration = Duration::from_secs(5);
/// Deliveries under way whose creation is remembered.
const UNDER_WAY: usize = 100_000;

/// The counters, in a registry of their own.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Alerts that fire and alerts that are over, since they come in a rush; there from the first one on.
    firing: OnceLock<Counter>,
    resolved: OnceLock<Counter>,
}

impl Metrics {
    pub fn new() -> Metrics {
        let builder = || PrometheusBuilder::new().idle_timeout(MetricKindMask::GAUGE, Some(GAUGES_LIVE));
        let latency = Matcher::Full("stentor_delivery_seconds".into());
        // Only an empty list of buckets is refused.
        let builder = builder().set_buckets_for_metric(latency, &SECONDS).unwrap_or_else(|_| builder());
        let recorder = builder.build_recorder();
        describe(&recorder);
        let handle = recorder.handle();
        Metrics { recorder, handle, firing: OnceLock::new(), resolved: OnceLock::new() }
    }

    /// Counts what becomes durable; ends with the loop.
    pub async fn run(&self, handle: &Handle, mut frames: Receiver<Released>) {
        let mut fold = Fold::default();
        loop {
            match frames.recv().await {
                Ok(released) => {
                    fold.find_unknown(handle, &released.frame).await;
                    metrics::with_local_recorder(&self.recorder, || fold.count(&released.frame));
                }
                Err(RecvError::Lagged(missed)) => metrics::with_local_recorder(&self.recorder, || {
                    counter!("stentor_metrics_missed_frames_total").increment(missed);
                }),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// What a request reported: these, and so many that were refused.
    pub fn alerts_came(&self, alerts: &[AlertReport], refused: usize) {
        let now = clock::wall();
        let resolved = alerts.iter().filter(|alert| alert.ends_at.is_some_and(|at| at <= now)).count();
        let counted = [("firing", &self.firing, alerts.len() - resolved), ("resolved", &self.resolved, resolved)];
        for (status, known, n) in counted.into_iter().filter(|(.., n)| *n > 0) {
            let new = || counter!("alertmanager_alerts_received_total", "status" => status, "version" => "v2");
            known.get_or_init(|| metrics::with_local_recorder(&self.recorder, new)).increment(n as u64);
        }
        if refused > 0 {
            metrics::with_local_recorder(&self.recorder, || {
                counter!("alertmanager_alerts_invalid_total", "version" => "v2").increment(refused as u64);
            });
        }
    }

    /// A request was answered with an error.
    pub fn refused(&self, code: Code) {
        metrics::with_local_recorder(&self.recorder, || {
            counter!("stentor_requests_refused_total", "code" => code.as_str()).increment(1);
        });
    }

    /// A provider has called.
    pub fn callback(&self, provider: &'static str, outcome: Outcome) {
        metrics::with_local_recorder(&self.recorder, || {
            counter!("stentor_callbacks_total", "provider" => provider, "outcome" => outcome.as_str()).increment(1);
        });
    }

    /// The text for a scrape.
    pub async fn render(&self, api: &Api) -> String {
        let gauges = api.handle.ask(Caller::engine(), Ask::Read(Read::Gauges)).await;
        let facts = api.history.facts();
        metrics::with_local_recorder(&self.recorder, || {
            gauge!("stentor_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            set_ledger(&facts);
            if let Ok(gauges) = &gauges {
                set_state(gauges);
            }
        });
        self.handle.run_upkeep();
        self.handle.render()
    }
}

fn describe(recorder: &PrometheusRecorder) {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    metrics::with_local_recorder(recorder, || {
        describe_counter!(
            "stentor_deliveries_total",
            "Ends of deliveries, by the channel asked for and status; what is requeued ends again."
        );
        describe_counter!("stentor_callbacks_total", "Calls of providers, by what became of them.");
        describe_counter!("stentor_attempts_total", "Attempts that ended, by the channel they went by and outcome.");
        describe_counter!("stentor_spent_millionths_total", "What attempts cost, in millionths of the currency.");
        describe_counter!(
            "stentor_segments_total",
            "Parts of texts, and started minutes of calls, that cost something."
        );
        describe_counter!("stentor_requests_refused_total", "Requests that were not accepted, by code.");
        describe_counter!("stentor_metrics_missed_frames_total", "Decisions that the counters did not see.");
        describe_counter!("alertmanager_alerts_received_total", "Alerts that were reported, by status.");
        describe_counter!("alertmanager_alerts_invalid_total", "Alerts that were reported and refused as malformed.");
        describe_counter!("stentor_alerts_unrated_total", "Alerts whose labels do not say a level that is known.");
        describe_histogram!("stentor_delivery_seconds", "From creation to delivery, by channel.");
        describe_gauge!("stentor_queue_pending", "Deliveries that have not ended.");
        describe_gauge!("stentor_queue_waiting", "Deliveries that wait for their channel.");
        describe_gauge!("stentor_queue_dead", "Dead letters.");
        describe_gauge!("stentor_incidents", "Incidents that are not resolved, by status and level.");
        describe_gauge!("stentor_heartbeat_up", "1 when the heartbeat is well, 0 when it fails or is late.");
        describe_gauge!("stentor_config_last_reload_successful", "1 when the config on disk is in force.");
        describe_gauge!("stentor_config_last_reload_success_timestamp_seconds", "When the config in force was loaded.");
        describe_gauge!("stentor_ledger_events", "Events in the ledger.");
        describe_gauge!("stentor_ledger_durable_seq", "The last event that is durable.");
        describe_gauge!("stentor_ledger_applied_seq", "The last event that the history has.");
        describe_gauge!("stentor_build_info", "The version, as a label.");
    });
}

fn set_ledger(facts: &Facts) {
    gauge!("stentor_ledger_events").set(facts.events as f64);
    gauge!("stentor_ledger_durable_seq").set(facts.durable_seq as f64);
    gauge!("stentor_ledger_applied_seq").set(facts.applied_seq as f64);
}

fn set_state(gauges: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    gauge!("stentor_queue_pending").set(number(&gauges["queue"]["pending"]));
    gauge!("stentor_queue_waiting").set(number(&gauges["queue"]["waiting"]));
    gauge!("stentor_queue_dead").set(number(&gauges["queue"]["dead"]));
    for status in ["open", "acknowledged"] {
        for level in ["low", "normal", "high", "urgent"] {
            gauge!("stentor_incidents", "status" => status, "level" => level)
                .set(number(&gauges["incidents"][status][level]));
        }
    }
    for (name, status) in gauges["heartbeats"].as_object().into_iter().flatten() {
        let up = match status.as_str() {
            Some("ok") => 1.0,
            Some("failing" | "late") => 0.0,
            _ => continue,
        };
        gauge!("stentor_heartbeat_up", "name" => name.clone()).set(up);
    }
    for hook in gauges["hooks"].as_array().into_iter().flatten() {
        let Some(name) = hook["name"].as_str() else { continue };
        let failing = if hook["status"] == "failing" { 1.0 } else { 0.0 };
        gauge!("stentor_hook_failing", "hook" => name.to_owned()).set(failing);
        gauge!("stentor_hook_seq", "hook" => name.to_owned()).set(hook["seq"].as_f64().unwrap_or_default());
        gauge!("stentor_hook_refused", "hook" => name.to_owned()).set(hook["refused"].as_f64().unwrap_or_default());
    }
    let refused = gauges["config"]["refused"].as_bool().unwrap_or_default();
    gauge!("stentor_config_last_reload_successful").set(if refused { 0.0 } else { 1.0 });
    if let Some(at) = gauges["config"]["loaded_at_seconds"].as_f64() {
        gauge!("stentor_config_last_reload_success_timestamp_seconds").set(at);
    }
}

/// Deliveries that have not ended: the channel asked for, and since when there is one.
#[derive(Default)]
struct Fold {
    under_way: HashMap<DeliveryId, (String, Timestamp)>,
    known: Known,
}

/// Counters that were used before, by channel: finding one in the registry costs more than counting.
#[derive(Default)]
struct Known(HashMap<String, Counters>);

#[derive(Default)]
struct Counters {
    attempts: HashMap<&'static str, Counter>,
    ends: HashMap<&'static str, Counter>,
    seconds: Option<Histogram>,
}

impl Fold {
    /// Deliveries from before the start are asked for once.
    async fn find_unknown(&mut self, handle: &Handle, frame: &Frame) {
        for event in &frame.events {
            let EventKind::DeliveryEnded { id, .. } = &event.head else { continue };
            let created = |e: &EventKind| matches!(e, EventKind::DeliveryCreated { id: new, .. } if new == id);
            if self.under_way.contains_key(id) || frame.events.iter().any(|e| created(&e.head)) {
                continue;
            }
            let read = Ask::Read(Read::Delivery(id.to_string()));
            let Ok(found) = handle.ask(Caller::engine(), read).await else { continue };
            let created_at = found["created_at"].as_str().and_then(|t| Timestamp::parse(t).ok());
            if let (Some(channel), Some(created_at)) = (found["channel"].as_str(), created_at) {
                self.under_way.insert(*id, (channel.to_owned(), created_at));
            }
        }
    }

    fn count(&mut self, frame: &Frame) {
        for event in &frame.events {
            match &event.head {
                EventKind::DeliveryCreated { id, chain, status, .. } => {
                    let channel = chain.first().cloned().unwrap_or_default();
                    if status.is_end() {
                        self.known.ended(&channel, *status, None);
                        continue;
                    }
                    if self.under_way.len() >= UNDER_WAY {
                        self.under_way.clear();
                    }
                    self.under_way.insert(*id, (channel, frame.at));
                }
                EventKind::DeliveryPriced(priced) => spent(priced),
                EventKind::AlertReported(report) if report.unrated => {
                    counter!("stentor_alerts_unrated_total").increment(1);
                }
                EventKind::AttemptFinished { channel, result, .. } => {
                    self.known.attempted(channel, outcome(result));
                }
                EventKind::DeliveryEnded { id, status, .. } => {
                    if let Some((channel, created_at)) = self.under_way.remove(id) {
                        self.known.ended(&channel, *status, Some(frame.at - created_at));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Known {
    fn of(&mut self, channel: &str) -> &mut Counters {
        self.0.entry(channel.to_owned()).or_default()
    }

    fn attempted(&mut self, channel: &str, outcome: &'static str) {
        let new = || counter!("stentor_attempts_total", "channel" => channel.to_owned(), "outcome" => outcome);
        self.of(channel).attempts.entry(outcome).or_insert_with(new).increment(1);
    }

    fn ended(&mut self, channel: &str, status: Status, took: Option<Span>) {
        let known = self.of(channel);
        let status_word = status.as_str();
        let new = || counter!("stentor_deliveries_total", "channel" => channel.to_owned(), "status" => status_word);
        known.ends.entry(status_word).or_insert_with(new).increment(1);
        if let Some(took) = took.filter(|_| matches!(status, Status::Delivered | Status::Sent)) {
            let new = || histogram!("stentor_delivery_seconds", "channel" => channel.to_owned());
            known.seconds.get_or_insert_with(new).record(took.as_secs_f64().max(0.0));
        }
    }
}

/// A counter cannot go back: where the provider's own price is less, the first one stays counted.
fn spent(priced: &Priced) {
    for money in priced.changes() {
        let labels = [("channel", &priced.channel), ("provider", &priced.provider), ("currency", &money.currency)];
        let labels: Vec<(String, String)> = labels.map(|(name, value)| (name.to_owned(), value.clone())).into();
        let millionths = u64::try_from(money.amount.0).unwrap_or_default();
        counter!("stentor_spent_millionths_total", &labels).increment(millionths);
    }
    if priced.instead.is_none() {
        counter!("stentor_segments_total", "channel" => priced.channel.clone()).increment(priced.segments.into());
    }
}

/// A delivery status, or the class of the failure.
fn outcome(result: &AttemptResult) -> &'static str {
    match result {
        AttemptResult::Failed(failure) => failure.class.as_str(),
        AttemptResult::Lost { .. } => "lost",
        success => success.success().map_or("lost", Status::as_str),
    }
}
