//! Limits and paces, over days: what is over them is refused, takes its fallback, or waits.

use super::world::asks::*;
use super::world::*;
use crate::domain::delivery::Status;
use crate::domain::event::EventKind;
use crate::domain::level::Level;
use crate::engine::{Code, SendRequest};

/// The example with other limits of the channel `sms`.
fn limited(limits: &str) -> String {
    calm().replace("limits      = { per_hour = 100, per_day = 500 }", &format!("limits = {limits}"))
}

/// Without its fallbacks.
fn alone(limits: &str) -> String {
    limited(limits).replace("fallback    = \"sms-telnyx\"", "")
}

fn text(word: &str, to: &str) -> impl FnOnce(&mut SendRequest) {
    let (word, to) = (level(word), who(&[to]));
    move |r| (r.level, r.to, r.channels) = (word, to, names(&["sms"]))
}

fn of_tenant(tenant: &str) -> impl FnOnce(&mut SendRequest) {
    let tenant = Some(tenant.to_owned());
    move |r| (r.tenant, r.to, r.channels) = (tenant, who(&["alice"]), names(&["sms"]))
}

/// An incident that texts alice at once.
fn page(w: &mut World, word: &str) -> u64 {
    w.open_with(|r| {
        (r.level, r.to, r.channels, r.policy) =
            (level(word), who(&["alice"]), names(&["sms"]), Some("none".to_owned()));
    })
}

#[test]
fn a_day_of_one_shots_at_the_limits_of_the_example() {
    let mut w = World::calm();
    let mut sent = 0;
    // One each half a minute, all day.
    for n in 0..2 * 60 * 24 {
        let answer = w.try_send(text("normal", "alice"));
        match answer {
            Ok(_) => sent += 1,
            Err(refusal) => {
                assert_eq!(refusal.code, Code::RateLimited);
                let wait = refusal.retry_after_seconds.unwrap();
                assert!(wait <= 24 * 3_600 && refusal.retry_at.is_some(), "{refusal:?}");
            }
        }
        if n == 119 {
            assert_eq!(sent, 100, "an hour");
        }
        w.run_for("30s");
    }
    assert_eq!(sent, 500, "a day");
    assert_eq!(w.untold().len(), 500, "and each was sent");
    w.run_for("30s");
    w.send(text("normal", "alice"));
    assert_eq!(w.untold().len(), 1, "the first of yesterday have left the window");
}

#[test]
fn the_refusal_says_when_and_nothing_else_is_recorded() {
    let mut w = World::with(&limited("{ per_hour = 2, per_day = 3 }"));
    w.send(text("normal", "alice"));
    w.run_for("10m");
    w.send(text("normal", "bob"));
    w.untold();
    let (frames, order) = (w.frames.len(), w.engine.state.order);
    let refusal = w.try_send(text("high", "alice")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::RateLimited, Some(50 * 60)));
    assert_eq!(refusal.retry_at.as_deref(), Some("2026-01-06T13:00:00.000+01:00"));
    assert_eq!(
        refusal.message,
        "the limit of 2 messages an hour by sms is reached; sending is possible again at 2026-01-06T13:00:00.000+01:00"
    );
    assert_eq!((w.frames.len(), w.engine.state.order), (frames + 1, order));
    let recorded: Vec<&EventKind> = w.frames[frames].events.iter().map(|e| &e.head).collect();
    assert!(matches!(recorded[..], [EventKind::RequestRefused { code, .. }] if code == "RATE_LIMITED"), "{recorded:?}");
    // Not a moment before, and then at once.
    w.run_until(span("1h") - crate::domain::time::Span::secs(1));
    assert_eq!(w.try_send(text("high", "alice")).unwrap_err().retry_after_seconds, Some(1));
    w.run_for("1s");
    w.send(text("high", "alice"));
    w.untold();
    // Now it is the day that is full.
    let refusal = w.try_send(text("high", "alice")).unwrap_err();
    assert!(refusal.message.starts_with("the limit of 3 messages a day by sms"), "{}", refusal.message);
    assert_eq!(refusal.retry_after_seconds, Some(23 * 3_600));
}

