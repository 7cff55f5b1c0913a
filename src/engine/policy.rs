//! How an incident goes on by the clock: the steps and rounds of its policy.
//!
//! Step i of round r is due at base + r x every + after(i) - saved. A step that reaches nobody,
//! whose ways are all dead, or whose deliveries all ended dead lets the next one of its round fire
//! at once; what is saved by that moves all later times.

use super::incident::Opening;
use super::plan::{Planned, Terms};
use super::state::{Incident, Notification};
use super::turn::Turn;
use crate::config::{Policy, Step};
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Next, NextWhat, Origin};
use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};

/// A step of a round, both counted from 0.
pub(crate) type Place = (u32, u32);

/// Why a step fires, and what it changes.
pub(crate) struct Firing {
    pub place: Place,
    /// Missed ones that are not made up for.
    pub passed_over: Vec<Place>,
    /// By how much it and all later ones are earlier than planned; later, when negative.
    pub saved: Span,
    pub because: String,
}

impl Firing {
    pub fn of(place: Place, because: &str) -> Firing {
        Firing { place, passed_over: Vec::new(), saved: Span::ZERO, because: because.into() }
    }
}

fn every(policy: &Policy) -> Span {
    policy.every.unwrap_or_else(|| policy.steps.last().map_or(Span::ZERO, |s| s.after))
}

fn round_start(i: &Incident, policy: &Policy, round: u32) -> EngineTime {
    i.base + every(policy).times(round.into()) - i.saved
}

fn end_of(i: &Incident, policy: &Policy, round: u32) -> EngineTime {
    round_start(i, policy, round + 1)
}

fn due(i: &Incident, policy: &Policy, (round, step): Place) -> EngineTime {
    round_start(i, policy, round) + policy.steps.get(step as usize).map_or(Span::ZERO, |s| s.after)
}

/// The step after this one; `None` after the last of the last round.
fn following(i: &Incident, policy: &Policy, (round, step): Place) -> Option<Place> {
    if (step as usize) + 1 < policy.steps.len() {
        Some((round, step + 1))
    } else if round + 1 < i.rounds.min(policy.repeat + 1) {
        // As many as were said at the opening, and no more than a reload has left.
        Some((round + 1, 0))
    } else {
        None
    }
}

/// By how much later everything after this place is. A reload may have made the policy quicker: what follows would then
/// come before what is next, and keeps its distance from that instead.
fn held_up(i: &Incident, policy: &Policy, place: Place) -> Span {
    let later =
        || following(i, policy, place).map_or_else(|| end_of(i, policy, place.0), |later| due(i, policy, later));
    let quicker = |at| later() <= at;
    i.next.filter(|next| quicker(next.due)).map_or(Span::ZERO, |next| next.due - due(i, policy, place))
}

/// A reload may have made the policy shorter: its last step stands for those that are gone.
fn existing(policy: &Policy, step: u32) -> u32 {
    step.min((policy.steps.len() as u32).saturating_sub(1))
}

/// How the incident of our own begins that says that a policy reaches nobody.
const ABOUT_POLICY: &str = "policy-";

fn about_policy(name: &str, level: Level) -> String {
    format!("{ABOUT_POLICY}{name}-{level}")
}

/// The policy that such an incident is about, by its name.
pub(super) fn policy_about(name: &str) -> Option<&str> {
    Some(name.strip_prefix(ABOUT_POLICY)?.rsplit_once('-')?.0)
}

