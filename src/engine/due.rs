//! What is due by the clock, and when to be woken next. Nothing polls.

use super::Agenda;
use super::pace::paced_until;
use super::queue::width;
use super::state::{State, Timer};
use super::turn::Turn;
use crate::config::Config;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Started};
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Span, Timestamp};

/// A run whose trigger was lost is started by the engine this much later.
pub(crate) const TRIGGER_GRACE: Span = Span::secs(2);
/// A machine that was off for longer has a wrong clock, or nobody waits for its alarms any more.
const LONGEST_REBOOT: Span = Span::days(1);
/// A turn does at most this much of what is due; the rest follows in the next.
const BATCH: usize = 1_000;

/// The earliest of everything, on the wall clock.
pub(crate) fn next_due(state: &State, config: &Config, agenda: &Agenda) -> Option<Timestamp> {
    // What is in a queue behind a channel that takes no attempts goes on when it takes them again.
    let closing = agenda.closing;
    let gates = state.queued_channels().filter(|_| !closing).filter_map(|name| {
        let (c, slots) = (state.channel(name), config.channels.get(name)?.slots);
        // What was to be done at a gate that has been open for a while was looked at then.
        let next = c.retry_at.filter(|t| *t > agenda.seen);
        next.filter(|t| state.in_flight(name) < width(c, slots, *t))
    });
    let paces = agenda.paces.keys().filter(|name| !closing && state.queue(name).next().is_some()).filter_map(|name| {
        let channel = config.channels.get(name)?;
        let next = paced_until(agenda, channel, agenda.seen)?;
        (state.in_flight(name) < width(state.channel(name), channel.slots, next)).then_some(next)
    });
    let engine = state
        .next_timer()
        .map(|(t, _)| t)
        .into_iter()
        .chain(gates)
        .chain(paces)
        .chain(agenda.midnight)
        .chain(agenda.bills.next().filter(|_| !closing))
        .chain(agenda.passive.values().copied().filter(|_| !closing))
        .chain(agenda.proofs.values().map(|p| p.until).filter(|_| !closing))
        .chain(agenda.revivals.values().map(|next| next.due).filter(|_| !closing))
        .chain(agenda.rates)
        .chain(agenda.unseen_due)
        .chain(agenda.patience)
        .chain(agenda.urgent.first().map(|(t, _)| *t).filter(|_| !closing))
        .min()
        .map(|t| state.wall_time(t));
    let calendar = agenda.heartbeats.values().map(|next| next.latest).filter(|_| !closing).min();
    engine.into_iter().chain(calendar).min()
}

impl Turn<'_> {
    /// Does everything that is due now.
    pub fn wake(&mut self) {
        for _ in 0..BATCH {
            let Some((due, timer)) = self.state.next_timer() else { break };
            if due > self.now {
                break;
            }
            let timer = timer.clone();
            self.fire_timer(timer);
        }
        self.patience_over();
        self.budget_day_over();
        self.bills_due();
        self.unheard_due();
        self.heartbeats_due();
        self.revivals_due();
        self.rules_due();
        self.pump();
    }

    fn fire_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Delivery(id) => self.delivery_due(id),
            Timer::Incident(id) => self.incident_due(id),
            Timer::Silence(id) => self.silence_due(&id),
            Timer::Sound(channel, delivery) => self.silence_sound(&channel, delivery, "its longest time is over"),
        }
    }

    fn delivery_due(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if d.expires <= self.now {
            return match d.status {
                // It has been given out; no confirmation came in its time.
                Status::Submitted => self.end_delivery(id, Status::Sent, ""),
                Status::Sending => {}
                _ => self.end_delivery(id, Status::Expired, "too late: its time to live is over"),
            };
        }
        match d.status {
            Status::Scheduled => self.scheduled_due(id),
            Status::Unknown => self.go_on_unknown(id, "and nobody can tell"),
            Status::Submitted => self.question_due(id),
            Status::Waiting => self.look_again(id, Status::Waiting, "looking again whether its channel works"),
            _ => self.look_again(id, Status::Ready, "the pause is over"),
        }
    }

    /// In line for its channel; round it, when that is dead and there is another way.
    fn look_again(&mut self, id: DeliveryId, status: Status, because: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let round = || self.open_alternative(d).filter(|_| self.is_kept_waiting(d));
        match self.alternative(d).filter(|_| self.is_dead(d.channel())) {
            Some(place) => self.fall_back(id, place, "its channel is dead"),
            None => match round() {
                Some(place) => self.fall_back(id, place, "its channel takes no attempts now"),
                None => self.move_on(id, status, None, because),
            },
        }
    }

    /// What the wall clock was set by since the last event. Within one boot of the machine the time since that boot
    /// tells; across a reboot the wall clock is believed that it was away for as long as the machine is up at the least,
    /// and for 24 hours at the most.
    fn believe_clock(&mut self, boot: &str, up: Option<Span>) {
        if self.state.last_at == Timestamp::default() {
            return;
        }
        let away = self.wall - self.state.last_at;
        // What does not say which boot it is may be another one.
        let rebooted = boot.is_empty() || self.state.boot != boot;
        let by = match self.state.booted.zip(up) {
            Some((booted, up)) if !rebooted => self.now - (booted + up),
            _ => {
                let least = up.filter(|_| rebooted).unwrap_or_default();
                let most = if rebooted { LONGEST_REBOOT.max(least) } else { away.max(least) };
                away - away.clamp(least, most)
            }
        };
        if by.0.abs() >= Span::secs(1).0 {
            self.emit(EventKind::ClockStepped { by });
            self.now = self.state.engine_time(self.wall);
        }
    }

    /// The start of this life: attempts without an outcome are taken up again.
    pub fn started(&mut self, version: String, boot: String, up: Option<Span>) {
        let before = self.state.engine_time(self.state.last_at);
        self.believe_clock(&boot, up);
        self.emit(EventKind::Started(Started { version, boot, up }));
        self.inquire_again();
        self.take_up_attempts();
        self.listen_for_all();
        self.agenda.started_at = self.wall;
        let deaf = (self.now - before).min(self.config.alertmanager.resolve_timeout);
        self.await_alerts(self.now + deaf);
        self.plan_agenda();
        self.learn_paces();
        self.want_prices();
        self.effects.push(super::effect::Effect::Sound);
        // By another config what is due may not be meant any more, or its channel may be mended.
        if !self.agenda.renewed {
            self.begin_life();
        }
    }

    /// Does what came due since the last life.
    pub fn begin_life(&mut self) {
        self.agenda.renewed = false;
        self.wake();
        if std::mem::take(&mut self.agenda.unrecorded) {
            self.emit(EventKind::Unrecorded);
            self.pump();
        }
    }
}

/// A stable spread by name, so that many checks of one rhythm do not start together.
pub(crate) fn jitter(name: &str, most: Span) -> Span {
    let hash = blake3::hash(name.as_bytes());
    let part = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default());
    Span((part % most.0.max(1) as u64) as i64)
}

/// Whether an engine time has come.
pub(crate) fn come(due: Option<EngineTime>, now: EngineTime) -> bool {
    due.is_some_and(|t| t <= now)
}
