//! What was asked for a time of its own: whom it is for is decided when that has come.
//!
//! It was accepted since it would reach somebody. Whom it reaches is looked at anew at its time, by the config and the
//! preferences of then: who is not among them any more is left out, who has come among them is told. Where nobody
//! would be left it goes as it was accepted.

use super::plan::{Planned, Terms};
use super::sending::Sending;
use super::turn::Turn;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Later};
use crate::domain::id::{DeliveryId, NotificationId};
use crate::domain::who::Who;

/// Why somebody for whom it was accepted is not told.
const NOT_MEANT: &str = "not among those it is for when its time came";

/// What is kept of the terms until then.
pub(super) fn later(terms: Terms) -> Later {
    let is_name = |who: &Who| !matches!(who, Who::Email(_) | Who::Phone(_));
    Later { channels: terms.channels, to: terms.to.map(|to| to.into_iter().filter(is_name).collect()) }
}

/// What becomes of one that was accepted.
enum Fate {
    Goes,
    /// Its person is meant, and cannot or does not want to be told that way now.
    LeftOut(String),
    NotMeant,
}

impl Turn<'_> {
    /// The time of a delivery has come, and so that of all of its message.
    pub fn scheduled_due(&mut self, id: DeliveryId) {
        let Some(notification) = self.state.deliveries.get(&id).map(|d| d.notification) else { return };
        let Some(n) = self.state.notifications.get(&notification) else { return };
        let sending = Sending::due(n);
        let waiting: Vec<DeliveryId> = n.deliveries.iter().copied().filter(|d| self.is_scheduled(*d)).collect();
        let mut planned = self.planned_now(notification);
        if planned.iter().all(|one| one.skip.is_some()) {
            planned.clear();
        }
        let fates: Vec<(DeliveryId, Fate)> = waiting.iter().map(|id| (*id, self.fate(*id, &planned))).collect();
        let added = planned.into_iter().filter(|one| one.skip.is_none() && !self.is_there(&waiting, one));
        for one in added.collect::<Vec<_>>() {
            self.deliver(&sending, one, None);
        }
        for (id, fate) in fates {
            match fate {
                Fate::Goes => self.line_up(id),
                Fate::LeftOut(reason) => self.end_delivery(id, Status::Skipped, &reason),
                Fate::NotMeant => self.end_delivery(id, Status::Superseded, NOT_MEANT),
            }
        }
    }

    /// Whom it is for at this moment; nothing where that is not known.
    fn planned_now(&self, notification: NotificationId) -> Vec<Planned> {
        let Some(n) = self.state.notifications.get(&notification) else { return Vec::new() };
        let Some(Later { channels, to }) = n.request.as_ref().and_then(|r| r.later.clone()) else { return Vec::new() };
        let terms = Terms { channels, to, ..Terms::default() };
        self.plan(n.level, &n.kind_of, &terms)
    }

    /// An address that was named by itself is for ever, and where nobody else is meant it goes as it was accepted.
    fn fate(&self, id: DeliveryId, planned: &[Planned]) -> Fate {
        let Some(d) = self.state.deliveries.get(&id) else { return Fate::NotMeant };
        if planned.is_empty() || d.who.is_none() && d.medium.is_some() {
            return Fate::Goes;
        }
        let of_channel = || planned.iter().filter(|one| d.chain.first() == Some(&one.channel));
        if of_channel().any(|one| one.skip.is_none() && one.address == d.address) {
            return Fate::Goes;
        }
        let left_out = of_channel().filter(|one| one.who == d.who).find_map(|one| one.skip.clone());
        left_out.map_or(Fate::NotMeant, Fate::LeftOut)
    }

    fn is_there(&self, waiting: &[DeliveryId], one: &Planned) -> bool {
        waiting
            .iter()
            .filter_map(|id| self.state.deliveries.get(id))
            .any(|d| d.chain.first() == Some(&one.channel) && d.address == one.address)
    }

    fn is_scheduled(&self, id: DeliveryId) -> bool {
        self.state.deliveries.get(&id).is_some_and(|d| d.status == Status::Scheduled)
    }

    /// By the first way that is alive at this moment.
    fn line_up(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let (at, lap) = (self.first_way(&d.chain, &self.reader(d), d.level, false), d.lap);
        let because = "its time has come".to_owned();
        self.emit(EventKind::DeliveryMoved { id, status: Status::Ready, at, until: None, lap, because });
    }
}
