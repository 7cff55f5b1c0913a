//! Incidents that somebody opens: `page`, and `POST /incidents`.

use super::asked::OpenRequest;
use super::incident::Opening;
use super::particulars::named;
use super::refusal::{Answer, Code, Refusal};
use super::request::check_body;
use super::turn::{Turn, refuse};
use crate::config::IncidentTerms;
use crate::domain::delivery::Status;
use crate::domain::event::Payload;
use crate::domain::id::IncidentId;
use crate::domain::level::Level;

/// Beginnings of the fingerprints that stentor gives to what it opens, and ends, itself.
const OWN: [&str; 5] = ["alert/", "certificate/", "heartbeat/", "self/", "watch/"];

fn check_fingerprint(fingerprint: Option<&str>) -> Result<(), Refusal> {
    let Some(fingerprint) = fingerprint else { return Ok(()) };
    if fingerprint.is_empty() || fingerprint.len() > 255 {
        return refuse(Refusal::field("fingerprint", "a fingerprint has 1 to 255 bytes"));
    }
    match OWN.into_iter().find(|own| fingerprint.starts_with(own)) {
        Some(own) => {
            let message = format!("fingerprints that begin with {own} are stentor's own; choose another beginning");
            refuse(Refusal::field("fingerprint", message))
        }
        None => Ok(()),
    }
}

impl Turn<'_> {
    pub fn open_by_hand(&mut self, mut request: OpenRequest) -> Answer {
        self.read_national(request.to.as_mut());
        self.check_text(&request.subject, &request.labels)?;
        check_body(&request.body)?;
        self.check_attachments(&request.attachments)?;
        self.check_room(request.level.map_or(Level::Urgent, |l| l.0), &request.body)?;
        self.check_names(request.channels.as_deref(), request.to.as_deref())?;
        let policy = match request.policy.as_deref() {
            None => None,
            Some("none") => Some(None),
            Some(name) if self.config.policies.contains_key(name) => Some(Some(name.to_owned())),
            Some(name) => {
                let known: Vec<&str> = self.config.policies.keys().map(String::as_str).collect();
                let message = format!("there is no policy {name:?}; there are {} and none", known.join(", "));
                return refuse(Refusal { field: Some("policy".into()), ..Refusal::new(Code::NotFound, message) });
            }
        };
        check_fingerprint(request.fingerprint.as_deref())?;
        let (kind_of, initiator) = (request.kind_of, request.initiator);
        let kind_of = named("type", kind_of)?;
        let initiator = named("initiator", initiator)?;
        let fingerprint = request.fingerprint.unwrap_or_else(|| format!("manual/{}", self.ids.ulid()));
        let mut opening = Opening {
            fingerprint,
            source: "manual",
            name: None,
            opened_by: initiator.unwrap_or_else(|| self.by.name.clone()),
            payload: Payload { subject: request.subject, body: request.body, ..Payload::default() },
            terms: IncidentTerms {
                level: request.level.map_or(Level::Urgent, |l| l.0),
                kind_of,
                policy,
                to: request.to,
                channels: request.channels,
                labels: request.labels,
            },
            about: None,
            once: false,
            tenant: request.tenant,
            alert: None,
        };
        let (level, before) = (opening.terms.level, self.state.live_incident(&opening.fingerprint).map(|i| i.level));
        // What is counted on an open one brings no text of its own, and no files.
        if before.is_none() {
            self.has_room(level)?;
            opening.payload.attachments = self.take_attachments(request.attachments);
        }
        let id = self.open(opening);
        self.pump();
        let mut answer = self.incidents_view(&[id])?;
        answer["incidents"][0]["raised"] = before.is_some_and(|before| level > before).into();
        let warnings: Vec<String> = self.without_effect(id).into_iter().chain(self.heard_by_nobody(id)).collect();
        answer["incidents"][0]["warnings"] = warnings.into();
        Ok(answer)
    }

    /// It is open and reaches nobody, now or later, though not on purpose.
    fn heard_by_nobody(&self, id: IncidentId) -> Option<String> {
        let i = self.state.incidents.get(&id)?;
        let on_purpose = i.channels.as_ref().is_some_and(Vec::is_empty);
        let sent = i.notifications.iter().filter_map(|n| self.state.notifications.get(n)).flat_map(|n| &n.deliveries);
        let mut sent = sent.filter_map(|d| self.state.deliveries.get(d));
        let lost = i.is_calling() && i.next.is_none() && !on_purpose && sent.all(|d| d.status == Status::Skipped);
        lost.then(|| "nobody is told of it: everybody it would be for is left out".to_owned())
    }

    /// What was asked for and will not happen: a policy says itself whom it tells.
    fn without_effect(&self, id: IncidentId) -> Vec<String> {
        let Some(i) = self.state.incidents.get(&id) else { return Vec::new() };
        let Some(policy) = self.policy_of(i) else { return Vec::new() };
        let words = |field| {
            format!(
                "{field} has no effect: the steps of policy {} say who is told; it has with policy none",
                policy.name
            )
        };
        let asked = [("to", i.to.is_some()), ("channels", i.channels.is_some())];
        asked.into_iter().filter(|(_, asked)| *asked).map(|(field, _)| words(field)).collect()
    }
}
