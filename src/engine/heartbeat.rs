//! Heartbeats: when they run, and what a run does. What its outcome means is in `verdict`.

use super::NextRun;
use super::asked::SendRequest;
use super::due::{TRIGGER_GRACE, jitter};
use super::effect::Effect;
use super::plan::Terms;
use super::refusal::{Answer, Code, Refusal};
use super::turn::{Turn, refuse};
use crate::channel::{Matter, Outgoing};
use crate::config::{Check, Heartbeat};
use crate::domain::event::{EventKind, HeartbeatStatus, Rendered};
use crate::domain::level::Level;
use crate::domain::schedule::Schedule;
use crate::domain::time::{Span, Timestamp};

/// Runs without six fields are spread by up to this much.
const SPREAD: Span = Span::secs(30);

impl<'e> Turn<'e> {
    /// Computes every next run anew: at start, after a reload, after a step of the clock.
    pub fn plan_agenda(&mut self) {
        self.agenda.heartbeats.clear();
        self.agenda.passive.clear();
        let config = self.config;
        for heartbeat in config.heartbeats.values() {
            self.plan_heartbeat(heartbeat);
        }
        self.plan_revivals();
        self.plan_rules();
        self.plan_midnight();
    }

    fn plan_heartbeat(&mut self, h: &Heartbeat) {
        if self.state.heartbeats.get(&h.name).is_none_or(|s| s.known.is_none()) {
            self.emit(EventKind::HeartbeatKnown { name: h.name.clone(), at: self.now });
        }
        self.plan_passive(h);
        let Some(schedule) = &h.schedule else { return };
        let last = self.state.heartbeats.get(&h.name).and_then(|s| s.last_scheduled);
        // Whatever is reloaded and restarted meanwhile, the first one comes as long after it became known.
        let known = self.state.heartbeats.get(&h.name).and_then(|s| s.known).map(|t| self.state.wall_time(t));
        let known = known.unwrap_or(self.wall).min(self.wall);
        let next = match (schedule, last) {
            (Schedule::Every(every), None) => Some(known + jitter(&h.name, SPREAD.min(*every))),
            (_, last) => next_after(h, last.unwrap_or(known).min(self.wall)),
        };
        // Missed while down: one run, now.
        self.set_next(h, next.map(|next| next.max(self.wall)));
    }

    /// A reload changed them: by another calendar nothing was missed, and one that is late is so at its level of now.
    pub fn heartbeats_changed(&mut self, names: &[String]) {
        let config = self.config;
        for h in names.iter().filter_map(|name| config.heartbeats.get(name)) {
            if let Some(Schedule::Cron(_)) = h.schedule {
                self.set_next(h, next_after(h, self.wall));
            }
            let late = self.state.heartbeats.get(&h.name).is_some_and(|s| s.status == HeartbeatStatus::Late);
            if late && self.state.live_incident(&super::verdict::fingerprint(&h.name)).is_some() {
                self.late(h);
            }
        }
    }

    fn set_next(&mut self, h: &Heartbeat, next: Option<Timestamp>) {
        let Some(at) = next else {
            self.agenda.heartbeats.remove(&h.name);
            return;
        };
        // No trigger will come for an interval, nor for what was missed.
        let triggered = matches!(h.schedule, Some(Schedule::Cron(_))) && at > self.wall;
        let latest = if triggered { at + TRIGGER_GRACE } else { at };
        self.agenda.heartbeats.insert(h.name.clone(), NextRun { at, latest });
    }

    pub fn plan_passive(&mut self, h: &Heartbeat) {
        let Check::Passive { every, grace } = h.check else { return };
        let Some(state) = self.state.heartbeats.get(&h.name) else { return };
        let Some(from) = state.last_ping.max(state.known) else {
            self.agenda.passive.remove(&h.name);
            return;
        };
        // What is late already is looked at again after as long: somebody may have ended its incident by hand.
        let period = every + grace;
        let gone = if state.status == HeartbeatStatus::Late { (self.now - from).0.max(0) / period.0.max(1) } else { 0 };
        self.agenda.passive.insert(h.name.clone(), from + period.times(gone + 1));
    }

    /// Starts what is due; an exact or five-field run waits a little for its trigger.
    pub fn heartbeats_due(&mut self) {
        if self.agenda.closing {
            return;
        }
        let config = self.config;
        let overdue = self.agenda.heartbeats.iter().filter(|(_, next)| next.latest <= self.wall);
        let due: Vec<(String, Timestamp)> = overdue.map(|(name, next)| (name.clone(), next.at)).collect();
        for (name, at) in due {
            if let Some(h) = config.heartbeats.get(&name) {
                self.run(h, at);
            }
        }
        let late: Vec<String> =
            self.agenda.passive.iter().filter(|(_, t)| **t <= self.now).map(|(n, _)| n.clone()).collect();
        for name in late {
            self.agenda.passive.remove(&name);
            if let Some(h) = config.heartbeats.get(&name) {
                self.late(h);
                self.plan_passive(h);
            }
        }
        self.proofs_overdue();
    }

