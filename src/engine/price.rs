//! What messages cost: by the config when they are sent, and as their provider says when it does.

use super::state::{Charge, Delivery};
use super::turn::Turn;
use crate::channel::Format;
use crate::config::ChannelConfig;
use crate::domain::event::{EventKind, Price, Priced};
use crate::domain::id::DeliveryId;
use crate::domain::money::Money;
use crate::message::segments;

/// One attempt that a provider took, as its price is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Billed {
    pub id: DeliveryId,
    pub n: u32,
    pub channel: String,
    pub provider: &'static str,
    pub tenant: Option<String>,
    pub before: Option<Charge>,
}

impl Turn<'_> {
    /// A provider took the attempt under way: what it costs, as its answer says or by the config.
    pub fn price_attempt(&mut self, id: DeliveryId, said: Option<Price>) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let Some(channel) = self.config.channels.get(d.channel()).filter(|c| !c.simulate) else { return };
        let estimated = || self.units(d, channel);
        let segments = said.as_ref().and_then(|price| price.segments).unwrap_or_else(estimated);
        let reported = said.is_some();
        let by_config = || channel.price.as_ref().map(|p| Money { amount: p.amount.times(segments), ..p.clone() });
        let Some(money) = said.map(|price| price.money).or_else(by_config) else { return };
        let Some(of) = self.billed(id, d.n) else { return };
        self.charge(of, money, segments, reported);
    }

    /// The provider's own price of an attempt, later, by a call. Of a delivery that has left the state nothing
    /// is known, and nothing is recorded.
    pub fn price_reported(&mut self, id: DeliveryId, n: u32, price: Price) {
        let Some(of) = self.billed(id, n) else { return };
        self.take_price(of, price);
    }

    /// Who took this attempt, on whose account, and what is known of its price.
    pub fn billed(&self, id: DeliveryId, n: u32) -> Option<Billed> {
        let d = self.state.deliveries.get(&id)?;
        let channel = d.attempts.iter().rfind(|a| a.n == n).map_or(d.channel(), |a| &a.channel).to_owned();
        Some(Billed {
            id,
            n,
            provider: self.config.channels.get(&channel).map_or("", |c| c.kind.provider),
            channel,
            tenant: self.state.notifications.get(&d.notification).and_then(|n| n.tenant.clone()),
            before: d.charges.as_ref().and_then(|charges| charges.of(n)).cloned(),
        })
    }

    /// The provider's own price wins over whatever is known.
    pub fn take_price(&mut self, of: Billed, price: Price) {
        let before = of.before.as_ref();
        let segments = price.segments.or(before.map(|b| b.segments)).unwrap_or(1);
        let same = before.is_some_and(|b| b.reported && b.money == price.money && b.segments == segments);
        if !same {
            self.charge(of, price.money, segments, true);
        }
    }

    /// Parts of a text; the first minute of a call.
    fn units(&self, d: &Delivery, channel: &ChannelConfig) -> u32 {
        match channel.format() {
            Format::Sms => {
                let text = self.text_sent(d, channel);
                text.map_or(1, |text| u32::try_from(segments::size(&text.text).segments).unwrap_or(u32::MAX))
            }
            _ => 1,
        }
    }

    fn charge(&mut self, of: Billed, money: Money, segments: u32, reported: bool) {
        let Billed { id, n, channel, provider, tenant, before } = of;
        let priced = Priced {
            id,
            cost: money.amount,
            currency: money.currency,
            segments,
            n,
            channel,
            provider: provider.to_owned(),
            tenant: tenant.clone(),
            day: before.as_ref().map_or_else(|| self.today(), |b| b.day.clone()),
            reported,
            instead: before.as_ref().map(Charge::as_instead),
        };
        self.emit(EventKind::DeliveryPriced(Box::new(priced)));
        self.look_at_budget(tenant.as_deref());
    }

    /// The date, by the daemon's zone.
    pub fn today(&self) -> String {
        self.wall.zoned(&self.config.daemon.timezone).date().to_string()
    }
}
