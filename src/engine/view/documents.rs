//! What the history keeps of things that have ended.

use crate::domain::event::Frame;
use crate::domain::id::{IncidentId, NotificationId};
use crate::engine::Engine;
use crate::engine::input::{Ask, Caller, Input};
use crate::engine::turn::Turn;

impl Engine {
    /// The document of a notification, as `send` answers it.
    pub fn notification_document(&mut self, frame: &Frame, id: NotificationId) -> Option<String> {
        self.document(frame, |turn| serde_json::to_string(&turn.notification_row(id).ok()?).ok())
    }

    /// The document of an incident, as `incidents show` prints it.
    pub fn incident_document(&mut self, frame: &Frame, id: IncidentId) -> Option<String> {
        self.document(frame, |turn| turn.state.incidents.get(&id).map(|i| turn.incident(i).to_string()))
    }

    fn document(&mut self, frame: &Frame, make: impl FnOnce(&Turn<'_>) -> Option<String>) -> Option<String> {
        let input = Input { now: frame.at, seed: [0; 16], by: Caller::engine(), ask: Ask::Wake };
        let config = self.config.clone();
        make(&Turn::new(&mut self.state, &config, &mut self.agenda, &self.version, &input))
    }
}
