//! What the history keeps of things that have ended.

use crate::domain::event::Frame;
use crate::domain::id::{IncidentId, NotificationId};
use crate::domain::json;
use crate::domain::time::{Span, Timestamp};
use crate::engine::input::{Ask, Caller, Input};
use crate::engine::state::{Delivery, Notification, State};
use crate::engine::turn::Turn;
use crate::engine::{Agenda, Engine};
use std::sync::Arc;

/// Bytes of most documents.
const USUAL: usize = 1_024;

impl Engine {
    /// The document of a notification, as `send` answers it: to be made of what it is now, at any time.
    pub fn notification_document(&self, at: Timestamp, id: NotificationId) -> Option<impl FnOnce() -> String + use<>> {
        let part = Part::of(&self.state, id)?;
        let config = self.config.clone();
        Some(move || {
            let (mut state, mut agenda) = (State::default(), Agenda::default());
            state.offset = part.offset;
            let input = Input { now: at, seed: [0; 16], by: Caller::engine(), ask: Ask::Wake };
            let turn = Turn::new(&mut state, &config, &mut agenda, "", &input);
            let deliveries: Vec<&Delivery> = part.deliveries.iter().map(Arc::as_ref).collect();
            json::text(&turn.row_of(&part.notification, &deliveries, part.incident), USUAL).unwrap_or_default()
        })
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

/// What the document of a notification is made of, as it was then. The rows are the state's own, so they cost nothing.
struct Part {
    offset: Span,
    notification: Arc<Notification>,
    deliveries: Vec<Arc<Delivery>>,
    /// Its number.
    incident: Option<u64>,
}

impl Part {
    fn of(state: &State, id: NotificationId) -> Option<Part> {
        let notification = state.notifications.share(&id)?;
        let deliveries = notification.deliveries.iter().filter_map(|d| state.deliveries.share(d)).collect();
        let incident = notification.origin.incident().and_then(|i| state.incidents.get(&i)).map(|i| i.number);
        Some(Part { offset: state.offset, notification, deliveries, incident })
    }
}
