//! The Given/then table of SEMANTICS.md, with the example config; Alice is on call.

use super::world::asks::*;
use super::world::*;
use crate::engine::Code;

#[test]
fn an_urgent_one_shot_sounds_once_and_never_calls() {
    let mut w = World::example();
    w.send(|r| r.level = level("urgent"));
    w.at("0m").posts("siren").rings("alice", "sms").posts("ops-slack").rings("ops@example.org", "mail").nothing_else();
    assert_eq!(w.sounding(), ["siren"]);
    w.quiet_until("14m59s");
    assert_eq!(w.sounding(), ["siren"]);
    w.quiet_until("15m");
    assert!(w.sounding().is_empty(), "15m at a stretch is its max");
    w.quiet_until("6h");
}

#[test]
fn the_siren_of_a_one_shot_is_stopped_by_hand() {
    let mut w = World::example();
    w.send(|r| r.level = level("urgent"));
    w.at("0m").posts("siren").rings("alice", "sms").posts("ops-slack").rings("ops@example.org", "mail");
    w.quiet_until("1m");
    let answer = w.does(crate::engine::Ask::StopSound);
    assert_eq!(answer["stopped"], serde_json::json!(["siren"]));
    assert!(w.sounding().is_empty());
    w.quiet_until("1h");
}

#[test]
fn a_high_one_shot_to_bob_goes_by_mail_and_slack() {
    let mut w = World::example();
    w.send(|r| (r.level, r.to) = (level("high"), who(&["bob"])));
    w.at("0m").rings("bob", "mail").posts("ops-slack").nothing_else();
    w.quiet_until("1h");
}

#[test]
fn a_number_at_a_level_with_mail_only_is_refused() {
    let mut w = World::example();
    let refusal = w.try_send(|r| (r.level, r.to) = (level("low"), who(&["+15550199"]))).unwrap_err();
    assert_eq!(refusal.code, Code::Nobody);
    assert_eq!(refusal.message, "level low has mail only; add --channel sms");
    assert_eq!(refusal.reasons, ["mail +15550199: no-address"]);
    assert!(w.deliveries().is_empty());
    w.quiet_until("1h");
}

#[test]
fn a_fixed_channel_names_nobody() {
    let mut w = World::example();
    w.send(|r| (r.level, r.to, r.channels) = (level("normal"), who(&["alice"]), names(&["siren"])));
    w.at("0m").posts("siren").nothing_else();
    assert!(w.deliveries().iter().all(|d| d.who.is_none()));
    w.quiet_until("1h");
}

#[test]
fn an_urgent_incident_that_nobody_acts_on() {
    let mut w = World::example();
    w.open("urgent");
    for (siren, sms, call) in
        [("0m", "5m", "10m"), ("30m", "35m", "40m"), ("60m", "65m", "70m"), ("90m", "95m", "100m")]
    {
        w.at(siren).posts("siren").posts("ops-slack");
        w.at(sms).rings("alice", "sms");
        w.at(call).rings("alice", "call").rings("bob", "call");
    }
    for reminder in ["180m", "240m", "300m", "360m"] {
        w.at(reminder).reminds("alice", "call").reminds("bob", "call");
    }
}

#[test]
fn the_same_acknowledged_at_6m() {
    let mut w = World::example();
    let number = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms");
    w.quiet_until("6m");
    let answer = w.ack(number, "bob");
    w.at("6m").notice("acknowledged", "", "ops-slack").notice("acknowledged", "alice", "sms").nothing_else();
    assert!(w.sounding().is_empty());
    assert_eq!(answer["incidents"][0]["stopped"], serde_json::json!(["siren", "step 3 of round 1 at 12:10"]));
    assert_eq!(answer["incidents"][0]["told"], serde_json::json!(["ops-slack", "alice by sms"]));
    w.quiet_until("12h");
}

#[test]
fn the_one_who_acknowledged_hears_nothing_of_it() {
    let mut w = World::example();
    let number = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms");
    w.quiet_until("6m");
    w.ack(number, "alice");
    w.at("6m").notice("acknowledged", "", "ops-slack").nothing_else();
    w.quiet_until("12h");
}

