//! Bounds: clear refusals, a reserve for urgent, an order in each place, and pauses that end.

use super::world::asks::*;
use super::world::*;
use crate::engine::{Code, Delivery, Incident, SendRequest};

/// A bulk mail to so many.
fn bulk(word: &str, from: usize, many: usize) -> impl FnOnce(&mut SendRequest) {
    let to: Vec<String> = (from..from + many).map(|n| format!("a{n}@example.org")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let to = who(&to);
    let word = level(word);
    move |r| (r.level, r.to, r.channels) = (word, to, names(&["mail"]))
}

#[test]
fn f49_what_does_not_fit_is_refused_and_urgent_has_a_reserve() {
    let mut w = World::calm();
    w.channel("mail", Says::Never);
    for n in 0..8 {
        w.send(bulk("low", n * 500, 500));
    }
    let refusal = w.try_send(bulk("high", 0, 1)).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::Overloaded, Some(5)));
    assert!(refusal.message.starts_with("4000 deliveries have not ended"), "{}", refusal.message);
    assert_eq!(
        w.fails(crate::engine::Ask::Open(crate::engine::OpenRequest {
            subject: "x".into(),
            level: level("high"),
            ..Default::default()
        }))
        .code,
        Code::Overloaded
    );
    w.send(bulk("urgent", 0, 500));
    w.send(bulk("urgent", 500, 500));
    assert_eq!(w.try_send(bulk("urgent", 0, 1)).unwrap_err().code, Code::Overloaded, "a quarter on top");
    assert_eq!(w.engine.state.pending(), 5_000, "and what was accepted stays");
    w.untold();
}

#[test]
fn what_is_told_of_one_incident_arrives_at_a_place_in_its_order() {
    let mut w = World::calm();
    w.channel_takes("ops-slack", "5s");
    let n = w.open_with(|r| (r.level, r.channels) = (level("high"), names(&["ops-slack"])));
    w.at("0m").posts("ops-slack").nothing_else();
    w.run_for("1s");
    w.resolve(n);
    // There is a slot for it, but the first one is still under way.
    w.nothing_untold();
    // Another incident's does not wait.
    w.open_with(|r| (r.level, r.channels) = (level("low"), names(&["ops-slack"])));
    w.at("1s").posts("ops-slack").nothing_else();
    w.at("5s").notice("resolved", "", "ops-slack").nothing_else();
    w.quiet_until("1h");
}

#[test]
fn the_pauses_of_an_urgent_one_are_short() {
    for (word, most) in [("urgent", "15s"), ("high", "1m")] {
        let mut w = World::calm();
        for channel in ["sms", "sms-telnyx", "sms-gateway"] {
            // Each fails with what is not the channel's fault, so that no breaker has a say.
            w.channel_first(channel, [timeout(), timeout(), timeout()]);
        }
        w.send(|r| (r.level, r.to, r.channels) = (level(word), who(&["alice"]), names(&["sms"])));
        let tries = w.all_until("10m");
        let longest = tries.windows(2).map(|t| t[1].at - t[0].at).max().unwrap();
        assert!(longest <= span(most), "{word}: {longest}");
        assert_eq!(w.status("sms", "alice"), "sent");
    }
}

#[test]
fn what_leaves_is_not_of_the_size_of_what_stays() {
    // The allocator keeps rows of one size together: incidents would hold the pages of deliveries that are gone.
    let class = |bytes: usize| (bytes + 16).div_ceil(64);
    assert_ne!(class(size_of::<Delivery>()), class(size_of::<Incident>()));
}
