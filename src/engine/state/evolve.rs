//! One event changes the state. Total: never a panic, never an error.

use super::State;
use super::entity::*;
use super::watched::*;
use crate::domain::delivery::Status;
use crate::domain::event::{
    Breaker, ChannelChanged, Event, EventKind, Frame, Gone, HeartbeatFinished, HeartbeatStatus, Payload,
};
use crate::domain::time::{Span, Timestamp};

impl State {
    /// Folds a frame of the journal.
    pub fn fold(&mut self, frame: &Frame) {
        // Events that were lost have numbers, too.
        self.last_seq = frame.seq.saturating_sub(1);
        for event in &frame.events {
            self.evolve(frame.at, event);
        }
    }

    /// Folds the next event, which happened at `at` (wall clock). What cannot have happened, as far as
    /// the state knows, is counted and skipped.
    pub fn evolve(&mut self, at: Timestamp, event: &Event) {
        self.last_at = at;
        self.last_seq += 1;
        if !self.apply(at, &event.head, event.payload.as_deref()) {
            self.skipped_events += 1;
        }
    }

    fn apply(&mut self, at: Timestamp, head: &EventKind, payload: Option<&Payload>) -> bool {
        use EventKind::*;
        match head {
            Started(started) => self.fold_started(at, &started.boot, started.up),
            ConfigApplied { hash, kept, changed } => {
                let entry = |template: &str| template.strip_suffix(".body").unwrap_or(template).to_owned();
                self.failing_templates.retain(|template, _| !changed.contains(&entry(template)));
                self.config =
                    ConfigState { hash: hash.clone(), loaded_at: Some(at), kept: *kept, ..Default::default() };
            }
            ConfigRefused { errors, .. } => {
                self.config.refused_at = Some(at);
                self.config.errors = errors.clone();
            }
            ClockStepped { by } => self.fold_step(*by),
            Unrecorded => self.fold_unrecorded(at),
            MetricsSeen { values } => {
                let seen = |value: &f64| Metric { value: *value, at };
                self.metrics.extend(values.iter().map(|(name, value)| (name.clone(), seen(value))));
            }

            NotificationAccepted { .. } => return self.fold_notification(at, head, payload),
            DeliveryCreated { .. } => return self.fold_delivery(at, head, payload),
            AttemptStarted { .. } => return self.fold_attempt_started(at, head, payload),
            AttemptFinished { .. } => return self.fold_attempt_finished(at, head),
            DeliveryMoved { .. } => return self.fold_move(at, head),
            DeliveryRerouted { id, chain, at } => return self.reroute(*id, chain, *at),
            DeliveryEnded { id, status, reason } => return self.fold_end(at, *id, *status, reason.clone()),
            DeliveryReported(report) => return self.fold_reported(at, report),
            DeliveryCounted(counted) => return self.fold_counted(at, counted),
            DeliveryPriced(priced) => self.fold_priced(priced),
            BudgetPassed(passed) if passed.percent == 0 => return self.spending.over(&passed.tenant),
            BudgetPassed(passed) => return self.spending.told(&passed.tenant, &passed.day, passed.percent),
            DeadLetterRequeued { id } => return self.fold_requeued(at, *id),
            DeadLetterDropped { id } => return self.fold_dropped(*id),
            ChannelChanged(_) => self.fold_channel(at, head),

            IncidentOpened { .. } => return self.fold_opened(at, head, payload),
            IncidentRepeated { .. }
            | IncidentRaised { .. }
            | IncidentStepped { .. }
            | IncidentReminded { .. }
            | IncidentReplanned { .. }
            | IncidentAcknowledged { .. }
            | IncidentUnacknowledged { .. }
            | IncidentSnoozed { .. }
            | IncidentSilenced { .. }
            | IncidentUnsilenced { .. }
            | IncidentResolved { .. } => return self.fold_incident(at, head),

            UrgentUnheard(u) if u.heard => return self.unheard.remove(&u.notification).is_some(),
            UrgentUnheard(u) => {
                self.unheard.insert(u.notification, u.until);
            }

            AlertReported(report) => return self.fold_report(at, report, payload),
            AlertsAwaited(awaited) => self.fold_awaited(awaited.until),

            SilenceAdded(_) | SilenceBegan { .. } | SilenceExpired { .. } => return self.fold_silence(head),
            SoundStarted { .. } | SoundStopped { .. } => return self.fold_sound(head),

            HeartbeatKnown { .. }
            | HeartbeatStarted { .. }
            | HeartbeatFinished(_)
            | HeartbeatPinged { .. }
            | HeartbeatLate { .. } => self.fold_heartbeat(at, head),
            HeartbeatForgotten(Gone { name }) => return self.heartbeats.remove(name).is_some(),
            HookMoved(moved) if moved.gone => return self.hooks.remove(&moved.hook).is_some(),
            HookMoved(moved) => {
                self.hooks.insert(moved.hook.clone(), moved.clone());
            }
            WatchChanged { name, status, value, detail } => {
                let w = self.watches.entry(name.clone()).or_default();
                let since = if w.status == *status { w.since } else { Some(at) };
                *w = WatchState { status: *status, value: *value, since, detail: detail.clone() };
            }

            WatchForgotten(Gone { name }) => return self.watches.remove(name).is_some(),
            MetricForgotten(Gone { name }) => return self.metrics.remove(name).is_some(),

            Erased(erased) => {
                self.erase_texts(&erased.notifications, &erased.deliveries);
                self.inbox.erase(&erased.inbound);
            }
            Forgotten { to_seq, .. } => self.forgotten = self.forgotten.max(*to_seq),
            Checkpoint { .. } => self.checkpoint_at = Some(at),

            Stopping { .. } => self.stopping = true,
            TemplateFailed { template, .. } => {
                self.failing_templates.insert(template.clone(), self.engine_time(at));
            }
            AuthDenied { .. } | RequestRefused { .. } | StorageTroubled { .. } => {}
            InboundReceived(received) => self.fold_inbound(at, received, payload),
            Unknown => return false,
        }
        true
    }