#[test]
fn with_sms_and_all_its_fallbacks_dead_the_calls_come_at_once() {
    let mut w = World::calm();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, refused());
    }
    // Somebody finds out that they are dead.
    w.send(|r| (r.level, r.to, r.channels) = (level("urgent"), who(&["+15550999"]), names(&["sms"])));
    w.at("0m")
        .rings("+15550999", "sms")
        .rings("+15550999", "sms-telnyx")
        .rings("+15550999", "sms-gateway")
        .nothing_else();
    let number = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    // What waits tries the dead channels all the time; everything else has its times.
    let told = w.loud_until("49m");
    assert_eq!(
        told,
        ["5m call alice", "5m call bob", "25m ops-slack", "25m siren", "30m call alice", "30m call bob"],
        "5m saved in each round"
    );
    assert_eq!(w.status("sms", "alice"), "waiting");
    w.resolve(number);
    w.untold();
}

#[test]
fn f46_twilio_refuses_and_telnyx_is_well() {
    let mut w = World::calm();
    w.channel("sms", refused()).probe("sms", refused());
    w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
    assert_eq!(w.status("sms", "alice"), "sent");
    w.at("10m").rings("alice", "call").rings("bob", "call");
    w.at("30m").posts("siren").posts("ops-slack");
    // Known to be dead by now: not tried again.
    w.at("35m").rings("alice", "sms-telnyx").nothing_else();
    w.at("40m").rings("alice", "call").rings("bob", "call");
}

#[test]
fn resolved_at_4m_and_failing_again_at_6m() {
    let mut w = World::example();
    let first = w.open_with(|r| r.fingerprint = Some("disk".into()));
    w.at("0m").posts("siren").posts("ops-slack");
    w.quiet_until("4m");
    w.resolve(first);
    w.at("4m").notice("resolved", "", "ops-slack").nothing_else();
    w.quiet_until("6m");
    let second = w.open_with(|r| r.fingerprint = Some("disk".into()));
    assert_eq!(second, first + 1);
    w.at("6m").posts("siren").posts("ops-slack");
    w.at("11m").rings("alice", "sms");
    w.at("16m").rings("alice", "call").rings("bob", "call");
}

#[test]
fn a_silence_from_2m_to_20m() {
    let mut w = World::example();
    w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.quiet_until("2m");
    assert_eq!(w.sounding(), ["siren"]);
    w.silence("level=urgent", "18m");
    assert!(w.sounding().is_empty());
    w.quiet_until("19m59s");
    w.at("20m").posts("siren").posts("ops-slack");
    w.at("25m").rings("alice", "sms");
    w.at("30m").rings("alice", "call").rings("bob", "call");
    w.at("50m").posts("siren").posts("ops-slack");
}

#[test]
fn bob_in_his_quiet_hours() {
    let mut w = World::at_time(EXAMPLE, "2026-01-06T23:00:00+01:00");
    let refusal =
        w.try_send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob"]), names(&["sms"]))).unwrap_err();
    assert_eq!((refusal.code, refusal.message.as_str()), (Code::Nobody, "nobody to send to"));
    assert_eq!(refusal.reasons, ["sms bob: quiet hours until 07:00"]);
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob", "alice"]), names(&["sms"])));
    w.at("0m").rings("alice", "sms").nothing_else();
    assert_eq!(w.told(), ["sms bob skipped: quiet-hours until 07:00", "sms alice sent"]);
    w.quiet_until("1h");
}

#[test]
fn a_deal_falls_to_400000() {
    let mut w = World::example();
    w.metric("deal.spacex-n.remaining", 600_000.0);
    w.quiet_until("1m");
    w.metric("deal.spacex-n.remaining", 400_000.0);
    w.at("1m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    assert_eq!(
        w.told(),
        [
            "mail carol sent",
            "sms carol sent",
            "mail tier:TIER_2 skipped: no-address",
            "sms tier:TIER_2 skipped: no-address"
        ]
    );
    let incident = w.incident(1);
    assert_eq!((incident.policy.as_deref(), incident.once), (None, true));
    w.quiet_until("1d");
}
