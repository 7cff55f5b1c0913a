//! How an incident goes on by the clock: steps, rounds, reminders.
//!
//! Step i of round r is due at base + r x every + after(i) - saved. A step whose ways are all
//! dead, or that reaches nobody, lets the next one of its round fire at once; what is saved by
//! that moves all later times.

use super::incident::Opening;
use super::sending::{Message, Planned, Terms};
use super::state::Incident;
use super::turn::Turn;
use crate::config::Policy;
use crate::domain::event::{EventKind, Next, NextWhat, Origin, Payload};
use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};

/// The start of a round, and when a step of it is due.
fn round_start(i: &Incident, policy: &Policy, round: u32) -> EngineTime {
    i.base + every(policy).times(round.into()) - i.saved
}

fn every(policy: &Policy) -> Span {
    policy.every.unwrap_or_else(|| policy.steps.last().map_or(Span::ZERO, |s| s.after))
}

fn step_due(i: &Incident, policy: &Policy, round: u32, step: u32) -> EngineTime {
    round_start(i, policy, round) + policy.steps.get(step as usize).map_or(Span::ZERO, |s| s.after)
}

/// The step after this one; `None` after the last of the last round.
fn following(i: &Incident, policy: &Policy, round: u32, step: u32) -> Option<(u32, u32)> {
    if (step as usize) + 1 < policy.steps.len() {
        Some((round, step + 1))
    } else if round + 1 < i.rounds {
        Some((round + 1, 0))
    } else {
        None
    }
}