    /// The scheduler's trigger: this name's time may have come.
    pub fn trigger(&mut self, name: &str) {
        let due = self.agenda.heartbeats.get(name).map(|next| next.at);
        if let (Some(h), Some(at)) = (self.config.heartbeats.get(name), due)
            && at <= self.wall
        {
            self.run(h, at);
        }
    }

    /// A run is keyed by its name and planned time; runs never overlap.
    fn run(&mut self, h: &Heartbeat, at: Timestamp) {
        let next = match &h.schedule {
            Some(Schedule::Every(every)) => {
                // Missed ones are not made up for; the beat stays.
                let missed = (self.wall - at).0.max(0) / every.0.max(1);
                Some(at + every.times(missed + 1))
            }
            _ => next_after(h, self.wall.max(at)),
        };
        self.set_next(h, next);
        let running = self.state.heartbeats.get(&h.name).is_some_and(|s| s.running.is_some());
        if !running {
            self.start_run(h, at);
        }
    }

    /// Beside its schedule: the next planned run stays where it was.
    pub fn run_heartbeat_now(&mut self, name: &str) -> Answer {
        let h = self.heartbeat_named(name)?;
        if matches!(h.check, Check::Passive { .. }) {
            return refuse(Refusal::new(Code::Conflict, format!("{name} is passive: it is pinged, not run")));
        }
        let running = self.state.heartbeats.get(name).is_some_and(|s| s.running.is_some());
        if !running {
            self.start_run(h, self.wall);
        }
        self.pump();
        self.heartbeat_view(name)
    }

    pub fn heartbeat_named(&self, name: &str) -> Result<&'e Heartbeat, Refusal> {
        let config = self.config;
        config.heartbeats.get(name).ok_or_else(|| {
            let known: Vec<&str> = config.heartbeats.keys().map(String::as_str).collect();
            let message = format!("there is no heartbeat {name:?}; there are {}", known.join(", "));
            Refusal { field: Some("name".into()), ..Refusal::new(Code::NotFound, message) }
        })
    }

    fn start_run(&mut self, h: &Heartbeat, at: Timestamp) {
        self.emit(EventKind::HeartbeatStarted { name: h.name.clone(), scheduled_at: at });
        let (heartbeat, timeout) = (h.name.clone(), h.timeout);
        match &h.check {
            Check::Probe { channel, .. } if self.config.channels.get(channel).is_some_and(|c| c.simulate) => {
                self.heartbeat_done(&h.name, Ok("simulated: nobody was asked".into()));
            }
            Check::Probe { channel, test_call: false } => {
                self.effects.push(Effect::Probe { heartbeat, channel: channel.clone(), timeout });
            }
            Check::Probe { channel, test_call: true } => self.test_call(heartbeat, channel, timeout),
            Check::Notification { to, channels, subject, body } => {
                let (to, channels, subject, body) = (to.clone(), channels.clone(), subject.clone(), body.clone());
                self.send_proof(h, SendRequest { to, channels, subject, body, ..SendRequest::default() });
            }
            Check::Passive { .. } => {}
        }
    }

    fn test_call(&mut self, heartbeat: String, channel: &str, timeout: Span) {
        let address = self.config.channels.get(channel).and_then(|c| {
            let terms = Terms { channels: Some(vec![c.name.clone()]), test: true, ..Terms::default() };
            self.plan(Level::Low, "test", &terms).into_iter().find_map(|p| p.address)
        });
        let text = format!("This is a test call from {}. Nothing is wrong.", self.config.daemon.name);
        let out = Outgoing {
            key: self.ids.ulid().to_string(),
            attempt: 1,
            address,
            text: Rendered { text, ..Rendered::default() },
            attachments: Vec::new(),
            level: Level::Low,
            ttl: timeout,
            matter: Matter::default(),
            sound: None,
            callback: None,
        };
        self.effects.push(Effect::TestCall { heartbeat, channel: channel.into(), timeout, out: Box::new(out) });
    }
}

/// The first planned time after `t`. Five fields are spread by a stable jitter; six are kept to
/// the second.
fn next_after(h: &Heartbeat, t: Timestamp) -> Option<Timestamp> {
    let spread = match h.schedule.as_ref()? {
        Schedule::Cron(cron) if !cron.exact => spread_of(&h.name),
        _ => Span::ZERO,
    };
    h.schedule.as_ref()?.after(t - spread).map(|next| next + spread)
}

/// By how many whole seconds the runs of a five-field cron are late, so that many do not begin together.
pub fn spread_of(name: &str) -> Span {
    Span::secs(jitter(name, SPREAD).as_secs())
}
