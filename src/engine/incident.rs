//! Opening, repeating, raising and resolving incidents.

use super::labels::{OwnLabels, type_of};
use super::refusal::{Answer, Code, Refusal};
use super::report::FirstReport;
use super::state::{Incident, IncidentStatus};
use super::turn::{Turn, refuse};
use crate::config::IncidentTerms;
use crate::domain::Labels;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Origin, Payload};
use crate::domain::id::{Ending, IncidentId};
use crate::domain::level::Level;

/// Everything that an incident needs to open.
pub(crate) struct Opening {
    pub fingerprint: String,
    /// heartbeat, watch, alert, manual, self.
    pub source: &'static str,
    pub name: Option<String>,
    pub opened_by: String,
    pub payload: Payload,
    pub terms: IncidentTerms,
    pub about: Option<String>,
    /// A watch with tiers.
    pub once: bool,
    pub tenant: Option<String>,
    /// By an alert from outside.
    pub alert: Option<FirstReport>,
}

impl Opening {
    /// One that stentor opens about itself.
    pub fn about_self(name: &str, level: Level, subject: String, body: String) -> Opening {
        Opening {
            fingerprint: format!("self/{name}"),
            source: "self",
            name: Some(name.into()),
            opened_by: "stentor".into(),
            payload: Payload { subject, body, ..Payload::default() },
            terms: IncidentTerms {
                level,
                kind_of: None,
                policy: None,
                to: None,
                channels: None,
                labels: Labels::new(),
            },
            about: None,
            once: false,
            tenant: None,
            alert: None,
        }
    }
}

