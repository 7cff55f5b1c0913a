//! What providers say later, in any order, any number of times, early and late; and what people answer.

use super::world::asks::*;
use super::world::*;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Heard, Price, Said};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::DeliveryId;
use crate::domain::money::Money;
use crate::engine::reply::{Reply, Verb, parse};
use crate::engine::{Ask, Called, Keyed, Read, Wrote};
use proptest::prelude::*;

fn failed(blame: Blame) -> Said {
    let class = if blame == Blame::Message { FailureClass::ValidationError } else { FailureClass::ProviderError };
    Said::Failed(Failure::new(class, blame, "later"))
}

impl World {
    fn keyed(&self, id: DeliveryId, n: u32) -> Keyed {
        let confirm = self.engine.state.deliveries[&id].confirm(n).expect("nobody calls back about it");
        Keyed { delivery: id, n, nonce: confirm.nonce.clone() }
    }

    fn hears(&mut self, id: DeliveryId, n: u32, said: Said) -> serde_json::Value {
        let keyed = self.keyed(id, n);
        let heard = Heard { provider_id: "SM1".into(), status: "as told".into(), said, price: None };
        self.does(Ask::Called(Called::Reported { keyed, heard }))
    }

    /// A text for Alice that Twilio has taken.
    fn text(&mut self, word: &str) -> DeliveryId {
        self.channel("sms", Says::Submitted);
        self.send(|r| (r.level, r.to, r.channels) = (level(word), who(&["+15550100"]), names(&["sms"])));
        self.delivery("sms", "+15550100").id
    }

    fn text_to(&mut self, number: &str) -> DeliveryId {
        self.channel("sms", Says::Submitted);
        self.send(|r| (r.to, r.channels) = (who(&[number]), names(&["sms"])));
        self.delivery("sms", number).id
    }
}

#[test]
fn a_provider_that_keeps_silent_is_asked_ever_more_rarely_and_in_the_end_it_counts_as_sent() {
    let mut w = World::calm();
    let id = w.text("normal");
    w.run_until(span("25h"));
    let asked: Vec<String> = w.questions.iter().map(|(at, _)| at.to_string()).collect();
    assert_eq!(asked, ["30s", "1m", "2m", "5m", "15m", "1h", "4h", "12h"]);
    assert_eq!(w.engine.state.deliveries[&id].status, Status::Sent);
    w.untold();
}

#[test]
fn a_life_that_ends_in_between_goes_on_asking() {
    let mut w = World::calm();
    w.text("normal");
    w.run_until(span("50s"));
    w.down_for("20s");
    w.run_until(span("130s"));
    let asked: Vec<String> = w.questions.iter().map(|(at, _)| at.to_string()).collect();
    assert_eq!(asked, ["30s", "1m10s", "2m"], "one was missed and is made up for");
    w.untold();
}

#[test]
fn the_price_is_asked_for_twice_at_the_most_and_takes_the_place_of_the_estimate() {
    let heard = |price: Option<&str>| Heard {
        provider_id: "SM1".into(),
        status: "delivered".into(),
        said: Said::Delivered,
        price: price.map(|p| Price { money: Money::reported(p, "USD").unwrap(), segments: Some(1) }),
    };
    let mut w = World::calm();
    let id = w.text("normal");
    let shown = |w: &mut World| w.read(Read::Delivery(id.to_string()));
    w.hears(id, 1, Said::Delivered);
    assert_eq!(shown(&mut w)["charges"][0]["reported"], false);
    w.run_until(span("4m"));
    w.hears(id, 1, Said::Delivered);
    w.run_until(span("6m"));
    assert_eq!(w.bills.iter().map(|(at, _)| at.to_string()).collect::<Vec<_>>(), ["5m"]);
    w.does(Ask::Called(Called::Asked { delivery: id, n: 1, answer: Ok(heard(None)) }));
    w.run_until(span("25h"));
    w.hears(id, 1, Said::Delivered);
    w.run_for("5h");
    assert_eq!(w.bills.iter().map(|(at, _)| at.to_string()).collect::<Vec<_>>(), ["5m", "4h"], "and never again");
    assert!(w.questions.is_empty());

    let id = w.text("normal");
    w.hears(id, 1, Said::Delivered);
    w.run_for("6m");
    w.does(Ask::Called(Called::Asked { delivery: id, n: 1, answer: Ok(heard(Some("-0.0083"))) }));
    let row = w.read(Read::Delivery(id.to_string()));
    assert_eq!((&row["cost"], &row["charges"][0]["reported"]), (&"0.0083".into(), &true.into()), "{row}");
    w.run_for("25h");
    assert_eq!(w.bills.len(), 3, "known once, it is not asked for again");

    // A word that is no news may bring it, too.
    let id = w.text("normal");
    w.hears(id, 1, Said::Delivered);
    let keyed = w.keyed(id, 1);
    w.does(Ask::Called(Called::Reported { keyed, heard: heard(Some("-0.0079")) }));
    assert_eq!(w.read(Read::Delivery(id.to_string()))["cost"], "0.0079");
    w.run_for("25h");
    assert_eq!(w.bills.len(), 3);
    w.untold();
}

