//! P: what a person wishes, looked at when a sending is made and just before each attempt.

use super::world::asks::*;
use super::world::*;

const NIGHT: &str = "2026-01-06T23:00:00+01:00";

fn with_bob(preferences: &str) -> String {
    let text = calm();
    let start = text.find("[people.bob.preferences]").unwrap();
    let end = start + text[start..].find("\n\n").unwrap();
    format!("{}[people.bob.preferences]\n{preferences}\n{}", &text[..start], &text[end..])
}

fn to_bob(w: &mut World, word: &str, channel: &str) -> Vec<String> {
    match w.try_send(|r| (r.level, r.to, r.channels) = (level(word), who(&["bob"]), names(&[channel]))) {
        Ok(_) => Vec::new(),
        Err(refusal) => refusal.reasons,
    }
}

#[test]
fn quiet_hours_are_for_sms_and_voice_below_their_level() {
    let mut w = World::at_time(&calm(), NIGHT);
    assert_eq!(to_bob(&mut w, "high", "sms"), ["sms bob: quiet hours until 07:00"]);
    assert_eq!(to_bob(&mut w, "low", "call"), ["call bob: quiet hours until 07:00"]);
    w.quiet_until("1m");
    to_bob(&mut w, "high", "mail");
    to_bob(&mut w, "urgent", "sms");
    to_bob(&mut w, "urgent", "call");
    w.at("1m").rings("bob", "mail").rings("bob", "sms").rings("bob", "call").nothing_else();
}

#[test]
fn the_end_of_the_quiet_hours_is_outside_them() {
    let mut w = World::at_time(&calm(), "2026-01-07T06:59:59+01:00");
    assert!(!to_bob(&mut w, "high", "sms").is_empty());
    w.quiet_until("1s");
    assert!(to_bob(&mut w, "high", "sms").is_empty());
    w.at("1s").rings("bob", "sms");
}

#[test]
fn they_are_in_the_persons_own_zone() {
    // Five in the afternoon in Prague is one in the morning in Tokyo.
    let toml = calm().replace("[people.bob]\n", "[people.bob]\ntimezone = \"Asia/Tokyo\"\n");
    let mut w = World::at_time(&toml, "2026-01-06T17:00:00+01:00");
    assert_eq!(to_bob(&mut w, "high", "sms"), ["sms bob: quiet hours until 07:00"]);
}

#[test]
fn on_call_means_reachable_and_named_beside_it_too() {
    let week_of_bob = "2026-01-13T23:00:00+01:00";
    let mut w = World::at_time(&calm(), week_of_bob);
    for to in [&["schedule:primary"][..], &["bob", "schedule:primary"], &["schedule:primary", "bob"]] {
        w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(to), names(&["sms"])));
        w.at("0m").rings("bob", "sms").nothing_else();
    }
    assert_eq!(w.told(), ["sms bob sent", "sms bob sent", "sms bob sent"]);
    // By name alone they are not.
    assert!(!to_bob(&mut w, "high", "sms").is_empty());
}

#[test]
fn a_medium_that_is_off_is_off_at_every_level_also_on_call() {
    let mut w = World::at_time(&with_bob("sms = false"), "2026-01-13T12:00:00+01:00");
    let refusal = w
        .try_send(|r| (r.level, r.to, r.channels) = (level("urgent"), who(&["schedule:primary"]), names(&["sms"])))
        .unwrap_err();
    assert_eq!(refusal.reasons, ["sms bob: preference"]);
    assert!(to_bob(&mut w, "urgent", "call").is_empty(), "by medium");
    w.at("0m").rings("bob", "call");
}

#[test]
fn only_wanted_types_are_sent() {
    let mut w = World::with(&with_bob("mail = { types = [\"disk\"] }"));
    assert_eq!(to_bob(&mut w, "urgent", "mail"), ["mail bob: preference"]);
    w.send(|r| (r.to, r.channels, r.kind_of) = (who(&["bob"]), names(&["mail"]), Some("disk".into())));
    w.at("0m").rings("bob", "mail");
}

#[test]
fn the_first_reason_wins() {
    let preferences = "sms = false\nquiet = { hours = [\"22:00-07:00\"], until = \"urgent\" }";
    let mut w = World::at_time(&with_bob(preferences), NIGHT);
    assert_eq!(to_bob(&mut w, "high", "sms"), ["sms bob: preference"]);
}

#[test]
fn bare_addresses_have_no_preferences() {
    let mut w = World::at_time(&with_bob("sms = false"), NIGHT);
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["+15550101"]), names(&["sms"])));
    w.at("0m").rings("bob", "sms").nothing_else();
}

#[test]
fn skipped_is_not_delayed() {
    let mut w = World::at_time(&calm(), NIGHT);
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob", "alice"]), names(&["sms"])));
    w.at("0m").rings("alice", "sms");
    w.quiet_until("12h");
    assert_eq!(w.told()[0], "sms bob skipped: quiet-hours until 07:00");
}

#[test]
fn they_hold_for_fallbacks_too() {
    // Mail falls back to a call, and then to a text.
    let toml = with_bob("voice = false")
        .replace("fallback = \"mail-backup\"", "fallback = \"call\"")
        .replace("kind        = \"twilio-voice\"", "kind        = \"twilio-voice\"\nfallback = \"sms-telnyx\"");
    let toml = toml.replace("fallback = \"sms-gateway\"\n", "");
    let mut w = World::with(&toml);
    w.channel("mail", refused());
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob", "alice"]), names(&["mail"])));
    w.at("0m")
        .rings("bob", "mail")
        .rings("alice", "mail")
        .rings("bob", "sms-telnyx")
        .rings("alice", "call")
        .nothing_else();
}

#[test]
fn quiet_hours_that_begin_while_it_waits_are_looked_at_before_the_attempt() {
    let mut w = World::at_time(&calm(), "2026-01-06T21:58:00+01:00");
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, timeout());
    }
    assert!(to_bob(&mut w, "high", "sms").is_empty());
    w.all_until("1m50s");
    assert_eq!(w.status("sms", "bob"), "waiting");
    w.all_until("3m");
    assert_eq!(w.told(), ["sms bob skipped: quiet-hours until 07:00"]);
}

#[test]
fn quiet_hours_that_begin_while_an_on_call_text_waits_do_not_hold_it() {
    let mut w = World::at_time(&calm(), "2026-01-13T21:58:00+01:00");
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, timeout());
    }
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.all_until("3m");
    assert_eq!(w.status("sms", "bob"), "waiting");
    w.channel("sms", Says::Yes);
    w.all_until("4m");
    assert_eq!(w.status("sms", "bob"), "sent");
}

#[test]
fn in_a_policy_it_counts_as_not_reached() {
    let policy = r#"
[policies.p]
steps = [ { after = "0s", channels = ["sms"], to = ["bob"] }, { after = "10m", channels = ["hook"] } ]
"#;
    let mut w = World::at_time(&(calm() + policy), NIGHT);
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("p".into())));
    w.at("0m").posts("hook").nothing_else();
    assert_eq!(w.told()[0], "sms bob skipped: quiet-hours until 07:00");
}
