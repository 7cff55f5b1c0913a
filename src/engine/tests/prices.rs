//! What messages cost, and budgets.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::engine::{Code, Read, SendRequest};
use serde_json::{Value, json};

fn text(word: &str, tenant: &str, subject: &str) -> impl FnOnce(&mut SendRequest) {
    let (word, tenant, subject) = (level(word), Some(tenant.to_owned()).filter(|t| !t.is_empty()), subject.to_owned());
    move |r| {
        (r.level, r.tenant, r.subject, r.to, r.channels) = (word, tenant, subject, who(&["alice"]), names(&["sms"]))
    }
}

fn shown(w: &mut World, channel: &str) -> Value {
    let id = w.delivery(channel, "alice").id.to_string();
    w.read(Read::Delivery(id))
}

fn fields(row: &Value) -> Value {
    json!([row["cost"], row["currency"], row["segments"]])
}

#[test]
fn a_text_costs_its_parts_by_the_provider_that_took_it() {
    let mut w = World::calm();
    w.send(text("normal", "", "short"));
    assert_eq!(fields(&shown(&mut w, "sms")), json!(["0.0075", "USD", 1]));
    // Sixty cyrillic letters and what stands before them are two parts.
    w.send(text("normal", "", &"ж".repeat(60)));
    assert_eq!(fields(&shown(&mut w, "sms")), json!(["0.015", "USD", 2]));
    // Twilio took nothing, so it costs nothing there.
    w.channel("sms", refused());
    w.send(text("normal", "", "short"));
    let row = shown(&mut w, "sms");
    assert_eq!(fields(&row), json!(["0.004", "USD", 1]));
    assert_eq!(row["charges"][0]["channel"], "sms-telnyx");
    w.send(|r| (r.to, r.channels) = (who(&["alice"]), names(&["mail"])));
    assert_eq!(fields(&shown(&mut w, "mail")), json!([null, null, null]));
    assert_eq!(shown(&mut w, "mail").get("charges"), None);
    w.send(|r| (r.to, r.channels) = (who(&["alice"]), names(&["call"])));
    assert_eq!(fields(&shown(&mut w, "call")), json!(["0.014", "USD", 1]), "one started minute");
    w.untold();
}

#[test]
fn prices_are_configured_and_the_providers_own_wins() {
    let toml = calm().replace("[channels.sms]\n", "[channels.sms]\ncost_per_segment = \"0.07\"\ncurrency = \"eur\"\n");
    let mut w = World::with(&toml);
    w.send(text("normal", "acme", "x"));
    assert_eq!(fields(&shown(&mut w, "sms")), json!(["0.07", "EUR", 1]));
    w.channel("sms", Says::At("0.0083", "USD", 2));
    w.send(text("normal", "acme", "x"));
    let row = shown(&mut w, "sms");
    assert_eq!(fields(&row), json!(["0.0083", "USD", 2]));
    assert_eq!(row["charges"][0]["reported"], true);
    assert_eq!(w.engine.state.spending.on("acme", "2026-01-06", "EUR").to_string(), "0.07");
    assert_eq!(w.engine.state.spending.on("acme", "2026-01-06", "USD").to_string(), "0.0083");
    w.untold();
}

/// The example with a budget of five texts for everybody, and one text for acme.
fn thrifty() -> World {
    let budgets = "[budgets.default]\nper_day = \"0.0375\"\n[budgets.acme]\nper_day = \"0.0075\"\n";
    let toml = calm().replace("[levels.low]", &format!("{budgets}\n[levels.low]"));
    World::with(&toml)
}

fn subjects(w: &World) -> Vec<String> {
    w.engine.state.live_incidents().map(|i| i.content.subject.clone()).collect()
}

#[test]
fn a_budget_warns_once_and_then_refuses_all_but_urgent() {
    let mut w = thrifty();
    for _ in 0..3 {
        w.send(text("high", "", "x"));
    }
    assert_eq!(subjects(&w), Vec::<String>::new());
    w.send(text("high", "", "x"));
    assert_eq!(subjects(&w), ["80 % of the budget of 0.0375 USD a day is spent"]);
    w.send(text("high", "", "x"));
    assert_eq!(subjects(&w).len(), 2);
    let refusal = w.try_send(text("high", "", "x")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::RateLimited, Some(12 * 3_600)));
    assert_eq!(refusal.retry_at.as_deref(), Some("2026-01-07T00:00:00.000+01:00"));
    assert!(refusal.message.starts_with("the budget of 0.0375 USD a day is spent"), "{}", refusal.message);
    // It never stops what is urgent, nor what costs nothing, and says nothing twice.
    w.send(text("urgent", "", "x"));
    w.send(|r| (r.to, r.channels) = (who(&["alice"]), names(&["mail"])));
    assert_eq!(subjects(&w).len(), 2);
    // Another tenant has its own.
    w.send(text("high", "acme", "x"));
    assert_eq!(subjects(&w).len(), 3, "80 and 100 at once is one word: {:?}", subjects(&w));
    assert_eq!(w.try_send(text("high", "acme", "x")).unwrap_err().code, Code::RateLimited);
    w.untold();
    // The next day is a new one.
    w.run_until(span("12h"));
    assert_eq!(subjects(&w), Vec::<String>::new(), "what was said is over");
    w.send(text("high", "acme", "x"));
    w.untold();
    assert_eq!(w.count(|e| matches!(e, EventKind::BudgetPassed(b) if b.percent > 0)), 4);
}

#[test]
fn over_the_budget_a_step_goes_by_what_costs_nothing() {
    let mut w = thrifty();
    for _ in 0..5 {
        w.send(text("high", "", "x"));
    }
    w.untold();
    w.open_with(|r| {
        (r.level, r.to, r.channels, r.policy) = (level("high"), who(&["alice"]), names(&["sms"]), Some("none".into()));
    });
    w.at("0m").rings("alice", "sms-gateway").nothing_else();
    w.open_with(|r| {
        (r.level, r.to, r.channels, r.policy) = (level("high"), who(&["alice"]), names(&["call"]), Some("none".into()));
    });
    assert_eq!(w.status("call", "alice"), "waiting");
    let all = w.all_until("12h");
    let calls: Vec<String> = all.iter().filter(|h| h.channel == "call").map(|h| h.at.exact()).collect();
    assert_eq!(calls, ["12h"], "at midnight");
}

#[test]
fn budgets_are_known_after_a_restart() {
    let mut w = thrifty();
    w.send(text("high", "acme", "x"));
    w.untold();
    w.down_for("1h");
    assert_eq!(w.try_send(text("high", "acme", "x")).unwrap_err().code, Code::RateLimited);
    w.restart_from_snapshot();
    assert_eq!(w.try_send(text("high", "acme", "x")).unwrap_err().code, Code::RateLimited);
    w.untold();
    // Midnight comes while it is down.
    w.down_for("12h");
    assert_eq!(subjects(&w), Vec::<String>::new());
    w.untold();
}
