//! Budgets: what a tenant may spend in a day. At 80 % and at 100 % an incident says so, once a day each.
//!
//! Over it, what costs money is as over a limit: a one-shot is refused, the rest takes a fallback that
//! costs nothing or waits for the next day. Urgent is never stopped.

use super::incident::Opening;
use super::limit::{Claim, Full};
use super::turn::Turn;
use crate::config::ChannelConfig;
use crate::domain::event::{BudgetPassed, EventKind};
use crate::domain::level::Level;
use crate::domain::money::Amount;
use crate::domain::time::{EngineTime, Span};

/// At so many hundredths something is said.
const MARKS: [u8; 2] = [80, 100];

impl Turn<'_> {
    /// Whether a message by this channel may cost something.
    pub fn within_budget(&self, channel: &ChannelConfig, claim: Claim<'_>) -> Result<(), Full> {
        if self.config.budgets.is_empty() || claim.level == Level::Urgent {
            return Ok(());
        }
        let Some(price) = channel.price.as_ref().filter(|p| p.amount > Amount::ZERO) else { return Ok(()) };
        let tenant = Some(claim.tenant).filter(|t| !t.is_empty());
        let Some(budget) = self.config.budgets.of(tenant).filter(|b| b.currency == price.currency) else {
            return Ok(());
        };
        let spent = self.state.spending.on(claim.tenant, &self.today(), &budget.currency);
        if spent < budget.amount {
            return Ok(());
        }
        let words = format!("the budget of {budget} a day{} is spent", whose(claim.tenant));
        Err(Full { words, free_at: Some(self.midnight()) })
    }

    /// When the next day begins, by the daemon's zone.
    fn midnight(&self) -> EngineTime {
        let today = self.wall.zoned(&self.config.daemon.timezone);
        let begin = today.tomorrow().and_then(|t| t.start_of_day());
        match begin.map(|begin| begin.timestamp().as_microsecond()) {
            Ok(at) => self.state.engine_time(crate::domain::time::Timestamp(at)),
            // The end of time.
            Err(_) => self.now + Span::days(1),
        }
    }

    /// Something was charged: is it to be said?
    pub fn look_at_budget(&mut self, tenant: Option<&str>) {
        let Some(budget) = self.config.budgets.of(tenant) else { return };
        let (name, today) = (tenant.unwrap_or_default(), self.today());
        let spent = self.state.spending.on(name, &today, &budget.currency);
        let told = self.state.spending.get(name).filter(|s| s.day == today).map_or(0, |s| s.told);
        let passed = MARKS.into_iter().rev().find(|mark| spent >= budget.amount.percent((*mark).into()));
        let Some(percent) = passed.filter(|mark| *mark > told) else { return };
        self.emit(EventKind::BudgetPassed(BudgetPassed { tenant: name.to_owned(), day: today, percent }));
        let subject = format!("{percent} % of the budget of {budget} a day{} is spent", whose(name));
        let body = match percent {
            100 => format!(
                "Spent today: {spent} {}. Until midnight texts and calls that cost money go at urgent only.",
                budget.currency
            ),
            _ => format!(
                "Spent today: {spent} {}. At 100 % only what is urgent goes by ways that cost money.",
                budget.currency
            ),
        };
        let opening = Opening::about_self(&incident(name, percent), Level::Normal, subject, body);
        self.open(opening);
        self.agenda.midnight = Some(self.midnight());
    }

    /// The next day has begun: what was said of the budget is over.
    pub fn budget_day_over(&mut self) {
        if !super::due::come(self.agenda.midnight, self.now) {
            return;
        }
        self.agenda.midnight = None;
        let today = self.today();
        let said = self.state.spending.iter().filter(|(_, spent)| spent.told > 0 && spent.day < today);
        let over: Vec<String> = said.map(|(tenant, _)| tenant.clone()).collect();
        for tenant in over {
            self.emit(EventKind::BudgetPassed(BudgetPassed { tenant: tenant.clone(), day: today.clone(), percent: 0 }));
            for percent in MARKS {
                self.end_self_incident(&incident(&tenant, percent), "a new day has begun");
            }
        }
        self.plan_midnight();
    }

    /// At the start of a life, and when the clock was set.
    pub fn plan_midnight(&mut self) {
        let said = self.state.spending.iter().filter(|(_, spent)| spent.told > 0);
        let today = self.today();
        let due = said.map(|(_, spent)| spent.day < today).max();
        self.agenda.midnight = due.map(|over| if over { self.now } else { self.midnight() });
    }
}

fn whose(tenant: &str) -> String {
    if tenant.is_empty() { String::new() } else { format!(" of tenant {tenant}") }
}

/// By the name that the incident has after `self/`.
fn incident(tenant: &str, percent: u8) -> String {
    let tenant = if tenant.is_empty() { "-" } else { tenant };
    format!("budget-{percent}-{tenant}")
}
