//! What is true now: the fold of all events, and nothing else.
//!
//! [`State::evolve`] is total: an event about something unknown is counted and skipped. The
//! indexes (timers, queues, names) are derived and rebuilt after a snapshot is read.

mod alert;
mod change;
mod channel;
mod content;
mod entity;
mod erase;
mod evolve;
mod finished;
mod fold;
mod inbox;
mod index;
mod name;
mod retire;
mod share;
mod silence;
mod spent;
mod standing;
mod table;
mod watched;
mod window;
mod written;

pub use alert::{Alert, OF_ALERTS, alert_of, fingerprint_of, own_name};
pub use channel::ChannelState;
pub use content::{Content, Templated};
pub use entity::*;
pub use finished::Finished;
pub use inbox::{Inbox, Written};
pub use index::{QueueKey, Timer};
pub use name::Name;
pub use retire::{Leaving, Remembered};
pub use silence::{Silence, Sounding};
pub use spent::{Charge, Charges, Spending, Spent};
pub use watched::*;
pub use window::{Counts, Window, Windows};

use crate::domain::delivery::Status;
use crate::domain::event::{Breaker, HookMoved};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::time::{EngineTime, Span, Timestamp};
use index::{Index, of_incident};
use name::Names;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Bound;
use table::Table;

/// Everything the engine decides by, beside the config and the time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Wall clock minus engine time: the sum of observed steps.
    pub offset: Span,
    /// The wall clock of the last event.
    pub last_at: Timestamp,
    /// The last event; its texts are found by this number.
    pub last_seq: u64,
    /// The boot of the machine in which this life began.
    pub boot: String,
    /// When that was, as far as it is known.
    pub booted: Option<EngineTime>,
    /// The last life was told to stop, so what it left under way is no crash.
    pub stopping: bool,
    /// Incident numbers count up and are never used twice.
    pub last_number: u64,
    /// Counts acceptances; the order of sending within a level.
    pub order: u64,
    pub incidents: Table<IncidentId, Incident>,
    pub notifications: Table<NotificationId, Notification>,
    pub deliveries: Table<DeliveryId, Delivery>,
    pub channels: BTreeMap<String, ChannelState>,
    pub silences: BTreeMap<String, Silence>,
    /// Receivers of events, as they were told of last.
    pub hooks: BTreeMap<String, HookMoved>,
    pub heartbeats: BTreeMap<String, HeartbeatState>,
    pub watches: BTreeMap<String, WatchState>,
    pub metrics: BTreeMap<String, Metric>,
    /// What should sound now, by channel; the player is made to match.
    pub sounding: BTreeMap<String, BTreeMap<DeliveryId, Sounding>>,
    /// Urgent messages that nobody can be told of, and until when that sounds.
    pub unheard: BTreeMap<NotificationId, EngineTime>,
    /// By tenant, caller and key, see [`State::idempotency_key`].
    pub idempotency: Table<String, Remembered>,
    /// What people wrote to us.
    pub inbox: Inbox,
    pub rates: Rates,
    /// What limits count, and what tenants have spent today.
    pub windows: Windows,
    pub spending: Spending,
    pub last_acknowledged: Option<IncidentId>,
    pub config: ConfigState,
    /// Events about something unknown, or of an unknown kind.
    pub skipped_events: u64,
    pub leaving: Leaving,
    /// The journal has forgotten what is up to this event.
    pub forgotten: u64,
    /// When a template failed last, by `templates.NAME` or `channels.NAME.body`, until its text is another.
    pub failing_templates: BTreeMap<String, EngineTime>,
    /// When the chain's place was recorded last.
    pub checkpoint_at: Option<Timestamp>,
    #[serde(skip)]
    pub(super) index: Index,
    #[serde(skip)]
    names: Names,
}

impl State {
    /// The facts as they are now, for a snapshot: they stay so while the state goes on. Nothing large is copied.
    pub fn frozen(&mut self) -> State {
        let derived = (std::mem::take(&mut self.index), std::mem::take(&mut self.names));
        let frozen = self.clone();
        (self.index, self.names) = derived;
        frozen
    }

