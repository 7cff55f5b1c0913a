//! What an incident and its messages have in common is there once: most say the same words under
//! the same labels, and there may be a hundred thousand.

use super::State;
use std::sync::Arc;

/// The one that is there already, when it is equal.
pub fn shared<T: PartialEq>(new: Arc<T>, there: Option<&Arc<T>>) -> Arc<T> {
    match there {
        Some(there) if *there == new => there.clone(),
        _ => new,
    }
}

impl State {
    /// Shares again what a snapshot wrote down more than once.
    pub(super) fn share(&mut self) {
        for n in self.notifications.values_mut() {
            let Some(i) = n.origin.incident().and_then(|i| self.incidents.get(&i)) else { continue };
            n.labels = shared(n.labels.clone(), Some(&i.labels));
            n.content = shared(n.content.clone(), Some(&i.content));
        }
    }
}
