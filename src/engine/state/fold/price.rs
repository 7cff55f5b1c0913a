//! What is counted against limits, and what messages cost.

use crate::domain::event::{Counted, Priced};
use crate::domain::time::Timestamp;
use crate::engine::state::{Counts, State};

impl State {
    /// `false`: of a delivery that is not known.
    pub(in crate::engine::state) fn fold_counted(&mut self, at: Timestamp, counted: &Counted) -> bool {
        let now = self.engine_time(at);
        let Some(d) = self.deliveries.get_mut(&counted.id) else { return false };
        d.limited = true;
        if counted.instead_of.is_some() {
            return true;
        }
        let Some(n) = self.notifications.get(&d.notification) else { return false };
        let channel = &counted.channel;
        let tenant = n.tenant.as_deref().unwrap_or_default();
        self.windows.add(Counts::Tenant { channel, tenant }, now);
        if counted.person
            && let Some(who) = d.who.as_deref().or(d.address.as_deref())
        {
            self.windows.add(Counts::Person { channel, who, kind_of: &n.kind_of }, now);
        }
        true
    }

    /// The sums know of it also when the delivery has left.
    pub(in crate::engine::state) fn fold_priced(&mut self, priced: &Priced) {
        self.spending.charge(priced);
        if let Some(d) = self.deliveries.get_mut(&priced.id) {
            d.charges.get_or_insert_default().set(priced);
        }
    }
}
