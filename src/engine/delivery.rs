//! The end of a delivery, and sounds that go on.

use super::effect::Effect;
use super::refusal::{Answer, Code, Refusal};
use super::turn::Turn;
use crate::domain::delivery::Status;
use crate::domain::event::EventKind;
use crate::domain::id::{DeliveryId, Ending, IncidentId, NotificationId};

impl Turn<'_> {
    /// Ends a delivery, and does what follows from it.
    pub fn end_delivery(&mut self, id: DeliveryId, status: Status, reason: &str) {
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        self.emit(EventKind::DeliveryEnded { id, status, reason });
        let incident = self.state.deliveries.get(&id).and_then(|d| d.incident);
        if let Some(incident) = incident.filter(|_| matches!(status, Status::Dead | Status::Expired)) {
            self.reconsider(incident);
        }
        if status == Status::Dead {
            self.became_dead_letter(id);
        }
        self.proof_moved(id);
    }

    /// By whole id, or at least its last four characters.
    pub fn find_delivery(&self, id: &str) -> Result<DeliveryId, Refusal> {
        let text = id.trim();
        let not_found = || {
            let message =
                format!("there is no delivery {text:?}; an id, or at least its last four characters, is needed");
            Refusal { field: Some("id".into()), ..Refusal::new(Code::NotFound, message) }
        };
        match text.parse() {
            Ok(id) if self.state.deliveries.contains_key(&id) => return Ok(id),
            _ => {}
        }
        let ending = Ending::parse(text).ok_or_else(not_found)?;
        let fitting = self.state.deliveries.keys().filter(|id| ending.fits(id.0));
        super::incident::unambiguous(text, fitting)?.copied().ok_or_else(not_found)
    }

    /// By whole id, or at least its last four characters.
    pub fn find_notification(&self, id: &str) -> Result<NotificationId, Refusal> {
        let text = id.trim();
        let not_found = || {
            let message = format!("there is no notification {text:?} at hand");
            Refusal { field: Some("id".into()), ..Refusal::new(Code::NotFound, message) }
        };
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let ending = Ending::parse(text).ok_or_else(not_found)?;
        let fitting = self.state.notifications.keys().filter(|id| ending.fits(id.0));
        super::incident::unambiguous(text, fitting)?.copied().ok_or_else(not_found)
    }

    // ---- sounds

    /// `sound stop`: what sounds now is silent; nothing is acknowledged.
    pub fn stop_sound(&mut self) -> Answer {
        let sounding: Vec<(String, DeliveryId, Option<IncidentId>)> = self
            .state
            .sounding
            .iter()
            .flat_map(|(channel, sounds)| sounds.iter().map(|(id, s)| (channel.clone(), *id, s.incident)))
            .collect();
        let because = format!("stopped by {}", self.by.name);
        for (channel, delivery, _) in &sounding {
            self.silence_sound(channel, *delivery, &because);
        }
        let mut channels: Vec<&String> = sounding.iter().map(|(channel, ..)| channel).collect();
        channels.dedup();
        let stopped = serde_json::json!(channels);
        let mut incidents: Vec<IncidentId> = sounding.iter().filter_map(|(_, _, incident)| *incident).collect();
        incidents.dedup();
        let mut answer = self.incidents_view(&incidents)?;
        answer["stopped"] = stopped;
        Ok(answer)
    }

    pub fn silence_sound(&mut self, channel: &str, delivery: DeliveryId, because: &str) {
        if !self.state.sounding.get(channel).is_some_and(|s| s.contains_key(&delivery)) {
            return;
        }
        self.emit(EventKind::SoundStopped { channel: channel.into(), delivery, because: because.into() });
        self.effects.push(Effect::Sound);
    }

    pub fn silence_incident(&mut self, incident: IncidentId, because: &str) {
        let sounds: Vec<(String, DeliveryId)> = self
            .state
            .sounding
            .iter()
            .flat_map(|(channel, sounds)| sounds.iter().map(move |(id, s)| (channel, id, s)))
            .filter(|(_, _, s)| s.incident == Some(incident))
            .map(|(channel, id, _)| (channel.clone(), *id))
            .collect();
        for (channel, delivery) in sounds {
            self.silence_sound(&channel, delivery, because);
        }
    }
}
