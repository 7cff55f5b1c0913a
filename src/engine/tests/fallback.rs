//! Fallback: the same message to the same person by another way, because the way failed.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;

fn text(w: &mut World, word: &str, to: &str) {
    w.send(|r| (r.level, r.to, r.channels) = (level(word), who(&[to]), names(&["sms"])));
}

#[test]
fn it_comes_at_once_on_a_refused_login_an_account_limit_and_a_permanent_refusal() {
    for (word, says) in
        [("low", refused()), ("normal", account()), ("high", provider()), ("low", provider()), ("urgent", refused())]
    {
        let mut w = World::calm();
        w.channel("sms", says);
        text(&mut w, word, "alice");
        w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
        assert_eq!(w.status("sms", "alice"), "sent");
    }
}

/// What follows at each level from each class and blame that an adapter gives.
#[test]
fn each_blame_has_one_consequence() {
    use crate::domain::failure::{Blame, Failure, FailureClass::*};
    for (class, blame, low, urgent) in [
        // Nothing: not again, and by no other way.
        (ValidationError, Blame::Message, &["sms"][..], &["sms"][..]),
        // The other way, at once.
        (ProviderError, Blame::Provider, &["sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        (RateLimited, Blame::Provider, &["sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        (AuthError, Blame::Account, &["sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        (RateLimited, Blame::Account, &["sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        // The same way again, then the other one; whoever is in a hurry takes that at once.
        (ProviderError, Blame::Channel, &["sms", "sms", "sms", "sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        (RateLimited, Blame::Channel, &["sms", "sms", "sms", "sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        (Timeout, Blame::Channel, &["sms", "sms", "sms", "sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
        (ProviderError, Blame::Recipient, &["sms", "sms", "sms", "sms", "sms-telnyx"], &["sms", "sms-telnyx"]),
    ] {
        for (word, want) in [("low", low), ("urgent", urgent)] {
            let mut w = World::calm();
            w.without_letters();
            w.channel("sms", Says::Fails(Failure::new(class, blame, "no")));
            text(&mut w, word, "alice");
            let tries = w.all_until("5m");
            let by: Vec<&str> = tries.iter().filter(|h| h.who == "alice").map(|h| h.channel.as_str()).collect();
            assert_eq!(by, want, "{class} {blame:?} at {word}");
        }
    }
}

/// A mail server that does not know us yet says so to each recipient: that is no news of the channel.
#[test]
fn who_is_not_welcome_yet_is_tried_again_until_he_is_and_the_channel_is_well() {
    use crate::domain::delivery::ChannelStatus;
    use crate::domain::failure::{Blame, Failure, FailureClass::ProviderError};
    let mut w = World::calm();
    let greylisted = Failure::new(ProviderError, Blame::Recipient, "greylisted").code("450 4.2.0");
    w.channel("call", Says::Fails(greylisted));
    for name in ["alice", "bob"] {
        w.send(|r| (r.level, r.to, r.channels) = (level("low"), who(&[name]), names(&["call"])));
    }
    let tries = w.all_until("15m").len();
    assert!((20..=200).contains(&tries), "{tries} attempts at two recipients in a quarter of an hour");
    assert_eq!(
        (w.health("call"), w.told()),
        (ChannelStatus::Unknown, vec!["call alice backoff".into(), "call bob backoff".into()])
    );
    w.channel("call", Says::Yes);
    w.run_for("2m");
    w.untold();
    for name in ["alice", "bob"] {
        assert_eq!(w.status("call", name), "sent");
    }
}

#[test]
fn never_on_a_bad_recipient() {
    let mut w = World::calm();
    w.without_letters();
    w.channel("sms", Says::bad_number());
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms").nothing_else();
    assert_eq!(w.told(), ["sms alice dead: VALIDATION_ERROR (21211 not a number)"]);
    w.quiet_until("1d");
}

#[test]
fn f46_on_a_time_out_after_the_first_attempt_at_urgent_and_high() {
    for word in ["urgent", "high"] {
        let mut w = World::calm();
        w.channel("sms", timeout());
        text(&mut w, word, "alice");
        w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
        w.quiet_until("1h");
    }
}

#[test]
fn on_a_time_out_after_the_last_retry_at_normal_and_low() {
    for word in ["normal", "low"] {
        let mut w = World::calm();
        w.channel("sms", timeout());
        text(&mut w, word, "alice");
        let tries = w.all_until("3m");
        let by: Vec<&str> = tries.iter().map(|h| h.channel.as_str()).collect();
        assert_eq!(by, ["sms", "sms", "sms", "sms", "sms-telnyx"], "three retries: four attempts at most");
        assert!(tries.windows(2).take(3).all(|t| t[1].at - t[0].at >= span("1s")), "with a pause before each");
        assert_eq!(tries[3].at, tries[4].at);
        w.quiet_until("1h");
    }
}

#[test]
fn or_when_the_channel_is_dead_before_the_last_retry() {
    let mut w = World::calm();
    w.channel("sms", timeout());
    text(&mut w, "normal", "alice");
    w.at("0m").rings("alice", "sms");
    // Three others fail there, too, and the fifth failure in a row kills the channel.
    for to in ["bob", "+15550201", "+15550202", "+15550203"] {
        text(&mut w, "urgent", to);
    }
    let tries = w.untold();
    let by_telnyx = |who: &str| tries.iter().any(|h| h.who == who && h.channel == "sms-telnyx");
    assert!(by_telnyx("alice") && by_telnyx("bob") && by_telnyx("+15550203"), "{tries:?}");
    w.quiet_until("1h");
}

#[test]
fn when_the_channel_is_dead_it_begins_with_the_next_way() {
    let mut w = World::calm();
    w.channel("sms", refused());
    text(&mut w, "normal", "bob");
    w.untold();
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms-telnyx").nothing_else();
    assert_eq!(w.delivery("sms", "alice").at, 1);
}

#[test]
fn the_first_way_is_not_tried_again_for_this_delivery() {
    let mut w = World::calm();
    w.channel_first("sms", [timeout()]).channel("sms-telnyx", Says::Hangs);
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx");
    w.at("15s").rings("alice", "sms-gateway").nothing_else();
}

#[test]
fn when_the_last_of_the_chain_fails_it_is_gone_through_once_more() {
    let mut w = World::calm();
    w.channel_first("sms", [timeout()])
        .channel_first("sms-telnyx", [timeout()])
        .channel_first("sms-gateway", [timeout()]);
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").rings("alice", "sms-gateway").nothing_else();
    let again = w.all_until("1m");
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].channel, "sms");
    assert!(again[0].at >= span("1s"), "with backoff");
    assert_eq!(w.status("sms", "alice"), "sent");
}

#[test]
fn a_permanent_refusal_by_all_of_them_is_a_dead_letter_after_the_second_time_through() {
    let mut w = World::calm();
    w.without_letters();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, provider());
    }
    text(&mut w, "urgent", "alice");
    let tries = w.all_until("5m");
    let by: Vec<&str> = tries.iter().map(|h| h.channel.as_str()).collect();
    assert_eq!(by, ["sms", "sms-telnyx", "sms-gateway", "sms", "sms-telnyx", "sms-gateway"]);
    assert_eq!(w.told(), ["sms alice dead: FINAL_FAILURE: PROVIDER_ERROR (30007 filtered)"]);
    assert_eq!(w.engine.state.dead_count(), 1);
}

#[test]
fn with_every_way_down_it_goes_on_until_its_time_to_live() {
    let mut w = World::calm();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, timeout());
    }
    text(&mut w, "urgent", "alice");
    w.all_until("23h59m");
    assert_eq!(w.status("sms", "alice"), "waiting");
    w.all_until("24h1m");
    assert_eq!(w.told(), ["sms alice expired: too late: its time to live is over"]);
}

#[test]
fn another_medium_takes_the_same_persons_address_and_a_bare_one_has_none() {
    // Calls fall back to mail.
    let toml = calm().replace("kind        = \"twilio-voice\"", "kind        = \"twilio-voice\"\nfallback = \"mail\"");
    let mut w = World::with(&toml);
    w.channel("call", timeout());
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob"]), names(&["call"])));
    w.at("0m").rings("bob", "call").rings("bob", "mail").nothing_else();
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["+15550199"]), names(&["call"])));
    w.at("0m").rings("+15550199", "call").nothing_else();
    let tries = w.all_until("10s");
    assert!(!tries.is_empty() && tries.iter().all(|h| h.channel == "call"), "passed over: it waits for its channel");
    w.channel("call", Says::Yes);
    w.all_until("1m");
    assert_eq!(w.status("call", "+15550199"), "sent");
}