    /// Engine time at this instant of the wall clock.
    pub fn engine_time(&self, wall: Timestamp) -> EngineTime {
        EngineTime(wall.0.saturating_sub(self.offset.0))
    }

    /// What the wall clock says, or will say, at this engine time.
    pub fn wall_time(&self, t: EngineTime) -> Timestamp {
        Timestamp(t.0.saturating_add(self.offset.0))
    }

    pub fn idempotency_key(tenant: Option<&str>, caller: &str, key: &str) -> String {
        format!("{}\u{1f}{caller}\u{1f}{key}", tenant.unwrap_or_default())
    }

    /// The incident with this fingerprint that is not resolved.
    pub fn live_incident(&self, fingerprint: &str) -> Option<&Incident> {
        let id = match alert_of(fingerprint) {
            Some(alert) => self.index.alerts.get(&alert),
            None => self.index.by_fingerprint.get(fingerprint),
        };
        id.and_then(|id| self.incidents.get(id))
    }

    /// The open incident that stands for this alert.
    pub fn live_alert(&self, fingerprint: u64) -> Option<IncidentId> {
        self.index.alerts.get(&fingerprint).copied()
    }

    /// Incidents of alerts that are not resolved, by fingerprint, from behind this one on.
    pub fn alerts_after(&self, fingerprint: Option<u64>) -> impl Iterator<Item = (u64, &Incident)> {
        let from = fingerprint.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.index.alerts.range((from, Bound::Unbounded));
        found.filter_map(|(fingerprint, id)| Some((*fingerprint, self.incidents.get(id)?)))
    }

    pub fn open_alerts(&self) -> usize {
        self.index.alerts.len()
    }

    /// Whether an alert is over by then, unless it is reported again.
    pub fn alerts_due_before(&self, until: EngineTime) -> bool {
        self.alerts_after(None).any(|(_, i)| i.alert.as_ref().is_some_and(|a| a.due < until))
    }

    pub fn incident_by_number(&self, number: u64) -> Option<&Incident> {
        self.index.numbers.get(&number).and_then(|id| self.incidents.get(id))
    }

    /// Incidents that are not resolved, oldest first.
    pub fn live_incidents(&self) -> impl Iterator<Item = &Incident> {
        self.index.numbers.values().filter_map(|id| self.incidents.get(id)).filter(|i| i.is_live())
    }

    /// The deliveries of an incident that have not ended.
    pub fn pending_of(&self, incident: IncidentId) -> Vec<DeliveryId> {
        of_incident(&self.index.pending_by_incident, incident).collect()
    }

    /// Deliveries that have not ended.
    pub fn pending(&self) -> usize {
        self.index.pending.len()
    }

    /// The oldest delivery that has not ended.
    pub fn oldest_pending(&self) -> Option<&Delivery> {
        self.index.pending.first().and_then(|id| self.deliveries.get(id))
    }

    /// The next engine time at which the state itself has something due.
    pub fn next_timer(&self) -> Option<(EngineTime, Timer)> {
        let id = |number| self.index.numbers.get(number).copied();
        let incident = self.index.incident_timers.iter().find_map(|(t, n)| Some((*t, Timer::Incident(id(n)?))));
        self.index.timers.first().cloned().into_iter().chain(incident).min()
    }

