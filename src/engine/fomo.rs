//! `fomo push`: the tiers of a deal are told now, whatever the threshold.

use super::labels::{OwnLabels, type_or};
use super::limit::Claim;
use super::plan::Terms;
use super::refusal::{Answer, Refusal};
use super::sending::Message;
use super::turn::{Turn, refuse};
use super::watch::{describe, fingerprint, number};
use crate::config::{Rule, Watch};
use crate::domain::Labels;
use crate::domain::event::{Origin, Payload};
use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::who::Who;

impl Turn<'_> {
    /// First sets the metric of the deal's watch; if that opens the watch's incident, its sending
    /// is the push, else a one-shot.
    pub fn push_fomo(&mut self, deal: &str, remaining: f64, tiers: Vec<String>) -> Answer {
        if !remaining.is_finite() || remaining < 0.0 {
            return refuse(Refusal::field("remaining", "the remaining capacity is a number, 0 or more"));
        }
        if deal.trim().is_empty() {
            return refuse(Refusal::field("deal", "a deal is needed"));
        }
        let config = self.config;
        let watch = config.watches.values().find(|w| matches!(&w.rule, Rule::Capacity { deal: d, .. } if d == deal));
        let to = self.tiers_to_push(deal, tiers, watch)?;
        let open = |t: &Self| watch.and_then(|w| t.state.live_incident(&fingerprint(&w.name)).map(|i| i.id));
        let before = open(self);
        if let Some(metric) = watch.and_then(|w| w.rule.metric()) {
            self.set_metric(metric, remaining)?;
        }
        match open(self).filter(|_| before.is_none()) {
            Some(opened) => self.pushed_by(opened),
            None => self.push_now(deal, remaining, to, watch),
        }
    }

    fn tiers_to_push(&self, deal: &str, tiers: Vec<String>, watch: Option<&Watch>) -> Result<Vec<Who>, Refusal> {
        let who = |tiers: &[String]| tiers.iter().map(|t| Who::Tier(t.clone())).collect::<Vec<Who>>();
        match (tiers.as_slice(), watch) {
            ([], Some(w)) if !w.tiers.is_empty() => Ok(who(&w.tiers)),
            ([], Some(w)) => refuse(Refusal::field("tiers", format!("watch {} has no tiers; name them", w.name))),
            ([], None) => refuse(Refusal::field("tiers", format!("no watch has the deal {deal:?}; name the tiers"))),
            (tiers, _) => {
                let to = who(tiers);
                let named = self.check_names(None, Some(&to));
                named.map(|()| to).map_err(|refusal| Refusal { field: Some("tiers".into()), ..refusal })
            }
        }
    }

    /// The sending of the incident that the new value opened; none, when a silence holds it.
    fn pushed_by(&self, incident: IncidentId) -> Answer {
        let sent = self.state.incidents.get(&incident).and_then(|i| i.notifications.first().copied());
        match sent {
            Some(sent) => self.notification_view(sent),
            None => self.incidents_view(&[incident]),
        }
    }

    fn push_now(&mut self, deal: &str, remaining: f64, to: Vec<Who>, watch: Option<&Watch>) -> Answer {
        let level = watch.map_or(Level::High, |w| w.incident.level);
        let kind_of = match watch {
            Some(w) => type_or(&w.incident.kind_of, &w.incident.labels, w.rule.kind()),
            None => "fomo".to_owned(),
        };
        self.has_room(level)?;
        let channels = watch.and_then(|w| w.incident.channels.clone());
        let terms = Terms { channels, to: Some(to), ..Terms::default() };
        let planned = self.plan(level, &kind_of, &terms);
        if planned.iter().all(|p| p.skip.is_some()) {
            return refuse(self.nobody(level, &terms, &planned));
        }
        let own = OwnLabels {
            source: if watch.is_some() { "watch" } else { "manual" },
            name: watch.map(|w| w.name.as_str()),
            deal: Some(deal),
            ..OwnLabels::default()
        };
        let given = watch.map_or_else(Labels::new, |w| w.incident.labels.clone());
        let labels = own.over(given, level, &kind_of);
        let detail = watch.map_or_else(|| format!("{} remaining", number(remaining)), |w| describe(&w.rule, remaining));
        let payload = Payload { subject: format!("{deal}: {detail}"), ..Payload::default() };
        let silenced_by = self.silence_for(&labels);
        if silenced_by.is_none() {
            self.check_limits(&planned, Claim { tenant: "", level, kind_of: &kind_of })?;
        }
        let message = Message {
            initiator: self.by.name.clone(),
            silenced_by,
            ..Message::new(Origin::Fomo, level, kind_of, labels, payload)
        };
        let id = self.make(message, planned);
        self.pump();
        self.notification_view(id)
    }
}