impl Turn<'_> {
    /// Opens it, or counts it on the one that is open under the same fingerprint.
    pub fn open(&mut self, opening: Opening) -> IncidentId {
        let level = opening.terms.level;
        if let Some((id, of)) = self.state.live_incident(&opening.fingerprint).map(|i| (i.id, i.level)) {
            self.emit(EventKind::IncidentRepeated { id });
            if level > of {
                self.raise(id, level, opening.terms);
            }
            return id;
        }
        self.open_anew(opening)
    }

    /// Opens it; there is none under its fingerprint.
    pub fn open_anew(&mut self, opening: Opening) -> IncidentId {
        let level = opening.terms.level;
        let id = IncidentId(self.ids.ulid());
        let Opening { terms, about, once, tenant, .. } = opening;
        let kind_of = type_of(&terms.kind_of, &terms.labels);
        let own = OwnLabels {
            source: opening.source,
            name: opening.name.as_deref(),
            tenant: tenant.as_deref(),
            channel: about.as_deref(),
            ..OwnLabels::default()
        };
        let (labels, kept) = match opening.alert {
            Some(_) => own.beside(terms.labels, level, &kind_of),
            None => (own.over(terms.labels, level, &kind_of), Vec::new()),
        };
        let policy = if once { None } else { self.policy_for(level, &terms.policy) };
        let silenced_by = self.silence_for(&labels);
        let silenced = silenced_by.is_some();
        self.emit_with(
            EventKind::IncidentOpened {
                id,
                number: self.state.last_number + 1,
                fingerprint: opening.fingerprint,
                level,
                kind_of,
                labels: labels.into(),
                opened_by: opening.opened_by,
                base: self.now,
                rounds: self.rounds_of(policy.as_deref()),
                next: self.first_next(level, policy.as_deref(), once),
                policy,
                channels: terms.channels,
                to: terms.to,
                about,
                silenced_by,
                once,
                tenant,
            },
            opening.payload,
        );
        if let Some(first) = opening.alert {
            self.emit(first.event(id, kept));
        }
        if !silenced {
            self.begin(id, "the incident opened");
        }
        id
    }

    /// `policy = "none"` is said and ends the search; else the level's.
    fn policy_for(&self, level: Level, given: &Option<Option<String>>) -> Option<String> {
        match given {
            Some(said) => said.clone(),
            None => self.config.levels.get(&level).and_then(|l| l.policy.clone()),
        }
    }

    fn rounds_of(&self, policy: Option<&str>) -> u32 {
        policy.and_then(|p| self.config.policies.get(p)).map_or(0, |p| p.repeat + 1)
    }

    /// A higher level: from the first step of its policy, whoever had acknowledged.
    pub fn raise(&mut self, id: IncidentId, level: Level, terms: IncidentTerms) {
        let once = self.state.incidents.get(&id).is_some_and(|i| i.once);
        let policy = if once { None } else { self.policy_for(level, &terms.policy) };
        self.emit(EventKind::IncidentRaised {
            id,
            level,
            base: self.now,
            rounds: self.rounds_of(policy.as_deref()),
            next: self.first_next(level, policy.as_deref(), once),
            policy,
            channels: terms.channels,
            to: terms.to,
        });
        self.silence_anew(id);
        if self.state.incidents.get(&id).is_some_and(Incident::is_calling) {
            self.begin(id, "a higher level was reported");
        }
    }

    pub fn resolve_by_hand(&mut self, id: &str, note: Option<String>) -> Answer {
        let incident = self.find_incident(id)?;
        if !self.state.incidents.get(&incident).is_some_and(Incident::is_live) {
            return refuse(Refusal::new(Code::Conflict, format!("{} is resolved already", self.numbered(incident))));
        }
        let still = self.still_broken(incident);
        let by = self.by.person.clone().unwrap_or_else(|| self.by.name.clone());
        let stopped = self.about_to_stop(incident);
        let told = self.resolve(incident, &by, "resolved by hand", note);
        self.pump();
        let mut answer = self.incidents_view(&[incident])?;
        let view = &mut answer["incidents"][0];
        view["stopped"] = stopped.into();
        view["told"] = told.into();
        view["still_broken"] = still.map(|what| format!("{what}, and opens a new incident if it goes on")).into();
        Ok(answer)
    }

    /// Ends an incident: what waits is superseded, sounds stop, those who were told hear of it: they
    /// are returned.
    pub fn resolve(&mut self, id: IncidentId, by: &str, because: &str, note: Option<String>) -> Vec<String> {
        self.emit(EventKind::IncidentResolved { id, by: by.into(), because: because.into(), note });
        self.supersede(id, "resolved", |_| true);
        self.hang_up_for(id);
        self.silence_incident(id, "resolved");
        self.notify_resolved(id)
    }

    /// Whatever calls for this incident and still waits ends, and its sounds stop. What is under
    /// way runs to its end, and notices go on.
    pub fn stop_calling(&mut self, id: IncidentId, because: &str) {
        self.supersede(id, because, |origin| !origin.is_notice());
        self.hang_up_for(id);
        self.silence_incident(id, because);
    }

    fn supersede(&mut self, id: IncidentId, because: &str, which: impl Fn(&Origin) -> bool) {
        for delivery in self.state.pending_of(id) {
            let Some(d) = self.state.deliveries.get(&delivery) else { continue };
            let origin = self.state.notifications.get(&d.notification).map(|n| &n.origin);
            let under_way = matches!(d.status, Status::Sending | Status::Submitted);
            if !under_way && origin.is_none_or(&which) {
                self.end_delivery(delivery, Status::Superseded, because);
            }
        }
    }

    /// By number (`417`, `#417`), whole id, or at least its last four characters.
    pub fn find_incident(&self, id: &str) -> Result<IncidentId, Refusal> {
        let text = id.trim();
        let not_found = || Refusal {
            field: Some("id".into()),
            ..Refusal::new(Code::NotFound, format!("there is no incident {text:?}"))
        };
        let bare = text.strip_prefix('#').unwrap_or(text);
        if let Ok(number) = bare.parse::<u64>()
            && let Some(i) = self.state.incident_by_number(number)
        {
            return Ok(i.id);
        }
        match bare.parse() {
            Ok(id) if self.state.incidents.contains_key(&id) => return Ok(id),
            _ => {}
        }
        let ending = Ending::parse(bare).ok_or_else(not_found)?;
        let fitting = self.state.incidents.keys().filter(|id| ending.fits(id.0));
        unambiguous(text, fitting)?.copied().ok_or_else(not_found)
    }

    pub fn numbered(&self, id: IncidentId) -> String {
        self.state.incidents.get(&id).map_or_else(|| id.to_string(), |i| format!("#{}", i.number))
    }

    /// What the incident is about is still wrong, as far as we know.
    pub fn still_broken(&self, id: IncidentId) -> Option<String> {
        use crate::domain::event::{HeartbeatStatus, WatchStatus};
        let i = self.state.incidents.get(&id)?;
        if i.status == IncidentStatus::Resolved {
            return None;
        }
        if let Some(name) = i.fingerprint.strip_prefix("heartbeat/") {
            let h = self.state.heartbeats.get(name)?;
            return match h.status {
                HeartbeatStatus::Failing => Some(format!("heartbeat {name} fails")),
                HeartbeatStatus::Late => Some(format!("heartbeat {name} is late")),
                _ => None,
            };
        }
        if i.alert.is_some() {
            return Some("its source still reports the alert".to_owned());
        }
        let name = i.fingerprint.strip_prefix("watch/")?;
        let w = self.state.watches.get(name)?;
        (w.status == WatchStatus::Breached).then(|| format!("watch {name} is breached"))
    }
}

/// The only one of those that an ending fits.
///
/// # Errors
/// When there are several.
pub(crate) fn unambiguous<T>(ending: &str, mut fitting: impl Iterator<Item = T>) -> Result<Option<T>, Refusal> {
    let found = fitting.next();
    if found.is_some() && fitting.next().is_some() {
        return refuse(Refusal::field("id", format!("{ending:?} fits several; write more of it")));
    }
    Ok(found)
}