#[test]
fn a_way_without_an_address_is_passed_over() {
    let toml = calm()
        .replace("fallback    = \"sms-telnyx\"", "fallback = \"mail\"")
        .replace("email    = \"alice@example.org\"\n", "")
        .replace("from     = \"Stentor <stentor@example.org>\"\n", "from = \"s@example.org\"\n")
        .replace("fallback = \"mail-backup\"", "fallback = \"sms-gateway\"")
        .replace("via    = \"mail\"", "via    = \"mail-backup\"");
    let mut w = World::with(&toml);
    w.channel("sms", refused());
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms").rings("alice", "sms-gateway").nothing_else();
}

#[test]
fn a_fixed_channel_can_be_a_fallback() {
    let toml = calm().replace("fallback    = \"sms-telnyx\"", "fallback = \"ops-slack\"");
    let mut w = World::with(&toml);
    w.channel("sms", refused());
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms").posts("ops-slack").nothing_else();
}

#[test]
fn a_text_that_was_made_is_used_again_by_a_way_of_the_same_form() {
    let mut w = World::calm();
    w.channel_first("sms", [timeout()]);
    text(&mut w, "urgent", "alice");
    let tries = w.untold();
    assert_eq!(tries[0].text, tries[1].text);
    let with_text = w.frames.iter().flat_map(|f| &f.events).filter(|e| {
        matches!(e.head, EventKind::AttemptStarted { .. }) && e.payload.as_ref().is_some_and(|p| p.text.is_some())
    });
    assert_eq!(with_text.count(), 1, "rendered once");
}