#[test]
fn a_price_that_was_to_be_asked_for_is_asked_for_by_the_next_life() {
    let mut w = World::calm();
    let id = w.text("normal");
    w.hears(id, 1, Said::Delivered);
    w.run_until(span("1m"));
    w.down_for("20m");
    w.run_for("1h");
    assert_eq!(w.bills.len(), 1);
    w.down_for("5h");
    w.run_for("25h");
    assert_eq!(w.bills.len(), 1, "too old: the estimate stays");
    w.untold();
}

#[test]
fn many_prices_are_asked_for_a_few_at_a_time() {
    let mut w = World::calm();
    let ids: Vec<DeliveryId> = (0..30).map(|n| w.text_to(&format!("+155501{n:02}"))).collect();
    for id in &ids {
        w.hears(*id, 1, Said::Delivered);
    }
    w.run_until(span("10m"));
    assert_eq!(w.bills.len(), 30);
    let first = w.bills[0].0;
    assert_eq!(w.bills.iter().filter(|(at, _)| *at == first).count(), 10);
    assert!(w.bills[29].0 >= first + span("2s"));
    w.untold();
}

#[test]
fn nobody_at_home_is_no_failure_of_the_way() {
    let mut w = World::calm();
    w.channel("call", Says::Submitted);
    let number = w.open("urgent");
    w.run_until(span("10m"));
    let id = w.delivery("call", "alice").id;
    w.hears(id, 1, Said::Unanswered);
    assert_eq!(w.engine.state.deliveries[&id].status, Status::Sent);
    assert_eq!(w.incident(number).fired, Some((0, 2)), "by the clock alone");
    assert_eq!(w.engine.state.dead_count(), 0);
    w.untold();
}

#[test]
fn a_delivery_that_failed_later_wakes_those_who_thought_that_somebody_was_told() {
    let mut w = World::calm();
    for channel in ["sms-telnyx", "sms-gateway"] {
        w.channel(channel, refused());
    }
    let id = w.text("urgent");
    w.run_until(span("5m"));
    assert!(w.walls.is_empty());
    w.hears(id, 1, failed(Blame::Provider));
    w.run_for("2m");
    assert!(!w.walls.is_empty(), "every way has failed");
    w.untold();
}

#[test]
fn an_acknowledgement_ends_the_calls_that_still_ring() {
    let mut w = World::calm();
    w.channel("call", Says::Submitted);
    let number = w.open("urgent");
    w.run_until(span("10m"));
    w.ack(number, "bob");
    assert_eq!(w.hung_up.len(), 2, "Alice's and Bob's");
    let id = w.delivery("call", "alice").id;
    w.hears(id, 1, failed(Blame::Provider));
    assert_eq!(w.engine.state.deliveries[&id].status, Status::Superseded);
    w.untold();
}

#[test]
fn what_was_said_of_a_text_reaches_no_other() {
    let mut w = World::calm();
    let id = w.text("normal");
    let mut keyed = w.keyed(id, 1);
    keyed.nonce = "0123456789abcdef".into();
    let heard = Heard { provider_id: "SM1".into(), status: "delivered".into(), said: Said::Delivered, price: None };
    let answer = w.does(Ask::Called(Called::Reported { keyed, heard }));
    assert_eq!(answer["known"], false);
    assert_eq!(w.engine.state.deliveries[&id].status, Status::Submitted);
    w.untold();
}