#[test]
fn urgent_has_a_reserve_of_a_quarter_on_top() {
    let mut w = World::with(&limited("{ per_hour = 4 }"));
    for _ in 0..4 {
        w.send(text("high", "alice"));
    }
    assert_eq!(w.try_send(text("high", "alice")).unwrap_err().code, Code::RateLimited);
    w.send(text("urgent", "alice"));
    let refusal = w.try_send(text("urgent", "alice")).unwrap_err();
    assert!(refusal.message.contains("and its reserve for urgent, is reached"), "{}", refusal.message);
    assert_eq!(w.untold().len(), 5);
}

#[test]
fn each_tenant_has_its_own_and_a_request_goes_whole_or_not_at_all() {
    let mut w = World::with(&limited("{ per_hour = 2 }"));
    w.send(of_tenant("acme"));
    w.send(of_tenant("acme"));
    let refusal = w.try_send(of_tenant("acme")).unwrap_err();
    assert!(refusal.message.contains("by sms for tenant acme"), "{}", refusal.message);
    w.send(of_tenant("other"));
    w.untold();
    let both = |r: &mut SendRequest| {
        (r.tenant, r.to, r.channels) = (Some("other".into()), who(&["alice", "bob"]), names(&["sms", "mail"]));
    };
    let refusal = w.try_send(both).unwrap_err();
    assert!(refusal.message.starts_with("2 messages are over the limit of 2 an hour"), "{}", refusal.message);
    w.nothing_untold();
    let three = |r: &mut SendRequest| (r.to, r.channels) = (who(&["alice", "bob", "carol"]), names(&["sms"]));
    let refusal = w.try_send(|r| {
        three(r);
        r.kind_of = Some("fomo".into());
    });
    let refusal = refusal.unwrap_err();
    assert_eq!((refusal.code, refusal.field.as_deref()), (Code::ValidationError, Some("to")), "{refusal:?}");
}

#[test]
fn a_step_takes_its_fallback_and_the_chain_counts_once() {
    let mut w = World::with(&limited("{ per_hour = 1 }"));
    page(&mut w, "high");
    w.at("0m").rings("alice", "sms").nothing_else();
    page(&mut w, "high");
    w.at("0m").rings("alice", "sms-telnyx").nothing_else();
    let counted: Vec<String> = w
        .events()
        .filter_map(|e| if let EventKind::DeliveryCounted(c) = e { Some(c.channel.clone()) } else { None })
        .collect();
    assert_eq!(counted, ["sms", "sms-telnyx"], "each once");
    let because = w.events().find_map(|e| match e {
        EventKind::DeliveryMoved { because, .. } => Some(because.clone()),
        _ => None,
    });
    assert_eq!(
        because.as_deref(),
        Some("fallback from sms to sms-telnyx: RATE_LIMITED: the limit of 1 messages an hour by sms is reached")
    );
    w.quiet_until("3h");
}

#[test]
fn what_falls_back_because_its_way_failed_is_not_counted_again() {
    let mut w = World::with(
        &limited("{ per_hour = 2 }")
            .replace("[channels.sms-telnyx]", "[channels.sms-telnyx]\nlimits = { per_hour = 1 }"),
    );
    w.channel("sms", provider());
    w.send(text("high", "alice"));
    w.send(text("high", "alice"));
    let by: Vec<String> = w.untold().into_iter().map(|h| h.channel).collect();
    assert_eq!(by, ["sms", "sms-telnyx", "sms", "sms-telnyx"], "over the limit of the fallback, which does not count");
    // Of a dead channel that is passed by, the limit counts all the same: it is the one asked for.
    w.channel("sms", refused());
    assert_eq!(w.try_send(text("high", "alice")).unwrap_err().code, Code::RateLimited);
}