#[test]
fn fallback_moves_no_step() {
    let mut w = World::calm();
    w.channel("ops-slack", Says::Yes).channel("sms", timeout()).channel("call", Says::Yes);
    w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms").rings("alice", "sms-telnyx");
    w.at("10m").rings("alice", "call").rings("bob", "call");
    w.at("30m").posts("siren").posts("ops-slack");
}

#[test]
fn failures_are_of_a_message_while_its_channel_works_for_others() {
    let mut w = World::calm();
    w.channel_about("call", "bob", timeout());
    let call = |w: &mut World, to: &str| {
        w.send(|r| (r.level, r.channels, r.to) = (level("normal"), names(&["call"]), who(&[to])));
    };
    call(&mut w, "bob");
    let mut tries = w.untold().len();
    for _ in 0..120 {
        w.run_for("1s");
        call(&mut w, "alice");
        tries += w.untold().iter().filter(|h| h.who == "bob").count();
    }
    // Every second somebody else gets through: it is the message.
    assert_eq!(w.told()[0], format!("call bob dead: FINAL_FAILURE after {tries} attempts: TIMEOUT (no answer)"));
    assert!((5..=6).contains(&tries), "{tries} attempts: four, and one or two before the channel had worked");
    assert_eq!(w.health("call"), crate::domain::delivery::ChannelStatus::Ok);
}

#[test]
fn f32_a_lost_answer_marks_later_attempts_as_possibly_a_duplicate() {
    let mut w = World::calm();
    w.channel_first("sms", [Says::Hangs]);
    text(&mut w, "urgent", "alice");
    w.at("0m").rings("alice", "sms");
    w.at("15s").rings("alice", "sms-telnyx");
    let marked: Vec<bool> = w
        .events()
        .filter_map(|e| match e {
            EventKind::AttemptStarted { possibly_duplicate, .. } => Some(*possibly_duplicate),
            _ => None,
        })
        .collect();
    assert_eq!(marked, [false, true]);
}

