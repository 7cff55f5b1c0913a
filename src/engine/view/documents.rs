//! What the history keeps of things that have ended.

use crate::domain::event::Frame;
use crate::domain::id::{IncidentId, NotificationId};
use crate::engine::input::{Ask, Caller, Input};
use crate::engine::turn::Turn;
use crate::engine::{Answer, Engine};

impl Engine {
    /// The document of a notification, as `send` answers it.
    pub fn notification_document(&mut self, frame: &Frame, id: NotificationId) -> Option<String> {
        self.document(frame, |turn| turn.notification_view(id))
    }

    /// The document of an incident, as `incidents show` prints it.
    pub fn incident_document(&mut self, frame: &Frame, id: IncidentId) -> Option<String> {
        self.document(frame, |turn| {
            let incident = turn.state.incidents.get(&id).ok_or_else(|| super::gone("incident"))?;
            Ok(turn.incident(incident))
        })
    }

    fn document(&mut self, frame: &Frame, make: impl FnOnce(&Turn<'_>) -> Answer) -> Option<String> {
        let input = Input { now: frame.at, seed: [0; 16], by: Caller::engine(), ask: Ask::Wake };
        let config = self.config.clone();
        let turn = Turn::new(&mut self.state, &config, &mut self.agenda, &self.version, &input);
        make(&turn).ok().map(|value| value.to_string())
    }
}