#[test]
fn without_a_fallback_a_step_waits_and_goes_when_there_is_room() {
    let mut w = World::with(&alone("{ per_hour = 1 }"));
    page(&mut w, "high");
    w.at("0m").rings("alice", "sms");
    w.run_for("10m");
    page(&mut w, "high");
    page(&mut w, "normal");
    assert_eq!(w.status("sms", "alice"), "waiting");
    let reason = w.delivery("sms", "alice").detail.clone().unwrap();
    assert!(
        reason.starts_with("RATE_LIMITED: the limit of 1 messages an hour by sms is reached; it goes at"),
        "{reason}"
    );
    let reason = w.events().filter(|e| matches!(e, EventKind::DeliveryMoved { .. })).count();
    assert_eq!(reason, 2);
    // The more urgent one takes the room.
    w.at("1h").rings("alice", "sms").nothing_else();
    w.at("2h").rings("alice", "sms").nothing_else();
    assert_eq!(w.told(), ["sms alice sent", "sms alice sent", "sms alice sent"]);
    w.quiet_until("3h");
}

#[test]
fn what_waits_is_over_when_it_is_acknowledged() {
    let mut w = World::with(&alone("{ per_hour = 1 }"));
    let first = page(&mut w, "high");
    let second = page(&mut w, "high");
    w.at("0m").rings("alice", "sms");
    w.ack(second, "alice");
    w.ack(first, "alice");
    w.quiet_until("2h");
}

#[test]
fn for_one_person_and_one_type() {
    let mut w = World::with(&limited("{ per_hour = 100, per_day = 500, per_person = { per_hour = 2 } }"));
    let disk = |to: &str, kind: &str| {
        let (to, kind) = (who(&[to]), Some(kind.to_owned()));
        move |r: &mut SendRequest| (r.to, r.kind_of, r.channels) = (to, kind, names(&["sms"]))
    };
    w.send(disk("alice", "disk"));
    w.send(disk("alice", "disk"));
    let refusal = w.try_send(disk("alice", "disk")).unwrap_err();
    assert!(
        refusal.message.starts_with("the limit of 2 messages an hour of type disk to alice by sms is reached"),
        "{}",
        refusal.message
    );
    w.send(disk("alice", "load"));
    w.send(disk("bob", "disk"));
    w.send(disk("+15550199", "disk"));
    w.send(disk("+15550199", "disk"));
    let refusal = w.try_send(disk("+15550199", "disk")).unwrap_err();
    assert!(refusal.message.contains("to one address") && !refusal.message.contains("555"), "{}", refusal.message);
    assert_eq!(w.untold().len(), 6);
}

#[test]
fn they_survive_a_restart_from_the_journal_and_from_a_snapshot() {
    let mut w = World::with(&limited("{ per_hour = 2, per_person = { per_hour = 50 } }"));
    w.send(text("normal", "alice"));
    w.send(text("normal", "alice"));
    w.untold();
    w.down_for("5m");
    assert_eq!(w.try_send(text("normal", "alice")).unwrap_err().retry_after_seconds, Some(55 * 60));
    w.restart_from_snapshot();
    assert_eq!(w.try_send(text("normal", "alice")).unwrap_err().retry_after_seconds, Some(55 * 60));
    w.run_for("55m");
    w.send(text("normal", "alice"));
    w.untold();
}

#[test]
fn what_is_for_later_counts_when_its_time_comes() {
    let mut w = World::with(&alone("{ per_hour = 1 }"));
    let at = w.wall() + span("10m");
    for _ in 0..2 {
        w.send(|r| {
            text("normal", "alice")(r);
            r.at = Some(crate::engine::TimeWord(at));
        });
    }
    w.at("10m").rings("alice", "sms").nothing_else();
    w.at("1h10m").rings("alice", "sms").nothing_else();
}

#[test]
fn what_a_silence_holds_counts_nothing() {
    let mut w = World::with(&limited("{ per_hour = 1 }"));
    let id = w.silence("source=manual", "10m");
    for _ in 0..3 {
        w.send(text("normal", "alice"));
    }
    w.does(crate::engine::Ask::ExpireSilence { id });
    w.send(text("normal", "alice"));
    w.at("0m").rings("alice", "sms").nothing_else();
}

#[test]
fn a_reload_with_more_room_lets_go_what_waits() {
    let mut w = World::with(&alone("{ per_hour = 1 }"));
    page(&mut w, "high");
    page(&mut w, "high");
    w.at("0m").rings("alice", "sms").nothing_else();
    w.reload(&alone("{ per_hour = 5 }"));
    w.at("0m").rings("alice", "sms").nothing_else();
}