    /// Waiting for a slot of this channel, the most urgent first.
    pub fn queue(&self, channel: &str) -> impl Iterator<Item = DeliveryId> + '_ {
        self.index.queues.get(channel).into_iter().flatten().map(|key| key.id)
    }

    /// Channels that have something in their queue.
    pub fn queued_channels(&self) -> impl Iterator<Item = &str> {
        self.index.queues.keys().map(String::as_str)
    }

    /// Attempts of this channel under way.
    pub fn in_flight(&self, channel: &str) -> usize {
        self.index.in_flight.get(channel).map_or(0, |d| d.len())
    }

    /// Deliveries with an attempt under way, in order of their ids.
    pub fn all_in_flight(&self) -> Vec<DeliveryId> {
        let mut all: Vec<DeliveryId> = self.index.in_flight.values().flatten().copied().collect();
        all.sort();
        all
    }

    /// Deliveries that have not ended and were in flight at two crashes in a row.
    pub fn suspects(&self) -> impl Iterator<Item = &Delivery> {
        self.index.suspects.iter().filter_map(|id| self.deliveries.get(id))
    }

    /// Whether this is a notice, and something of the same incident is under way to the same place:
    /// nobody hears that it is over before they hear that it began. Alarms wait for nothing. A notice
    /// that failed and waits is ended when the incident is, so the end overtakes none.
    pub fn is_behind(&self, id: DeliveryId) -> bool {
        let Some(d) = self.deliveries.get(&id) else { return false };
        let notice = self.notifications.get(&d.notification).is_some_and(|n| n.origin.is_notice());
        let Some(incident) = d.incident.filter(|_| notice) else { return false };
        let others = of_incident(&self.index.pending_by_incident, incident);
        let under_way = others.filter_map(|o| self.deliveries.get(&o)).filter(|o| o.status == Status::Sending);
        under_way.filter(|o| o.channel() == d.channel()).any(|o| o.medium.is_none() || o.address == d.address)
    }

    /// Deliveries whose answer was lost and whose provider is being asked.
    pub fn unknown(&self) -> Vec<DeliveryId> {
        let unknown = |id: &&DeliveryId| self.deliveries.get(id).is_some_and(|d| d.status == Status::Unknown);
        self.index.pending.iter().filter(unknown).copied().collect()
    }

    /// Whether any attempt is under way.
    pub fn is_idle(&self) -> bool {
        self.index.in_flight.is_empty()
    }

    /// How many deliveries that have not ended go by this channel now, with this status.
    pub fn count(&self, channel: &str, status: Status) -> usize {
        self.index.counts.get(channel).and_then(|c| c.get(&status)).copied().unwrap_or(0)
    }

    /// How many have not ended, by the channel that they go by now and by status.
    pub fn counts(&self) -> &BTreeMap<String, BTreeMap<Status, usize>> {
        &self.index.counts
    }

    /// How many deliveries that have not ended go by this channel now.
    pub fn pending_on(&self, channel: &str) -> usize {
        self.index.counts.get(channel).map_or(0, |c| c.values().sum())
    }

    /// How many of them wait for the channel to work again.
    pub fn waiting_on(&self, channel: &str) -> usize {
        let held = self.channel(channel).breaker != Breaker::Closed;
        let ready = if held { self.count(channel, Status::Ready) } else { 0 };
        ready + self.count(channel, Status::Waiting)
    }

    /// How many deliveries wait for their next attempt, on all channels.
    pub fn to_be_sent(&self) -> usize {
        let wait =
            |(status, _): &(&Status, &usize)| matches!(status, Status::Ready | Status::Waiting | Status::Backoff);
        self.index.counts.values().flat_map(|c| c.iter().filter(wait)).map(|(_, n)| n).sum()
    }

    /// How many deliveries wait for a channel to work again, on all channels.
    pub fn waiting(&self) -> usize {
        self.index.counts.keys().map(|channel| self.waiting_on(channel)).sum()
    }

    pub fn channel(&self, name: &str) -> &ChannelState {
        static FRESH: std::sync::LazyLock<ChannelState> = std::sync::LazyLock::new(ChannelState::default);
        self.channels.get(name).unwrap_or(&FRESH)
    }

    /// Bytes of what messages and incidents say.
    pub fn text_bytes(&self) -> u64 {
        self.index.text_bytes
    }

    /// Dead letters that nobody dropped, oldest first.
    pub fn dead_letters(&self) -> impl Iterator<Item = &Delivery> {
        self.index.dead.iter().filter_map(|id| self.deliveries.get(id))
    }

    pub fn dead_count(&self) -> usize {
        self.index.dead.len()
    }

    /// Bytes of their messages' text.
    pub fn dead_bytes(&self) -> u64 {
        self.index.dead_bytes
    }

    pub fn is_dead_letter(&self, id: DeliveryId) -> bool {
        self.index.dead.contains(&id)
    }
}
