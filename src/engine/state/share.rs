//! What an incident and its messages have in common is there once: most say the same words under
//! the same labels, and there may be a hundred thousand.

use super::State;
use super::entity::Incident;
use super::name::{Name, Names};
use std::sync::Arc;

/// The one that is there already, when it is equal.
pub fn shared<T: PartialEq>(new: Arc<T>, there: Option<&Arc<T>>) -> Arc<T> {
    match there {
        Some(there) if *there == new => there.clone(),
        _ => new,
    }
}

impl State {
    /// Shares again what a snapshot of an older version wrote down more than once.
    pub(super) fn share(&mut self) {
        for i in self.incidents.values_mut() {
            share_names(&mut self.names, i);
        }
        for n in self.notifications.values_mut() {
            let Some(i) = n.origin.incident().and_then(|i| self.incidents.get(&i)) else { continue };
            n.labels = shared(n.labels.clone(), Some(&i.labels));
            n.content = shared(n.content.clone(), Some(&i.content));
        }
    }
}

pub fn share_names(names: &mut Names, i: &mut Incident) {
    let mut share = |name: &mut Name| *name = names.of(name);
    share(&mut i.kind_of);
    share(&mut i.opened_by);
    let given = [&mut i.tenant, &mut i.policy, &mut i.about, &mut i.silenced_by];
    let by = [&mut i.acknowledged_by, &mut i.resolved_by, &mut i.because];
    given.into_iter().chain(by).flatten().for_each(&mut share);
    if let Some(alert) = &mut i.alert {
        share(&mut alert.generator_url);
    }
    for told in &mut i.told {
        share(&mut told.channel);
        [&mut told.address, &mut told.who].into_iter().flatten().for_each(&mut share);
    }
    for n in &mut i.notified {
        share(&mut n.channel);
        [&mut n.who, &mut n.address, &mut n.via, &mut n.reason].into_iter().flatten().for_each(&mut share);
    }
}