#[test]
fn zero_is_no_limit_and_other_channels_have_none() {
    let mut w = World::with(&limited("{ per_hour = 0, per_day = 0 }"));
    for _ in 0..600 {
        w.send(text("low", "alice"));
        w.send(|r| (r.to, r.channels) = (who(&["alice"]), names(&["mail"])));
    }
    assert_eq!(w.untold().len(), 1_200);
    assert_eq!(w.count(|e| matches!(e, EventKind::DeliveryCounted(_))), 0, "and nothing is written for it");
}

#[test]
fn the_providers_rate_is_kept_and_refuses_nothing() {
    let mut w = World::with(&limited("{ per_minute = 3, per_hour = 0, per_day = 0 }"));
    for _ in 0..6 {
        w.send(text("normal", "bob"));
    }
    w.run_for("10s");
    w.send(text("urgent", "alice"));
    let all = w.all_until("10m");
    let times: Vec<(i64, &str)> = all.iter().map(|h| (h.at.as_secs(), h.who.as_str())).collect();
    let expected = [(0, "bob"), (0, "bob"), (0, "bob"), (60, "alice"), (60, "bob"), (60, "bob"), (120, "bob")];
    assert_eq!(times, expected, "the most urgent first");
}

#[test]
fn the_providers_rate_is_known_after_a_restart() {
    let mut w = World::with(&limited("{ per_minute = 1 }"));
    w.send(text("normal", "bob"));
    w.send(text("normal", "bob"));
    w.at("0m").rings("bob", "sms").nothing_else();
    w.down_for("20s");
    w.at("1m").rings("bob", "sms").nothing_else();
}

#[test]
fn many_tenants_take_a_bounded_place() {
    let mut w = World::calm();
    for n in 0..700 {
        w.send(of_tenant(&format!("t{n}")));
        w.run_for("1s");
    }
    w.untold();
    assert!(w.engine.state.windows.len() <= 300, "{}", w.engine.state.windows.len());
    w.run_for("2d");
    for n in 0..80 {
        w.send(of_tenant(&format!("u{n}")));
    }
    assert!(w.engine.state.windows.len() <= 80 + 64, "what is a day old leaves: {}", w.engine.state.windows.len());
    w.untold();
}

#[test]
fn a_flood_of_alarms_never_drops_one() {
    // Reminders would take the room of what waits.
    let toml = alone("{ per_hour = 20, per_day = 200 }").replace("remind ", "# remind ");
    let mut w = World::with(&toml);
    w.without_letters();
    for n in 0..60 {
        page(&mut w, ["normal", "high", "urgent"][n % 3]);
        w.run_for("7s");
    }
    let mut all = w.all_until("4h");
    all.retain(|h| h.channel == "sms");
    assert_eq!(all.len(), 60, "each goes in the end");
    let early = all.iter().filter(|h| h.at < span("1h"));
    let (urgent, others): (Vec<_>, Vec<_>) =
        early.partition(|h| w.engine.state.deliveries[&h.delivery].level == Level::Urgent);
    assert_eq!(urgent.len(), 20, "the first page of an urgent incident waits for no limit");
    assert!(others.len() <= 20, "{}", others.len());
    assert!(w.deliveries().iter().filter(|d| d.level == Level::Urgent).all(|d| d.status.is_end()));
}

/// Each round ends the delivery of the one before, which counted and got nowhere.
#[test]
fn what_takes_the_place_of_one_that_counted_counts_no_more() {
    let toml = alone("{ per_hour = 2 }")
        + "\n[policies.often]\nrepeat = 6\nevery = '10s'\nsteps = [{ after = '0s', channels = ['sms'], to = ['alice'] }]\n";
    let mut w = World::with(&toml);
    w.without_letters();
    w.channel("sms", timeout());
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("often".to_owned())));
    w.all_until("45s");
    w.channel("sms", Says::Yes);
    w.all_until("3m");
    let sent = w.deliveries().iter().filter(|d| d.status == Status::Sent).count();
    assert_eq!(sent, 2, "the limit was used up by what never left");
}
