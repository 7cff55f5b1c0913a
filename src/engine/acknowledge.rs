//! Acknowledgement and its opposites, escalation by hand, snooze, and who hears of it.

use super::input::Role;
use super::particulars;
use super::plan::Planned;
use super::refusal::{Answer, Code, Refusal};
use super::state::{Delivery, Incident, IncidentStatus, Told};
use super::turn::{Turn, refuse};
use crate::config::Updates;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Next, NextWhat, Origin};
use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

impl Turn<'_> {
    pub fn acknowledge(&mut self, id: Option<&str>, note: Option<String>, by: Option<String>, via: String) -> Answer {
        let incident = match id {
            Some(id) => self.find_incident(id)?,
            None => self.only_unacknowledged()?,
        };
        if !self.may_acknowledge(incident) {
            let message = "acknowledging needs the role operator, or to have been told of it and not to be a client";
            return refuse(Refusal::new(Code::Forbidden, message));
        }
        let Some(i) = self.state.incidents.get(&incident) else { return self.incidents_view(&[incident]) };
        let (status, snoozed) = (i.status, i.snoozed_until.is_some());
        if status == IncidentStatus::Resolved {
            return refuse(Refusal::new(Code::Conflict, format!("{} is resolved already", self.numbered(incident))));
        }
        // A snooze acknowledges too, but only until it is over.
        let already = status == IncidentStatus::Acknowledged && !snoozed;
        let (mut stopped, mut told) = (Vec::new(), Vec::new());
        let by = particulars::named("by", by)?;
        if !already {
            let by = by.or_else(|| self.by.person.clone()).unwrap_or_else(|| self.by.name.clone());
            stopped = self.about_to_stop(incident);
            told = self.acknowledge_now(incident, &by, via, note);
            self.pump();
        }
        let mut answer = self.incidents_view(&[incident])?;
        let view = &mut answer["incidents"][0];
        view["stopped"] = stopped.into();
        view["told"] = told.into();
        view["already"] = already.into();
        view["still_broken"] = self.stays_open(incident).into();
        Ok(answer)
    }

    /// Returns who is told of it.
    fn acknowledge_now(&mut self, id: IncidentId, by: &str, via: String, note: Option<String>) -> Vec<String> {
        let timeout = self
            .state
            .incidents
            .get(&id)
            .and_then(|i| self.config.levels.get(&i.level))
            .and_then(|l| l.ack_timeout)
            .map(|t| Next { due: self.now + t, what: NextWhat::Restart });
        // Those who were told heard of the first one.
        let before = self.state.incidents.get(&id).map(|i| i.status);
        self.emit(EventKind::IncidentAcknowledged { id, by: by.into(), via, note, next: timeout });
        self.stop_calling(id, &format!("acknowledged by {by}"));
        if before == Some(IncidentStatus::Acknowledged) { Vec::new() } else { self.notify_acknowledged(id, by) }
    }

    /// Among those that the caller may acknowledge: nobody else's are named to them.
    fn only_unacknowledged(&self) -> Result<IncidentId, Refusal> {
        let mine = |i: &&Incident| self.may_acknowledge(i.id);
        let open: Vec<&Incident> =
            self.state.live_incidents().filter(|i| i.status == IncidentStatus::Open).filter(mine).collect();
        match open.as_slice() {
            [one] => Ok(one.id),
            [] => {
                let last = self.state.last_acknowledged.and_then(|id| self.state.incidents.get(&id)).filter(mine);
                let last = last.map_or(String::new(), |i| {
                    let by = i.acknowledged_by.as_deref().unwrap_or("somebody");
                    let at = i.acknowledged_at.map(|t| format!(" at {}", self.clock(t))).unwrap_or_default();
                    format!("; the last acknowledged is #{} {} (by {by}{at})", i.number, i.content.subject)
                });
                refuse(Refusal::new(Code::NotFound, format!("no incident waits for an acknowledgement{last}")))
            }
            several => {
                let list: Vec<String> =
                    several.iter().map(|i| format!("#{} {} {}", i.number, i.level, i.content.subject)).collect();
                let message =
                    format!("{} incidents wait for an acknowledgement, name one: {}", list.len(), list.join("; "));
                refuse(Refusal { field: Some("id".into()), ..Refusal::new(Code::Conflict, message) })
            }
        }
    }

    /// An operator, or a person who was told of this incident and has no tier.
    pub fn may_acknowledge(&self, id: IncidentId) -> bool {
        let was_told = |name: &String| {
            let client = self.config.people.get(name).is_some_and(|p| p.tier.is_some());
            let told = self.state.incidents.get(&id).map(|i| &i.told);
            !client && told.is_some_and(|told| told.iter().any(|t| t.who.as_deref() == Some(name)))
        };
        self.by.role >= Role::Operator || self.by.person.as_ref().is_some_and(was_told)
    }

    /// `02:41`, in the daemon's zone; on another day than today with its date.
    fn clock(&self, at: Timestamp) -> String {
        let zone = &self.config.daemon.timezone;
        let (at, now) = (at.zoned(zone), self.wall.zoned(zone));
        at.strftime(if at.date() == now.date() { "%H:%M" } else { "%F %H:%M" }).to_string()
    }

    /// What is still wrong, and therefore when an acknowledged incident ends.
    fn stays_open(&self, id: IncidentId) -> Option<String> {
        self.still_broken(id)?;
        let source = self.state.incidents.get(&id)?.labels.get("source")?;
        let end = match source {
            "heartbeat" => "the heartbeat passes",
            "alert" => "its source no longer reports it",
            _ => "the value is back",
        };
        Some(format!("it stays open until {end}"))
    }

    /// What an acknowledgement or the end is about to stop, for its answer: sounds, what waits to go
    /// out, and what would have come next.
    pub fn about_to_stop(&self, id: IncidentId) -> Vec<String> {
        let Some(i) = self.state.incidents.get(&id) else { return Vec::new() };
        let sounds = self.state.sounding.iter().filter(|(_, s)| s.values().any(|s| s.incident == Some(id)));
        let mut stopped: Vec<String> = sounds.map(|(channel, _)| channel.clone()).collect();
        stopped.extend(self.pending_calls(id));
        if let Some(until) = i.snoozed_until {
            stopped.push(format!("the end of the snooze at {}", self.clock(self.state.wall_time(until))));
        }
        if let Some(next) = i.next.filter(|_| i.is_calling()) {
            let at = self.clock(self.state.wall_time(next.due));
            stopped.push(match next.what {
                NextWhat::Step { round, step: 0 } => format!("round {} at {at}", round + 1),
                NextWhat::Step { round, step } => format!("step {} of round {} at {at}", step + 1, round + 1),
                _ => format!("reminder at {at}"),
            });
        }
        stopped
    }

    /// `alice by call`, for what has not gone out yet.
    fn pending_calls(&self, id: IncidentId) -> Vec<String> {
        let waiting = self.state.pending_of(id).into_iter().filter_map(|d| self.state.deliveries.get(&d));
        let calls = |d: &&Delivery| {
            let origin = self.state.notifications.get(&d.notification).map(|n| &n.origin);
            !matches!(d.status, Status::Sending | Status::Submitted) && !origin.is_some_and(Origin::is_notice)
        };
        waiting.filter(calls).map(|d| by_channel(d.who.as_ref().or(d.address.as_ref()), d.channel())).collect()
    }

    pub fn unacknowledge(&mut self, id: &str) -> Answer {
        let incident = self.find_incident(id)?;
        if self.state.incidents.get(&incident).map(|i| i.status) != Some(IncidentStatus::Acknowledged) {
            return refuse(Refusal::new(Code::Conflict, format!("{} is not acknowledged", self.numbered(incident))));
        }
        let by = self.by.name.clone();
        self.withdraw_acknowledgement(incident, &by, "withdrawn by hand");
        self.pump();
        self.incidents_view(&[incident])
    }

    /// It starts again at the first step, round 0, as if opened now.
    pub fn withdraw_acknowledgement(&mut self, id: IncidentId, by: &str, because: &str) {
        let (base, next) = (self.now, self.next_anew(id));
        self.emit(EventKind::IncidentUnacknowledged { id, by: by.into(), because: because.into(), base, next });
        if self.state.incidents.get(&id).is_some_and(Incident::is_calling) {
            self.begin(id, because);
        }
    }

    pub fn snooze(&mut self, id: &str, span: Span) -> Answer {
        let incident = self.find_incident(id)?;
        if span < Span::secs(1) || span > Span::days(7) {
            return refuse(Refusal::field("for", "a snooze takes between 1s and 7d"));
        }
        if !self.state.incidents.get(&incident).is_some_and(Incident::is_live) {
            return refuse(Refusal::new(Code::Conflict, format!("{} is resolved already", self.numbered(incident))));
        }
        let by = self.by.person.clone().unwrap_or_else(|| self.by.name.clone());
        if self.state.incidents.get(&incident).is_some_and(|i| i.status == IncidentStatus::Open) {
            self.acknowledge_now(incident, &by, "snooze".into(), None);
        }
        self.emit(EventKind::IncidentSnoozed { id: incident, by, until: self.now + span });
        self.pump();
        self.incidents_view(&[incident])
    }

    /// The next step now, the same shift for all later ones; after the last a new round.
    pub fn escalate(&mut self, id: &str) -> Answer {
        let incident = self.find_incident(id)?;
        let place = self.next_step(incident).or_else(refuse)?;
        let because = format!("escalated by {}", self.by.name);
        self.fire_early(incident, place, &because);
        self.pump();
        self.incidents_view(&[incident])
    }

    /// Where escalating leads.
    ///
    /// # Errors
    /// Why it leads nowhere.
    pub fn next_step(&self, incident: IncidentId) -> Result<(u32, u32), Refusal> {
        let Some(i) = self.state.incidents.get(&incident) else { return Err(Refusal::new(Code::NotFound, "gone")) };
        let conflict = |why: &str| Err(Refusal::new(Code::Conflict, format!("#{} {why}", i.number)));
        match i.status {
            IncidentStatus::Resolved => return conflict("is resolved already"),
            IncidentStatus::Acknowledged => return conflict("is acknowledged; unack it first"),
            IncidentStatus::Open => {}
        }
        let Some(policy) = self.policy_of(i) else {
            return conflict("follows no policy, so there is no next step");
        };
        if i.silenced_by.is_some() {
            return conflict("is silenced");
        }
        Ok(match i.fired {
            None => (0, 0),
            Some((r, s)) if (s as usize) + 1 < policy.steps.len() => (r, s + 1),
            Some((r, _)) => (r + 1, 0),
        })
    }

    /// To each place at which an attempt was begun, except the one who acknowledged.
    fn notify_acknowledged(&mut self, id: IncidentId, by: &str) -> Vec<String> {
        let places = self.places_told(id, |u| u.acknowledged, Some(by));
        self.notice(id, Origin::Acknowledged { incident: id }, places)
    }

    pub fn notify_resolved(&mut self, id: IncidentId) -> Vec<String> {
        let places = self.places_told(id, |u| u.resolved, None);
        self.notice(id, Origin::Resolved { incident: id }, places)
    }

    /// Each (channel, address) at which an attempt was begun, once, if the channel tells of this.
    fn places_told(&self, id: IncidentId, wants: impl Fn(&Updates) -> bool, but: Option<&str>) -> Vec<Told> {
        let Some(i) = self.state.incidents.get(&id).filter(|i| !i.once) else { return Vec::new() };
        let mut places: BTreeMap<(&str, Option<&str>), &Told> = BTreeMap::new();
        for told in &i.told {
            // The same address may have been told as somebody's and by itself.
            let place = places.entry((&told.channel, told.address.as_deref())).or_insert(told);
            if told.who.is_some() {
                *place = told;
            }
        }
        places
            .into_values()
            .filter(|t| self.config.channels.get(&*t.channel).is_some_and(|c| wants(&c.updates)))
            .filter(|t| but.is_none() || t.who.as_deref() != but)
            .cloned()
            .collect()
    }

    fn notice(&mut self, id: IncidentId, origin: Origin, places: Vec<Told>) -> Vec<String> {
        if places.is_empty() {
            return Vec::new();
        }
        let kind_of = self.state.incidents.get(&id).map(|i| i.kind_of.clone()).unwrap_or_default();
        let planned: Vec<Planned> = places.into_iter().map(|t| self.notice_to(t, &kind_of)).collect();
        let told = planned.iter().filter(|p| p.skip.is_none()).map(shown).collect();
        self.tell(id, origin, planned);
        told
    }

    fn notice_to(&self, told: Told, kind_of: &str) -> Planned {
        let (who, address) = (told.who.map(String::from), told.address.map(String::from));
        let mut one = Planned { medium: told.medium, who, address, ..Planned::fixed(&told.channel) };
        one.skip = one.medium.and_then(|m| self.held_back(&one.reader(Level::Low, kind_of, false), m, self.wall));
        one
    }
}

fn shown(p: &Planned) -> String {
    by_channel(p.who.as_ref().or(p.address.as_ref()), &p.channel)
}

/// `bob by mail`, `ops-slack`.
fn by_channel(who: Option<&String>, channel: &str) -> String {
    who.map_or_else(|| channel.to_owned(), |who| format!("{who} by {channel}"))
}