#[test]
fn words_that_people_write() {
    use Verb::*;
    for (text, verb, number) in [
        ("ack", Acknowledge, None),
        (" ACK! ", Acknowledge, None),
        ("4", Acknowledge, None),
        ("417a", Acknowledge, Some(417)),
        ("417 A", Acknowledge, Some(417)),
        ("\u{201c}417a\u{201d}", Acknowledge, Some(417)),
        ("'417'", Acknowledge, Some(417)),
        ("#417", Acknowledge, Some(417)),
        ("Ack 417", Acknowledge, Some(417)),
        ("ack #417.", Acknowledge, Some(417)),
        ("4a", Acknowledge, Some(4)),
        ("6", Resolve, None),
        ("417r", Resolve, Some(417)),
        ("resolve", Resolve, None),
        ("Resolve 417", Resolve, Some(417)),
        ("5", Escalate, None),
        ("417E", Escalate, Some(417)),
        ("escalate 417", Escalate, Some(417)),
    ] {
        assert_eq!(parse(text), Reply::Do(verb, number), "{text:?}");
    }
    for text in ["", " ", "yes", "a417b", "417x", "4 1 7 b", "99999999999999999999999a", "stop", "\u{661}"] {
        assert_eq!(parse(text), Reply::Unknown, "{text:?}");
    }
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        Just(Said::Queued),
        Just(Said::Sent),
        Just(Said::Delivered),
        Just(Said::Unanswered),
        Just(failed(Blame::Provider)),
        Just(failed(Blame::Message)),
        Just(failed(Blame::Channel)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is said, in whatever order and however often: the end stays the end, each attempt's word only
    /// moves forward, and the ledger does not grow by repetitions.
    #[test]
    fn words_in_any_order_only_move_forward(words in prop::collection::vec((said(), 1u32..3, 0u64..90), 1..24)) {
        let mut w = World::calm();
        w.channel("sms-telnyx", Says::Submitted);
        w.channel("sms-gateway", Says::Submitted);
        let id = w.text("urgent");
        let mut ended = None;
        for (said, n, seconds) in words {
            if w.engine.state.deliveries[&id].confirm(n).is_none() {
                continue;
            }
            for _ in 0..3 {
                w.hears(id, n, said.clone());
            }
            let status = w.engine.state.deliveries[&id].status;
            if let Some(end) = ended {
                prop_assert_eq!(status, end);
            }
            ended = ended.or(status.is_end().then_some(status));
            w.run_for(&format!("{seconds}s"));
        }
        let reports = w.count(|e| matches!(e, EventKind::DeliveryReported(_)));
        let attempts = w.engine.state.deliveries[&id].n as usize;
        prop_assert!(reports <= attempts * 4, "{} reports of {} attempts", reports, attempts);
        w.untold();
        w.check_history();
    }

    /// Whoever writes whatever, nothing breaks, and nobody who was not told does anything.
    #[test]
    fn strangers_words_do_nothing(text in "\\PC{0,60}|[0-9]{1,4}[are]?|(ack|resolve) ?#?[0-9]*", from in "\\+1555[0-9]{4}|\\PC{0,12}") {
        let mut w = World::calm();
        let number = w.open("high");
        w.untold();
        prop_assume!(!["+15550100", "+15550101"].contains(&from.as_str()));
        let wrote = Wrote { channel: "sms".into(), provider_id: "SM1".into(), from, text, opted_out: None };
        w.does(Ask::Called(Called::Wrote(wrote.clone())));
        w.does(Ask::Called(Called::Wrote(wrote)));
        prop_assert!(w.incident(number).acknowledged_by.is_none() && w.incident(number).is_live());
        prop_assert_eq!(w.count(|e| matches!(e, EventKind::InboundReceived(_))), 1);
        w.untold();
    }

    #[test]
    fn keys_of_any_form_are_read_or_refused(text in "\\PC{0,80}") {
        let _ = Keyed::parse(&text);
        let _ = parse(&text);
    }
}
