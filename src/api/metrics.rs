//! Prometheus metrics: counters folded from what becomes durable, gauges asked for at each look.
//!
//! Label values come from the config and from our own vocabulary, never from callers.

use super::Api;
use super::history::Facts;
use crate::domain::delivery::Status;
use crate::domain::event::{AttemptResult, EventKind, Frame};
use crate::domain::id::DeliveryId;
use crate::domain::time::Timestamp;
use crate::engine::{Ask, Caller, Read};
use crate::runtime::Handle;
use crate::runtime::Released;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
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
}

impl Metrics {
    /// # Errors
    /// A sentence, when the buckets are refused (they are constants).
    pub fn new() -> Result<Arc<Metrics>, String> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full("stentor_delivery_seconds".into()), &SECONDS)
            .map_err(|e| e.to_string())?
            .idle_timeout(MetricKindMask::GAUGE, Some(GAUGES_LIVE))
            .build_recorder();
        describe(&recorder);
        let handle = recorder.handle();
        Ok(Arc::new(Metrics { recorder, handle }))
    }

    /// Counts what becomes durable, for ever; ends with the loop. The receiver was subscribed before the
    /// loop began, so that nothing is missed.
    ///
    /// # Errors
    /// Never; the sentence is for the supervisor's sake.
    pub async fn run(self: Arc<Self>, handle: Handle, mut frames: Receiver<Released>) -> Result<(), String> {
        let mut fold = Fold::default();
        loop {
            match frames.recv().await {
                Ok(released) => {
                    fold.find_unknown(&handle, &released.frame).await;
                    metrics::with_local_recorder(&self.recorder, || fold.count(&released.frame));
                }
                Err(RecvError::Lagged(missed)) => metrics::with_local_recorder(&self.recorder, || {
                    counter!("stentor_metrics_missed_frames_total").increment(missed);
                }),
                Err(RecvError::Closed) => return Ok(()),
            }
        }
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
        describe_counter!("stentor_deliveries_total", "Deliveries that ended, by channel and final status.");
        describe_counter!("stentor_attempts_total", "Attempts that ended, by channel and outcome.");
        describe_counter!("stentor_metrics_missed_frames_total", "Decisions that the counters did not see.");
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
    let refused = gauges["config"]["refused"].as_bool().unwrap_or_default();
    gauge!("stentor_config_last_reload_successful").set(if refused { 0.0 } else { 1.0 });
    if let Some(at) = gauges["config"]["loaded_at_seconds"].as_f64() {
        gauge!("stentor_config_last_reload_success_timestamp_seconds").set(at);
    }
}

/// By which channel a delivery goes, and since when there is one.
struct UnderWay {
    chain: Vec<String>,
    at: usize,
    created_at: Timestamp,
}

#[derive(Default)]
struct Fold {
    deliveries: HashMap<DeliveryId, UnderWay>,
}

impl Fold {
    /// Deliveries from before the start are asked for once.
    async fn find_unknown(&mut self, handle: &Handle, frame: &Frame) {
        for event in &frame.events {
            let EventKind::DeliveryEnded { id, .. } = &event.head else { continue };
            let created = |e: &EventKind| matches!(e, EventKind::DeliveryCreated { id: new, .. } if new == id);
            if self.deliveries.contains_key(id) || frame.events.iter().any(|e| created(&e.head)) {
                continue;
            }
            let Ok(found) = handle.ask(Caller::engine(), Ask::Read(Read::Delivery(id.to_string()))).await else {
                continue;
            };
            let created_at = found["created_at"].as_str().and_then(|t| Timestamp::parse(t).ok());
            if let (Some(channel), Some(created_at)) = (found["via"].as_str(), created_at) {
                self.deliveries.insert(*id, UnderWay { chain: vec![channel.to_owned()], at: 0, created_at });
            }
        }
    }

    fn count(&mut self, frame: &Frame) {
        for event in &frame.events {
            match &event.head {
                EventKind::DeliveryCreated { id, chain, start, status, .. } => {
                    let delivery = UnderWay { chain: chain.clone(), at: *start, created_at: frame.at };
                    if status.is_end() {
                        ended(&delivery, *status, frame.at);
                    } else {
                        if self.deliveries.len() >= UNDER_WAY {
                            self.deliveries.clear();
                        }
                        self.deliveries.insert(*id, delivery);
                    }
                }
                EventKind::DeliveryMoved { id, at, .. } => {
                    if let Some(delivery) = self.deliveries.get_mut(id) {
                        delivery.at = *at;
                    }
                }
                EventKind::AttemptFinished { channel, result, .. } => {
                    counter!("stentor_attempts_total", "channel" => channel.clone(), "outcome" => outcome(result))
                        .increment(1);
                }
                EventKind::DeliveryEnded { id, status, .. } => {
                    if let Some(delivery) = self.deliveries.remove(id) {
                        ended(&delivery, *status, frame.at);
                    }
                }
                _ => {}
            }
        }
    }
}

fn ended(delivery: &UnderWay, status: Status, at: Timestamp) {
    let Some(channel) = delivery.chain.get(delivery.at).or(delivery.chain.first()) else { return };
    counter!("stentor_deliveries_total", "channel" => channel.clone(), "status" => status.as_str()).increment(1);
    if matches!(status, Status::Delivered | Status::Sent) {
        let took = (at - delivery.created_at).as_secs_f64().max(0.0);
        histogram!("stentor_delivery_seconds", "channel" => channel.clone()).record(took);
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