impl Turn<'_> {
    /// Fires a step now, and the following ones of its round while nobody can be reached.
    pub fn fire(&mut self, id: IncidentId, round: u32, step: u32, passed_over: Vec<(u32, u32)>, because: &str) {
        self.fire_on(id, round, step, passed_over, Span::ZERO, because);
    }

    fn fire_on(&mut self, id: IncidentId, round: u32, step: u32, passed: Vec<(u32, u32)>, saved: Span, because: &str) {
        let mut reach = self.fire_one(id, round, step, passed, saved, because);
        while let Some(dead) = reach.filter(|r| r.is_dead())
            && let Some(i) = self.state.incidents.get(&id)
            && let Some(Next { due, what: NextWhat::Step { round: r, step } }) = i.next
            && r == round
        {
            let saved = due - self.now;
            reach = self.fire_one(id, r, step, Vec::new(), saved, dead.why());
        }
    }

    fn fire_one(
        &mut self,
        id: IncidentId,
        round: u32,
        step: u32,
        passed_over: Vec<(u32, u32)>,
        saved: Span,
        because: &str,
    ) -> Option<Reach> {
        let i = self.state.incidents.get(&id)?;
        let policy = self.config.policies.get(i.policy.as_deref()?)?;
        let what = policy.steps.get(step as usize)?;
        let terms = Terms {
            channels: what.channels.clone().or_else(|| i.channels.clone()),
            to: what.to.clone().or_else(|| i.to.clone()),
            about: i.about.clone(),
            force: false,
        };
        let planned = self.plan(i.level, &i.kind_of.clone(), &terms);
        let reach = self.reach(&planned);
        let mut moved = i.clone();
        moved.saved = moved.saved + saved;
        moved.rounds = moved.rounds.max(round + 1);
        let next = match following(&moved, policy, round, step) {
            Some((r, s)) => {
                Some(Next { due: step_due(&moved, policy, r, s), what: NextWhat::Step { round: r, step: s } })
            }
            None => self.reminder_after(&moved, round_start(&moved, policy, round) + every(policy)),
        };
        let last_of_round = step as usize + 1 == policy.steps.len();
        self.emit(EventKind::IncidentStepped {
            id,
            round,
            step,
            passed_over,
            saved,
            because: because.into(),
            next,
            reached_nobody: reach == Reach::Nobody,
        });
        self.tell(id, Origin::Step { incident: id, round, step }, planned);
        if last_of_round && self.state.incidents.get(&id).is_some_and(|i| !i.round_reached) {
            self.nobody_in_round(id);
        }
        Some(reach)
    }

    /// Whether the sending gets anywhere, as far as we know now.
    fn reach(&self, planned: &[Planned]) -> Reach {
        let mut real = planned.iter().filter(|p| p.skip.is_none()).peekable();
        if real.peek().is_none() {
            return Reach::Nobody;
        }
        if real.all(|p| self.all_ways_dead(p, true)) { Reach::DeadWays } else { Reach::Somebody }
    }

    /// A time has come: the latest missed step fires, those before are passed over.
    pub fn step_due(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some(Next { what: NextWhat::Step { mut round, mut step }, .. }) = i.next else { return };
        let Some(policy) = i.policy.as_deref().and_then(|p| self.config.policies.get(p)) else {
            // A reload took the policy away: the level's channels are what is left.
            return self.opening(id);
        };
        if step as usize >= policy.steps.len() {
            // A reload made the policy shorter.
            step = policy.steps.len().saturating_sub(1) as u32;
        }
        let mut passed_over = Vec::new();
        while let Some((r, s)) = following(i, policy, round, step)
            && step_due(i, policy, r, s) <= self.now
        {
            passed_over.push((round, step));
            (round, step) = (r, s);
        }
        self.fire(id, round, step, passed_over, "its time has come");
    }

    /// The latest step's deliveries have all ended dead: the next of the round need not wait.
    pub fn step_died(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some((round, step)) = i.fired else { return };
        let Some(Next { due, what: NextWhat::Step { round: r, step: s } }) = i.next else { return };
        if r != round || !i.is_calling() || due <= self.now {
            return;
        }
        let latest = i.notifications.iter().rev().find_map(|n| {
            let n = self.state.notifications.get(n)?;
            (n.origin == Origin::Step { incident: id, round, step }).then_some(n)
        });
        let all_dead = latest.is_some_and(|n| {
            let mut real = n
                .deliveries
                .iter()
                .filter_map(|d| self.state.deliveries.get(d))
                .filter(|d| d.status != crate::domain::delivery::Status::Skipped)
                .peekable();
            real.peek().is_some() && real.all(|d| d.status == crate::domain::delivery::Status::Dead)
        });
        if all_dead {
            let saved = due - self.now;
            self.fire_on(id, r, s, Vec::new(), saved, "every delivery of the step before ended dead");
        }
    }

    /// A step before its time, on request; all later times shift by as much.
    pub fn fire_early(&mut self, id: IncidentId, round: u32, step: u32, because: &str) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some(policy) = i.policy.as_deref().and_then(|p| self.config.policies.get(p)) else { return };
        let saved = step_due(i, policy, round, step) - self.now;
        self.fire_on(id, round, step, Vec::new(), saved, because);
    }

    /// A whole round reached nobody: the level's channels with their own `to`, and say so.
    fn nobody_in_round(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let (level, kind_of, policy) = (i.level, i.kind_of.clone(), i.policy.clone().unwrap_or_default());
        let channels = self.config.levels.get(&level).map(|l| l.channels.clone());
        let terms = Terms { channels, about: i.about.clone(), ..Terms::default() };
        let planned = self.plan(level, &kind_of, &terms);
        self.tell(id, Origin::Opening { incident: id }, planned);
        let subject = format!("Policy {policy} reaches nobody");
        let body =
            format!("A whole round for {} had nobody to tell. The level's channels were used.", self.numbered(id));
        self.open(Opening::about_self(&format!("policy-{policy}"), Level::High.min(level), subject, body));
    }

    /// The one sending of an incident without a policy.
    pub fn opening(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let terms = Terms { channels: i.channels.clone(), to: i.to.clone(), about: i.about.clone(), force: false };
        let planned = self.plan(i.level, &i.kind_of.clone(), &terms);
        let next = self.reminder_after(i, i.base);
        self.emit(EventKind::IncidentReminded { id, next });
        self.tell(id, Origin::Opening { incident: id }, planned);
    }

    /// The last sending again.
    pub fn remind(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some(Next { due, .. }) = i.next else { return };
        let step = i.policy.as_deref().and_then(|p| self.config.policies.get(p)).and_then(|p| p.steps.last());
        let terms = Terms {
            channels: step.and_then(|s| s.channels.clone()).or_else(|| i.channels.clone()),
            to: step.and_then(|s| s.to.clone()).or_else(|| i.to.clone()),
            about: i.about.clone(),
            force: false,
        };
        let planned = self.plan(i.level, &i.kind_of.clone(), &terms);
        let next = self.reminder_after(i, due);
        self.emit(EventKind::IncidentReminded { id, next });
        self.tell(id, Origin::Reminder { incident: id }, planned);
    }

    /// The first reminder after `from` that is still to come.
    fn reminder_after(&self, i: &Incident, from: EngineTime) -> Option<Next> {
        if i.once {
            return None;
        }
        let remind = self.config.levels.get(&i.level)?.remind?;
        let missed = (self.now - from).0.max(0) / remind.0.max(1);
        Some(Next { due: from + remind.times(missed + 1), what: NextWhat::Reminder })
    }

    /// Makes the sending of an incident.
    pub fn tell(&mut self, id: IncidentId, origin: Origin, planned: Vec<Planned>) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let message = Message {
            level: if origin.is_notice() { Level::Low } else { i.level },
            origin,
            kind_of: i.kind_of.clone(),
            labels: i.labels.clone(),
            payload: Payload {
                subject: i.content.subject.clone(),
                body: i.content.body.clone(),
                annotations: i.content.annotations.clone(),
                ..Payload::default()
            },
            correlation_id: None,
            tenant: i.tenant.clone(),
            initiator: i.opened_by.clone(),
            idempotency: None,
            ttl: Span::days(1),
            not_before: None,
            heartbeat: None,
        };
        self.make(message, planned, false);
    }
}

/// How far a sending gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Somebody,
    Nobody,
    DeadWays,
}

impl Reach {
    fn is_dead(self) -> bool {
        self != Reach::Somebody
    }

    fn why(self) -> &'static str {
        match self {
            Reach::Somebody => "",
            Reach::Nobody => "the step before reached nobody",
            Reach::DeadWays => "every way of the step before is dead",
        }
    }
}
