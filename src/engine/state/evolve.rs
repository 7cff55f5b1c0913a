//! One event changes the state. Total: never a panic, never an error.

use super::State;
use super::entity::*;
use crate::domain::delivery::Status;
use crate::domain::event::{Event, EventKind, HeartbeatStatus, Payload};
use crate::domain::time::Timestamp;

impl State {
    /// Folds one event that happened at `at` (wall clock).
    pub fn evolve(&mut self, at: Timestamp, event: &Event) {
        self.last_at = at;
        let known = self.apply(at, &event.head, event.payload.as_deref());
        if !known {
            self.skipped_events += 1;
        }
    }

    fn apply(&mut self, at: Timestamp, head: &EventKind, payload: Option<&Payload>) -> bool {
        use EventKind::*;
        match head {
            Started { .. } => self.fold_started(),
            ConfigApplied { hash, kept, .. } => {
                self.config =
                    ConfigState { hash: hash.clone(), loaded_at: Some(at), kept: *kept, ..Default::default() };
            }
            ConfigRefused { errors, .. } => {
                self.config.refused_at = Some(at);
                self.config.errors = errors.clone();
            }
            ClockStepped { by } => self.offset = self.offset + *by,
            MetricsSeen { values } => self.metrics.extend(values.iter().map(|(k, v)| (k.clone(), *v))),

            NotificationAccepted { .. } => self.fold_notification(at, head, payload),
            DeliveryCreated { .. } => return self.fold_delivery(at, head, payload),
            AttemptStarted { .. } | AttemptFinished { .. } => return self.fold_attempt(at, head, payload),
            DeliveryMoved { id, status, at: place, until, lap, because } => {
                let now = self.engine_time(at);
                return self.change_delivery(*id, |d| {
                    if d.at != *place {
                        d.counted = 0;
                    }
                    if let (Status::Backoff, Some(until)) = (status, until) {
                        d.pause = *until - now;
                    }
                    d.status = *status;
                    d.at = *place;
                    d.until = *until;
                    d.lap = *lap;
                    d.detail = Some(because.clone());
                });
            }
            DeliveryEnded { id, status, reason } => return self.fold_end(at, *id, *status, reason.clone()),
            DeliveryReported { .. } | DeliveryPriced { .. } => {}
            DeadLetterRequeued { id } => {
                return self.change_delivery(*id, |d| {
                    d.status = Status::Ready;
                    d.reason = None;
                    d.ended_at = None;
                });
            }
            DeadLetterDropped { id } => {
                if let Some(d) = self.deliveries.get_mut(id) {
                    d.reason = Some(format!("{} (dropped)", d.reason.as_deref().unwrap_or("dead")));
                }
                return self.index.dead.remove(id);
            }
            ChannelChanged { channel, status, detail, breaker, failures, retry_at, gap } => {
                return self.change_channel(channel, |c| {
                    if c.status != *status {
                        c.since = at;
                    }
                    c.status = *status;
                    c.detail = detail.clone();
                    c.breaker = *breaker;
                    c.failures = *failures;
                    c.retry_at = *retry_at;
                    c.gap = *gap;
                    if *breaker != crate::domain::event::Breaker::Closed {
                        c.width = 1;
                    }
                });
            }

            IncidentOpened { .. } => self.fold_opened(at, head, payload),
            IncidentRepeated { id } => return self.change_incident(*id, |i| i.count += 1),
            IncidentRaised { .. }
            | IncidentStepped { .. }
            | IncidentReminded { .. }
            | IncidentAcknowledged { .. }
            | IncidentUnacknowledged { .. }
            | IncidentSnoozed { .. }
            | IncidentSilenced { .. }
            | IncidentUnsilenced { .. }
            | IncidentResolved { .. } => return self.fold_incident(at, head),

            SilenceAdded { .. } | SilenceBegan { .. } | SilenceExpired { .. } => return self.fold_silence(head),

            HeartbeatKnown { name, at } => {
                self.heartbeats.entry(name.clone()).or_default().known = Some(*at);
            }
            HeartbeatStarted { name, scheduled_at } => {
                let h = self.heartbeats.entry(name.clone()).or_default();
                h.running = Some(*scheduled_at);
                h.last_scheduled = Some(*scheduled_at);
                h.last_run_at = Some(at);
            }
            HeartbeatFinished { name, ok, class, detail, status, failures_in_row, failing_since } => {
                let h = self.heartbeats.entry(name.clone()).or_default();
                h.running = None;
                h.status = *status;
                h.class = *class;
                h.detail = detail.clone();
                h.failures_in_row = *failures_in_row;
                h.failing_since = *failing_since;
                if *ok {
                    h.last_ok_at = Some(at);
                }
            }
            HeartbeatPinged { name, ok } => {
                let now = self.engine_time(at);
                let h = self.heartbeats.entry(name.clone()).or_default();
                h.last_run_at = Some(at);
                h.last_ping = Some(now);
                if *ok {
                    h.last_ok_at = Some(at);
                }
            }
            HeartbeatLate { name } => {
                let h = self.heartbeats.entry(name.clone()).or_default();
                h.status = HeartbeatStatus::Late;
                h.failures_in_row += 1;
                h.failing_since.get_or_insert(at);
            }
            WatchChanged { name, status, value, detail } => {
                let w = self.watches.entry(name.clone()).or_default();
                if w.status != *status {
                    w.since = Some(at);
                }
                *w = WatchState { status: *status, value: *value, since: w.since, detail: detail.clone() };
            }
            SoundStarted { channel, delivery, incident, until } => {
                let level = self.deliveries.get(delivery).map_or(crate::domain::level::Level::Urgent, |d| d.level);
                let sound = Sounding { incident: *incident, level, until: *until };
                self.sounding.entry(channel.clone()).or_default().insert(*delivery, sound);
                self.index.set_timer(super::Timer::Sound(channel.clone(), *delivery), Some(*until));
            }
            SoundStopped { channel, delivery, .. } => {
                self.index.set_timer(super::Timer::Sound(channel.clone(), *delivery), None);
                return self.fold_silent(channel, *delivery);
            }
            Stopping { .. }
            | AuthDenied { .. }
            | RequestRefused { .. }
            | StorageTroubled { .. }
            | Erased { .. }
            | Forgotten { .. }
            | Checkpoint { .. }
            | TemplateFailed { .. }
            | InboundReceived { .. } => {}
            Unknown => return false,
        }
        true
    }

    fn fold_started(&mut self) {
        // What ran in the last life has no outcome; the engine asks for each attempt anew.
        for h in self.heartbeats.values_mut() {
            h.running = None;
        }
    }

    fn fold_silent(&mut self, channel: &str, delivery: crate::domain::id::DeliveryId) -> bool {
        let Some(sounds) = self.sounding.get_mut(channel) else { return false };
        let was = sounds.remove(&delivery).is_some();
        if sounds.is_empty() {
            self.sounding.remove(channel);
        }
        was
    }
}