    /// What ran in the last life has no outcome; the engine asks for each attempt anew.
    fn fold_started(&mut self, at: Timestamp, boot: &str, up: Option<Span>) {
        self.boot = boot.to_owned();
        self.booted = up.map(|up| self.engine_time(at) - up);
        if !std::mem::take(&mut self.stopping) {
            self.fold_crash();
        }
        for h in self.heartbeats.values_mut() {
            h.running = None;
        }
    }

    /// What is not for later may have been sent.
    fn fold_unrecorded(&mut self, at: Timestamp) {
        let now = self.engine_time(at);
        let pending = self.index.pending.iter().filter_map(|id| self.deliveries.get(id));
        let due = pending.filter(|d| d.status != Status::Scheduled || d.until.is_none_or(|t| t <= now));
        for id in due.map(|d| d.id).collect::<Vec<_>>() {
            self.change_delivery(id, |d| d.maybe_sent = true);
        }
    }

    /// The last life ended without a word: whatever was in flight may have been why.
    fn fold_crash(&mut self) {
        let pending = self.index.pending.iter().filter_map(|id| self.deliveries.get(id));
        let counted = pending.filter(|d| d.status == Status::Sending || d.crashes > 0);
        for id in counted.map(|d| d.id).collect::<Vec<_>>() {
            self.change_delivery(id, |d| match d.status {
                Status::Sending => d.crashes += 1,
                // Held back as it was, it is neither guilty of this one nor cleared of those before.
                _ if d.is_suspect() => {}
                _ => d.crashes = 0,
            });
        }
    }

    fn fold_channel(&mut self, at: Timestamp, head: &EventKind) {
        let EventKind::ChannelChanged(ChannelChanged { channel, status, detail, breaker, failures, retry_at, gap }) =
            head
        else {
            return;
        };
        self.change_channel(channel, |c| {
            if c.status != *status {
                c.since = at;
            }
            c.status = *status;
            c.detail = detail.clone();
            c.breaker = *breaker;
            c.failures = *failures;
            c.retry_at = *retry_at;
            c.gap = *gap;
            if *breaker != Breaker::Closed {
                c.width = 1;
            }
        });
    }

    fn fold_heartbeat(&mut self, at: Timestamp, head: &EventKind) {
        let now = self.engine_time(at);
        let (EventKind::HeartbeatKnown { name, .. }
        | EventKind::HeartbeatStarted { name, .. }
        | EventKind::HeartbeatFinished(HeartbeatFinished { name, .. })
        | EventKind::HeartbeatPinged { name, .. }
        | EventKind::HeartbeatLate { name }) = head
        else {
            return;
        };
        let h = self.heartbeats.entry(name.clone()).or_default();
        match head {
            EventKind::HeartbeatKnown { at, .. } => *h = HeartbeatState { known: Some(*at), ..Default::default() },
            EventKind::HeartbeatStarted { scheduled_at, .. } => {
                h.running = Some(*scheduled_at);
                h.last_scheduled = Some(*scheduled_at);
                h.last_run_at = Some(at);
            }
            EventKind::HeartbeatFinished(finished) => {
                h.running = None;
                h.status = finished.status;
                h.class = finished.class;
                h.detail = finished.detail.clone();
                h.failures_in_row = finished.failures_in_row;
                h.failing_since = finished.failing_since;
                if finished.ok {
                    h.last_ok_at = Some(at);
                }
            }
            EventKind::HeartbeatPinged { ok, .. } => {
                h.last_run_at = Some(at);
                h.last_ping = Some(now);
                if *ok {
                    h.last_ok_at = Some(at);
                }
            }
            _ => {
                // One ping that did not come, however often it is looked for.
                h.failures_in_row += u32::from(h.status != HeartbeatStatus::Late);
                h.status = HeartbeatStatus::Late;
                h.failing_since.get_or_insert(at);
            }
        }
    }
}