impl Turn<'_> {
    /// The policy that an incident follows, as it is configured now.
    pub fn policy_of(&self, i: &Incident) -> Option<&Policy> {
        self.policy_named(i.policy.as_deref(), i.level)
    }

    /// Where a reload took it away (or gave it another name), the level's.
    pub fn policy_named(&self, name: Option<&str>, level: Level) -> Option<&Policy> {
        let of_level = || self.config.levels.get(&level).and_then(|l| self.config.policies.get(l.policy.as_deref()?));
        let policy = self.config.policies.get(name?).or_else(of_level);
        policy.filter(|p| !p.steps.is_empty())
    }

    /// Fires a step now, and the following ones of its round while they get nowhere.
    pub fn fire(&mut self, id: IncidentId, firing: Firing) {
        self.fire_one(id, firing);
        self.reconsider(id);
    }

    fn fire_one(&mut self, id: IncidentId, firing: Firing) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some(policy) = self.policy_of(i) else { return };
        let (round, step) = firing.place;
        let planned = self.plan_step(i, policy, step);
        let nobody = planned.iter().all(|p| p.skip.is_some());
        // What stentor opens about itself proves nothing of whom the others reach.
        let (level, named) = (i.level, i.policy.clone().filter(|_| !i.fingerprint.starts_with("self/")));
        let mut moved = i.clone();
        moved.saved = moved.saved + firing.saved;
        let next = match following(&moved, policy, firing.place) {
            Some((round, step)) => {
                Some(Next { due: due(&moved, policy, (round, step)), what: NextWhat::Step { round, step } })
            }
            None => self.reminder_after(i.level, i.once, end_of(&moved, policy, round)),
        };
        let last_of_round = step as usize + 1 >= policy.steps.len();
        self.emit(EventKind::IncidentStepped {
            id,
            round,
            step,
            passed_over: firing.passed_over,
            saved: firing.saved,
            because: firing.because,
            next,
            reached_nobody: nobody,
        });
        self.tell(id, Origin::Step { incident: id, round, step }, planned);
        if !nobody && let Some(name) = named {
            self.end_self_incident(&about_policy(&name, level), "one of its steps reaches somebody");
        }
        if last_of_round && self.state.incidents.get(&id).is_some_and(|i| !i.round_reached) {
            self.nobody_in_round(id);
        }
    }

    pub fn plan_step(&self, i: &Incident, policy: &Policy, step: u32) -> Vec<Planned> {
        self.plan(i.level, &i.kind_of, &self.step_terms(i, policy.steps.get(step as usize)))
    }

    /// What a step names, else the level's channels and WHO as for any sending: steps are told instead of what the incident
    /// was opened with.
    pub fn step_terms(&self, i: &Incident, step: Option<&Step>) -> Terms {
        Terms {
            channels: step.and_then(|s| s.channels.clone()),
            to: step.and_then(|s| s.to.clone()),
            about: i.about.clone().map(String::from),
            ..Terms::default()
        }
    }

    /// A time has come: the latest missed step fires, those before are passed over.
    pub fn step_due(&mut self, id: IncidentId, round: u32, step: u32) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some(policy) = self.policy_of(i) else {
            // A reload took the policy away: one sending, as without one, is what is left.
            let next = self.reminder_after(i.level, i.once, self.now);
            self.emit(EventKind::IncidentReminded { id, next });
            return self.send_opening(id);
        };
        let mut place = (round, existing(policy, step));
        let mut later_by = held_up(i, policy, place);
        // By a quicker policy, too: what would stand for it was told, and the one behind that is late already.
        if later_by > Span::ZERO && i.fired == Some(place) {
            place = following(i, policy, place).unwrap_or(place);
            later_by = held_up(i, policy, place);
        }
        let mut passed_over = Vec::new();
        while let Some(later) = following(i, policy, place)
            && due(i, policy, later) + later_by <= self.now
        {
            passed_over.push(place);
            place = later;
        }
        // One that stands for a step that is gone may have been told.
        passed_over.retain(|place| i.fired != Some(*place));
        let saved = Span::ZERO - later_by;
        self.fire(id, Firing { passed_over, saved, ..Firing::of(place, "its time has come") });
    }

    /// If the latest step got nowhere, the next one of its round need not wait.
    pub fn reconsider(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id).filter(|i| i.is_calling()) else { return };
        // Without its policy it goes on by the clock alone, see `step_due`.
        let Some(policy) = self.policy_of(i) else { return };
        let (Some(fired), Some(Next { due, what: NextWhat::Step { round, step } })) = (i.fired, i.next) else { return };
        if round != fired.0 || due <= self.now {
            return;
        }
        let origin = Origin::Step { incident: id, round: fired.0, step: fired.1 };
        let sending =
            i.notifications.iter().rev().find_map(|n| self.state.notifications.get(n).filter(|n| n.origin == origin));
        if let Some(because) = sending.and_then(|n| self.lost(n)) {
            let place = (round, existing(policy, step));
            if i.fired == Some(place) {
                // A reload took away what would come next in this round.
                return;
            }
            let saved = due - self.now - held_up(i, policy, place);
            self.fire(id, Firing { saved, ..Firing::of(place, because) });
        }
    }

    /// What comes next by the policy as it is now, of an incident that has the last of its steps behind it.
    pub fn next_after_all(&self, i: &Incident, rounds: u32) -> Option<Next> {
        let Some(policy) = self.policy_of(i) else { return self.reminder_after(i.level, i.once, i.base) };
        let Some(fired) = i.fired else {
            // It began while its policy was away.
            return Some(Next { due: due(i, policy, (0, 0)), what: NextWhat::Step { round: 0, step: 0 } });
        };
        let mut moved = i.clone();
        moved.rounds = rounds;
        match following(&moved, policy, fired) {
            Some((round, step)) => {
                Some(Next { due: due(&moved, policy, (round, step)), what: NextWhat::Step { round, step } })
            }
            None => self.reminder_after(i.level, i.once, end_of(&moved, policy, fired.0)),
        }
    }

    /// The same for every incident; after a channel died.
    pub fn reconsider_all(&mut self) {
        let calling: Vec<IncidentId> = self.state.live_incidents().filter(|i| i.is_calling()).map(|i| i.id).collect();
        for id in calling {
            self.reconsider(id);
        }
    }

    /// Why a sending gets nowhere, if it does not.
    fn lost(&self, n: &Notification) -> Option<&'static str> {
        let all = n.deliveries.iter().filter_map(|d| self.state.deliveries.get(d));
        let real: Vec<_> = all.filter(|d| d.status != Status::Skipped).collect();
        let over = |status| matches!(status, Status::Dead | Status::Expired);
        let waits = |status: Status| !status.is_end() && !matches!(status, Status::Sending | Status::Submitted);
        if real.is_empty() {
            return Some("the step before reached nobody");
        }
        if real.iter().all(|d| over(d.status)) {
            return Some("every delivery of the step before ended dead");
        }
        let dead = real.iter().all(|d| over(d.status) || (waits(d.status) && self.all_ways_dead(d)));
        dead.then_some("every way of the step before is dead")
    }

    /// A step before its time, on request; all later times shift by as much.
    pub fn fire_early(&mut self, id: IncidentId, place: Place, because: &str) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let Some(policy) = self.policy_of(i) else { return };
        let saved = due(i, policy, place) - self.now;
        self.fire(id, Firing { saved, ..Firing::of(place, because) });
    }

    /// A whole round reached nobody: the level's channels with their own `to`, and say so.
    fn nobody_in_round(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let (level, policy, number) = (i.level, i.policy.clone().unwrap_or_default(), i.number);
        let terms = Terms { own_to: true, about: i.about.clone().map(String::from), ..Terms::default() };
        let planned = self.plan(level, &i.kind_of, &terms);
        self.tell(id, Origin::Opening { incident: id }, planned);
        let subject = format!("Policy {policy} reaches nobody");
        let body = format!("A whole round for #{number} had nobody to tell. The level's channels were used.");
        self.open(Opening::about_self(&about_policy(&policy, level), Level::High.min(level), subject, body));
    }
}