#[test]
fn a_text_from_a_template_is_only_for_the_channel_whose_template_it_is() {
    let toml = "[channels.a]\nkind = 'webhook'\nurl = 'https://a.example'\nbody = 'A {{ subject }}'\nfallback = 'b'\n\
                [channels.b]\nkind = 'webhook'\nurl = 'https://b.example'\nbody = 'B {{ subject }}'\nfallback = 'c'\n\
                [channels.c]\nkind = 'webhook'\nurl = 'https://c.example'\n[levels.low]\nchannels = ['a']\n";
    let mut w = World::with(toml);
    w.channel("a", provider()).channel("b", provider());
    w.open("low");
    w.all_until("1m");
    let text = |e: &crate::domain::event::Event| Some(e.payload.as_ref()?.text.as_ref()?.text.clone());
    let texts: Vec<String> = w.frames.iter().flat_map(|f| &f.events).filter_map(text).collect();
    assert_eq!((texts.len(), &texts[0][..2], &texts[1][..2], &texts[2][..1]), (3, "A ", "B ", "{"), "{texts:?}");
}

/// A way that refuses a message for good says nothing of one that is only down.
#[test]
fn what_the_fallback_refuses_waits_for_the_way_that_is_down() {
    for refuses in [provider(), Says::bad_number()] {
        let mut w = World::calm();
        w.channel("sms", timeout()).channel("sms-telnyx", refuses.clone()).channel("sms-gateway", refuses.clone());
        text(&mut w, "urgent", "alice");
        w.all_until("10m");
        assert_ne!(w.status("sms", "alice"), "dead", "{refuses:?}");
        let refused = w.engine.state.deliveries.values().next().unwrap().attempts.iter().filter(|a| a.refused).count();
        assert!(refused <= 2, "who refuses it is not asked again and again: {refused}");
        w.channel("sms", Says::Yes);
        w.all_until("20m");
        assert_eq!(w.status("sms", "alice"), "sent", "{refuses:?}");
    }
}

#[test]
fn what_every_way_refuses_is_a_dead_letter() {
    let mut w = World::calm();
    w.without_letters();
    w.channel("sms", timeout()).channel("sms-telnyx", provider()).channel("sms-gateway", provider());
    text(&mut w, "urgent", "alice");
    w.all_until("2m");
    w.channel("sms", provider());
    w.all_until("10m");
    assert_eq!(w.status("sms", "alice"), "dead");
}

/// It stands in line behind a dead channel, untried, when its fallback comes back.
#[test]
fn what_stands_in_line_behind_a_dead_channel_goes_by_the_fallback_that_works_again() {
    let mut w = World::calm();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, refused());
    }
    text(&mut w, "urgent", "alice");
    w.all_until("1s");
    w.channel("sms", Says::Hangs);
    for n in 0..20 {
        text(&mut w, "high", &format!("+155501{n:02}"));
    }
    w.all_until("5m");
    w.channel("sms-telnyx", Says::Yes);
    w.send(|r| (r.level, r.to, r.channels) = (level("low"), who(&["bob"]), names(&["sms-telnyx"])));
    w.all_until("5m10s");
    assert!(w.deliveries().iter().all(|d| d.status.got_out()), "{:?}", w.told());
}

const PAIR: &str = "[channels.a]\nkind = 'webhook'\nurl = 'https://a.example'\nfallback = 'b'\n\
                    [channels.b]\nkind = 'webhook'\nurl = 'https://b.example'\n[levels.low]\nchannels = ['a']\n";

/// Nothing comes to the last of a chain while those before it work.
#[test]
fn f40_a_dead_channel_that_only_stands_in_is_asked_whether_it_works_again() {
    use crate::domain::delivery::ChannelStatus;
    let mut w = World::with(PAIR);
    w.channel("a", refused()).channel("b", refused()).probe("a", refused()).probe("b", refused());
    w.open("low");
    w.all_until("10s");
    assert_eq!((w.health("a"), w.health("b")), (ChannelStatus::Dead, ChannelStatus::Dead));
    w.channel("a", Says::Yes).probe("b", Says::Yes);
    w.all_until("10m");
    assert_eq!((w.health("a"), w.health("b")), (ChannelStatus::Ok, ChannelStatus::Suspect));
}

