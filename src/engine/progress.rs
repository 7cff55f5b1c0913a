//! What an incident says and when, beside the steps of a policy: its one sending, reminders, and
//! what is due next.

use super::plan::{Planned, Terms};
use super::policy::Firing;
use super::sending::Message;
use super::state::Incident;
use super::turn::Turn;
use crate::domain::event::{EventKind, Next, NextWhat, Origin};
use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::time::EngineTime;

impl Turn<'_> {
    /// Does what an open incident does first: its policy's first step, or its one sending.
    pub fn begin(&mut self, id: IncidentId, because: &str) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        match self.policy_of(i) {
            Some(_) => self.fire(id, Firing::of((0, 0), because)),
            None => self.send_opening(id),
        }
    }

    /// What is due for an incident that begins now.
    pub fn first_next(&self, level: Level, policy: Option<&str>, once: bool) -> Option<Next> {
        match self.policy_named(policy, level) {
            Some(_) => Some(Next { due: self.now, what: NextWhat::Step { round: 0, step: 0 } }),
            None => self.reminder_after(level, once, self.now),
        }
    }

    /// The same for one that exists.
    pub fn next_anew(&self, id: IncidentId) -> Option<Next> {
        let i = self.state.incidents.get(&id)?;
        self.first_next(i.level, i.policy.as_deref(), i.once)
    }

    /// The first reminder after `from` that is still to come.
    pub fn reminder_after(&self, level: Level, once: bool, from: EngineTime) -> Option<Next> {
        let remind = self.config.levels.get(&level)?.remind.filter(|_| !once)?;
        let missed = (self.now - from).0.max(0) / remind.0.max(1);
        Some(Next { due: from + remind.times(missed + 1), what: NextWhat::Reminder })
    }

    /// After a reload: as many rounds and such reminders as are configured now. A step that is next keeps its time.
    pub fn replan_all(&mut self) {
        for id in self.state.live_incidents().map(|i| i.id).collect::<Vec<_>>() {
            let Some(i) = self.state.incidents.get(&id) else { continue };
            let rounds = self.policy_of(i).map_or(0, |policy| policy.repeat + 1);
            let next = match i.next {
                Some(Next { what: NextWhat::Reminder, due }) if i.is_calling() => self.reminded_or(i, rounds, due),
                None if i.is_calling() => self.next_after_all(i, rounds),
                next => next,
            };
            if rounds != i.rounds || next != i.next {
                self.emit(EventKind::IncidentReplanned { id, rounds, next });
            }
        }
    }

    /// A reminder that is next comes in its time, or sooner by a new pace, and no round that a reload adds is a reason
    /// to be silent until then.
    fn reminded_or(&self, i: &Incident, rounds: u32, due: EngineTime) -> Option<Next> {
        let after_all = self.next_after_all(i, rounds);
        let Some(remind) = self.config.levels.get(&i.level).and_then(|l| l.remind) else { return after_all };
        let reminder = Next { due: due.min(self.now + remind), what: NextWhat::Reminder };
        Some(self.step_before(after_all, Some(reminder)).unwrap_or(reminder))
    }

    /// The reminder, unless a step is to come until then.
    fn step_before(&self, after_all: Option<Next>, reminder: Option<Next>) -> Option<Next> {
        let step = after_all.filter(|next| matches!(next.what, NextWhat::Step { .. }));
        step.filter(|step| reminder.is_none_or(|r| step.due <= r.due)).or(reminder)
    }

    /// What `next` says of an incident that is due.
    pub fn incident_due(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        if i.alert.as_ref().is_some_and(|a| a.due <= self.now) {
            return self.alert_lapsed(id);
        }
        let Some(Next { due, what }) = i.next.filter(|next| next.due <= self.now) else { return };
        match what {
            NextWhat::Step { round, step } => self.step_due(id, round, step),
            NextWhat::Opening | NextWhat::Reminder => self.remind(id, due),
            NextWhat::Restart => {
                let because = match i.snoozed_until {
                    Some(_) => "the snooze is over",
                    None => "acknowledged, but not ended in time",
                };
                self.withdraw_acknowledgement(id, "engine", because);
            }
        }
    }

    /// What the incident's source said of channels and recipients.
    fn own_terms(&self, i: &Incident) -> Terms {
        self.remaining(Terms {
            channels: i.channels.clone(),
            to: i.to.clone(),
            about: i.about.clone().map(String::from),
            ..Terms::default()
        })
    }

    /// The one sending of an incident without a policy.
    pub fn send_opening(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let planned = self.plan(i.level, &i.kind_of, &self.own_terms(i));
        self.tell(id, Origin::Opening { incident: id }, planned);
    }

    /// The last sending again: the policy's last step, or the one sending.
    fn remind(&mut self, id: IncidentId, due: EngineTime) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let planned = match self.policy_of(i) {
            Some(policy) => self.plan_step(i, policy, policy.steps.len() as u32 - 1),
            None => self.plan(i.level, &i.kind_of, &self.own_terms(i)),
        };
        let reminder = self.reminder_after(i.level, i.once, due);
        let next = self.step_before(self.next_after_all(i, i.rounds), reminder);
        self.emit(EventKind::IncidentReminded { id, next });
        self.tell(id, Origin::Reminder { incident: id }, planned);
    }

    /// Makes a sending of an incident. A notice is sent at level low, for order.
    pub fn tell(&mut self, id: IncidentId, origin: Origin, planned: Vec<Planned>) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let level = if origin.is_notice() { Level::Low } else { i.level };
        let mut payload = i.content.payload();
        // Who is called gets the files; that it is over needs none.
        if origin.is_notice() {
            payload.attachments.clear();
        }
        let message = Message {
            tenant: i.tenant.clone().map(String::from),
            initiator: i.opened_by.to_string(),
            about: i.about.clone().map(String::from),
            ..Message::new(origin, level, i.kind_of.to_string(), i.labels.clone(), payload)
        };
        self.make(message, planned);
    }
}