/// Whichever comes back first is found by what waits, within seconds and without any probe.
#[test]
fn what_waits_at_a_chain_without_any_way_alive_is_tried_by_each_in_turn() {
    for (restart, back) in [(false, "a"), (false, "b"), (true, "a"), (true, "b")] {
        for says in [refused(), timeout()] {
            let mut w = World::with(PAIR);
            w.channel("a", says.clone()).channel("b", says).probe("a", refused()).probe("b", refused());
            w.open("low");
            w.all_until("5m");
            if restart {
                w.down_for("10s");
            }
            w.channel(back, Says::Yes);
            w.run_for("12s");
            w.untold();
            assert!(w.deliveries().iter().all(|d| d.status.got_out()), "{back} {restart}: {:?}", w.told());
            assert_eq!(w.deliveries()[0].channel(), back);
        }
    }
}

/// Its retries are used up at the one that works for others; the other one may be back before its time is over.
#[test]
fn what_has_another_way_is_no_dead_letter_because_that_one_is_dead() {
    let mut w = World::calm();
    w.channel("sms", refused()).channel("sms-telnyx", refused()).channel("sms-gateway", refused());
    text(&mut w, "low", "bob");
    w.all_until("10s");
    w.channel("sms", Says::Yes).channel_about("sms", "alice", timeout());
    w.all_until("20s");
    text(&mut w, "low", "alice");
    for n in 1..=40 {
        text(&mut w, "low", "bob");
        w.all_until(&format!("{}s", 20 + 5 * n));
    }
    assert_ne!(w.status("sms", "alice"), "dead");
    assert!(w.delivery("sms", "alice").lap > 0, "its retries are used up");
    w.channel("sms-telnyx", Says::Yes);
    text(&mut w, "low", "alice");
    w.all_until("10m");
    assert!(w.deliveries().iter().all(|d| d.status.got_out()), "{:?}", w.told());
}

/// The first way asked for a long pause, the second one was down for a moment only.
#[test]
fn f38_nobody_waits_at_a_way_that_asked_for_a_pause_while_another_one_works() {
    for (word, other) in [("urgent", timeout()), ("urgent", refused()), ("low", timeout())] {
        let mut w = World::with(&PAIR.replace("low", word));
        w.channel("a", Says::busy("5m")).channel_first("b", [other]).probe("b", Says::Yes).probe("a", Says::Yes);
        w.open(word);
        w.all_until("70s");
        assert!(w.deliveries().iter().all(|d| d.status.got_out()), "{word}: {:?}", w.told());
        assert_eq!(w.deliveries()[0].channel(), "b");
        // And what comes while that pause lasts begins there.
        w.open(word);
        let tries = w.all_until("71s");
        assert_eq!(tries.iter().map(|t| t.channel.as_str()).collect::<Vec<_>>(), ["b"], "{word}");
    }
}

/// A probe connects, and says nothing of whether messages are answered in time.
#[test]
fn f32_a_probe_that_passes_wakes_nothing_that_may_have_been_heard() {
    let probed =
        format!("{PAIR}[heartbeats.a]\nprobe = 'a'\nevery = '10s'\nlevel = 'low'\n").replace("fallback = 'b'\n", "");
    let mut w = World::with(&probed);
    let Says::Fails(late) = timeout() else { unreachable!() };
    w.channel("a", Says::Fails(late.unknown())).probe("a", Says::Yes);
    w.open("low");
    let tries = w.all_until("30m").len();
    assert!((8..=40).contains(&tries), "{tries}");
    w.channel("a", Says::Yes);
    w.all_until("36m");
    assert!(w.deliveries().iter().all(|d| d.status.got_out()), "{:?}", w.told());
}

/// The first way is dead, and a message without hurry hangs there.
#[test]
fn who_is_in_a_hurry_begins_where_there_is_room_when_every_way_is_dead() {
    let mut w = World::with(&(PAIR.to_owned() + "[levels.urgent]\nchannels = ['a']\n"));
    w.channel("a", refused()).channel("b", refused()).probe("a", refused()).probe("b", refused());
    w.open("low");
    w.all_until("20s");
    w.channel("a", Says::Hangs).channel("b", Says::Hangs);
    w.all_until("26s");
    let busy = w.deliveries()[0].channel().to_owned();
    w.open("urgent");
    let other = if busy == "a" { "b" } else { "a" };
    assert_eq!(w.deliveries().last().unwrap().chain[w.deliveries().last().unwrap().at], other);
    w.all_until("30s");
}
