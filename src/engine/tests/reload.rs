//! A new config: what was open lives on, what is gone ends, what is mended is tried.

use super::world::asks::*;
use super::world::*;
use crate::domain::delivery::ChannelStatus;
use crate::domain::event::{EventKind, HeartbeatStatus, WatchStatus};
use crate::domain::level::Level;

const SLACK: &str = "\n[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"0 */5 * * * *\"\nlevel = \"normal\"\n";
const JOB: &str = "\n[heartbeats.job]\nkind = \"passive\"\nevery = \"1h\"\nlevel = \"normal\"\n";

#[test]
fn f55_open_incidents_timers_and_counters_live_on() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.quiet_until("3m");
    w.reload(&(calm() + "\n[people.dora]\nemail = \"d@x.example\"\n"));
    w.at("5m").rings("alice", "sms");
    w.at("10m").rings("alice", "call").rings("bob", "call");
    assert_eq!(w.incident(n).number, n);
}

#[test]
fn f55_nothing_is_sent_again() {
    let mut w = World::calm();
    w.open("high");
    w.send(|_| {});
    w.untold();
    w.reload(&calm());
    w.reload(&calm());
    w.quiet_until("3h59m");
}

#[test]
fn a_policy_that_is_changed_goes_on_from_where_it_was() {
    let mut w = World::calm();
    w.open("urgent");
    w.all_until("6m");
    w.reload(&calm().replace("after = \"10m\"", "after = \"20m\""));
    // The next step's time was set by the old one, further ones follow the new.
    w.at("10m").rings("alice", "call").rings("bob", "call");
    w.at("30m").posts("siren").posts("ops-slack");
    w.at("35m").rings("alice", "sms");
    w.at("50m").rings("alice", "call").rings("bob", "call");
}

#[test]
fn f56_a_policy_that_is_gone_leaves_the_levels_channels() {
    let mut w = World::calm();
    w.open("urgent");
    w.all_until("6m");
    let gone = calm()
        .replace("policy   = \"page\"                       #", "#")
        .replace("[policies.page]", "[policies.other]");
    w.reload(&gone);
    w.at("10m").posts("siren").rings("alice", "sms").posts("ops-slack").rings("ops@example.org", "mail").nothing_else();
    w.at("70m")
        .posts_again("siren")
        .reminds("alice", "sms")
        .posts_again("ops-slack")
        .reminds("ops@example.org", "mail");
}

#[test]
fn a_shorter_policy_fires_its_last_step() {
    let mut w = World::calm();
    w.open("urgent");
    w.all_until("6m");
    let line = calm().lines().find(|l| l.contains("after = \"10m\"")).unwrap().to_owned();
    w.reload(&calm().replace(&line, ""));
    w.at("10m").rings("alice", "sms");
    w.at("30m").posts("siren").posts("ops-slack");
}

#[test]
fn f56_what_waits_for_a_channel_that_is_gone_takes_another_way_or_ends() {
    let mut w = World::calm();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, timeout());
    }
    w.channel("hook", refused());
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.send(|r| r.channels = names(&["hook"]));
    w.all_until("1m");
    w.channel("sms-telnyx", Says::Yes);
    let text = calm();
    let without = |name: &str, text: &str| {
        let start = text.find(&format!("[channels.{name}]")).unwrap();
        let end = start + text[start..].find("\n\n").unwrap();
        format!("{}{}", &text[..start], &text[end..])
    };
    let text = without("hook", &text);
    let text = without("sms", &text)
        .replace("\"sms\"", "\"sms-telnyx\"")
        .replace("[people.alice]", "[channels.sms-telnyx.updates-none]\n[people.alice]");
    let text = text
        .replace("[channels.sms-telnyx.updates-none]\n", "")
        .replace("fallback = \"sms-gateway\"", "fallback = \"sms-gateway\"\nto = [\"schedule:primary\"]");
    w.reload(&text);
    w.all_until("2m");
    let told = w.told();
    assert!(told.contains(&"sms alice sent".to_owned()), "{told:?}");
    assert!(told.contains(&"hook - dead: the channel was taken out of the config".to_owned()), "{told:?}");
}

#[test]
fn f56_an_answer_of_a_channel_that_is_gone_is_taken() {
    let mut w = World::calm();
    w.channel_takes("hook", "10s");
    w.send(|r| r.channels = names(&["hook"]));
    w.at("0m").posts("hook");
    let text = calm();
    let start = text.find("[channels.hook]").unwrap();
    let end = start + text[start..].find("\n\n").unwrap();
    w.reload(&format!("{}{}", &text[..start], &text[end..]));
    w.quiet_until("1m");
    assert_eq!(w.told(), ["hook - delivered"]);
}

#[test]
fn a_dead_channel_with_new_settings_is_tried_again_at_once() {
    let mut w = World::calm();
    w.channel("hook", refused());
    w.send(|r| r.channels = names(&["hook"]));
    w.all_until("10m");
    assert_eq!(w.health("hook"), ChannelStatus::Dead);
    w.channel("hook", Says::Yes);
    w.reload(&calm().replace("url     = \"https://example.org/hook\"", "url = \"https://example.org/mended\""));
    assert_eq!(w.untold().len(), 1);
    assert_eq!(w.told(), ["hook - delivered"]);
}

#[test]
fn after_a_restart_with_other_files_a_dead_channel_is_tried_again() {
    let mut w = World::calm();
    w.reload(&calm());
    w.channel("sms", refused());
    let text = |w: &mut World| w.send(|r| (r.level, r.channels) = (level("urgent"), names(&["sms"])));
    text(&mut w);
    w.untold();
    // The daemon says at its start which files are in force.
    let start = |w: &mut World, toml: &str| {
        let config = std::sync::Arc::new(crate::config::testing::from_toml(toml));
        w.does(crate::engine::Ask::Apply { config, changed: Vec::new(), kept: false });
    };
    w.down_for("1m");
    start(&mut w, &calm());
    text(&mut w);
    w.at("1m").rings("alice", "sms-telnyx").nothing_else();
    w.down_for("1m");
    start(&mut w, &calm().replace("auth_token", "# mended\nauth_token"));
    w.channel("sms", Says::Yes);
    text(&mut w);
    w.at("2m").rings("alice", "sms").nothing_else();
}

#[test]
fn f56_what_sounds_by_a_channel_that_is_gone_is_silent() {
    let mut w = World::calm();
    w.send(|r| r.channels = names(&["siren"]));
    w.at("0m").posts("siren");
    let text = calm()
        .replace("[channels.siren]", "[channels.horn]")
        .replace("\"siren\"", "\"horn\"")
        .replace("tone = \"horn\"", "tone = \"siren\"");
    w.reload(&text);
    assert!(w.sounding().is_empty());
}

#[test]
fn a_dead_channel_stays_dead_when_something_else_changed() {
    let mut w = World::calm();
    w.channel("sms", refused());
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.untold();
    w.reload(&(calm() + "\n[people.dora]\nemail = \"d@x.example\"\n"));
    assert_eq!(w.health("sms"), ChannelStatus::Dead);
}

#[test]
fn the_incident_of_a_heartbeat_that_is_gone_ends() {
    let mut w = World::with(&(calm() + SLACK));
    w.probe("ops-slack", timeout());
    w.all_until("11m");
    w.reload(&calm());
    w.at("11m").notice("resolved", "ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).because.as_deref(), Some("what checked it was taken out of the config"));
    w.quiet_until("1h");
}

#[test]
fn one_that_comes_back_begins_anew() {
    let mut w = World::with(&(calm() + SLACK + JOB));
    w.probe("ops-slack", timeout());
    w.all_until("62m");
    assert_eq!(w.engine.state.heartbeats["job"].status, HeartbeatStatus::Late);
    w.reload(&calm());
    w.all_until("3d");
    w.reload(&(calm() + SLACK + JOB));
    assert_eq!(w.engine.state.heartbeats["job"].status, HeartbeatStatus::Unknown);
    assert_eq!(w.engine.state.heartbeats["slack"].failures_in_row, 0);
    // Not late for the days that it was gone, and not broken after one failure.
    w.quiet_until("72h9m");
    w.all_until("73h10m");
    assert_eq!(w.engine.state.heartbeats["job"].status, HeartbeatStatus::Late);
}

#[test]
fn one_that_was_taken_out_and_put_back_while_it_was_down_begins_anew() {
    let mut w = World::with(&(calm() + JOB));
    w.quiet_until("30m");
    w.changed_while_down("1h", &calm());
    w.changed_while_down("3d", &(calm() + JOB));
    assert_eq!(w.engine.state.heartbeats["job"].status, HeartbeatStatus::Unknown);
    w.quiet_until("74h");
}

#[test]
fn a_watch_that_comes_back_between_its_values_is_not_breached() {
    let rule =
        "\n[watches.load]\nkind = \"above\"\nmetric = \"load\"\nabove = 8\nclear_below = 6\nlevel = \"normal\"\n";
    let mut w = World::with(&(calm() + rule));
    w.metric("load", 9.0);
    w.reload(&calm());
    w.metric("load", 7.0);
    w.reload(&(calm() + rule));
    w.untold();
    assert_eq!(w.engine.state.watches["load"].status, WatchStatus::Ok);
}

/// What was said before is judged by the rules as they are now; a value that is pushed once a day is not waited for.
#[test]
fn a_watch_with_new_values_judges_what_is_known() {
    let rule = |above: &str, clear: &str, level: &str| {
        let of = format!("kind = \"above\"\nmetric = \"load\"\nabove = {above}\nclear_below = {clear}\n");
        calm() + &format!("\n[watches.load]\n{of}level = \"{level}\"\n")
    };
    let mut w = World::with(&calm());
    w.metric("load", 5.0);
    w.reload(&rule("8", "6", "low"));
    w.nothing_untold();
    w.reload(&rule("4", "3", "low"));
    assert_eq!((w.incident(1).level, w.incident(1).is_live()), (Level::Low, true));
    w.reload(&rule("4", "3", "normal"));
    assert_eq!((w.incident(1).level, w.incident(1).count), (Level::Normal, 2), "raised");
    w.resolve(1);
    w.untold();
    w.reload(&rule("4", "3", "high"));
    w.nothing_untold();
    w.reload(&rule("8", "6", "high"));
    assert_eq!(w.engine.state.watches["load"].status, WatchStatus::Ok);
}

const REPEATED: &str = "[channels.hook]\nkind = 'webhook'\nurl = 'https://a.example'\n[levels.high]\nchannels = ['hook']\npolicy = 'p'\n[policies.p]\nevery = '10m'\nrepeat = 1\nsteps = [{ after = '0m' }]\n";

#[test]
fn f55_more_rounds_are_told_of_what_is_open_and_after_it_was_acknowledged() {
    let more = REPEATED.replace("repeat = 1", "repeat = 3");
    let mut w = World::with(REPEATED);
    let n = w.open("high");
    w.at("0m").posts("hook");
    w.at("10m").posts("hook").nothing_else();
    w.quiet_until("25m");
    w.reload(&more);
    // The third one is late; from there on it is as if it had been said at first.
    w.at("25m").posts("hook");
    w.at("30m").posts("hook").nothing_else();
    w.quiet_until("2h");
    w.ack(n, "alice");
    w.unack(n);
    w.all_until("2h0m1s");
    assert_eq!(w.incident(n).rounds, 4);
    let rounds = w.all_until("4h");
    assert_eq!(rounds.len(), 3, "{rounds:?}");
    w.reload(REPEATED);
    w.quiet_until("5h");
}

#[test]
fn f55_a_reminder_that_a_reload_brings_or_takes_reaches_what_is_open() {
    let plain = REPEATED.replace("policy = 'p'\n", "");
    let reminding = plain.replace("channels = ['hook']\n", "channels = ['hook']\nremind = '1h'\n");
    let mut w = World::with(&plain);
    w.open("high");
    w.at("0m").posts("hook");
    w.quiet_until("90m");
    w.reload(&reminding);
    w.at("2h").posts_again("hook");
    w.reload(&reminding.replace("'1h'", "'30m'"));
    w.at("150m").posts_again("hook").nothing_else();
    w.reload(&plain);
    w.quiet_until("5h");
}

#[test]
fn f55_who_is_reminded_is_so_in_time_though_a_reload_adds_a_round_of_later() {
    let reminding = REPEATED
        .replace("channels = ['hook']\n", "channels = ['hook']\nremind = '30m'\n")
        .replace("repeat = 1", "repeat = 0");
    let mut w = World::with(&reminding);
    w.open("high");
    w.at("0m").posts("hook");
    w.at("40m").posts_again("hook");
    w.quiet_until("50m");
    for _ in 0..3 {
        w.reload(&reminding.replace("repeat = 0", "repeat = 1").replace("'10m'", "'100m'"));
    }
    w.at("70m").posts_again("hook");
    w.at("100m").posts("hook");
    w.at("230m").posts_again("hook").nothing_else();
    // Taken out while it was down, they are over.
    w.changed_while_down("1h", REPEATED);
    w.quiet_until("9h");
}

#[test]
fn f56_a_policy_that_comes_back_goes_on_with_what_began_without_it() {
    let without = REPEATED.replace("policy = 'p'\n", "").replace("policies.p", "policies.other");
    let mut w = World::with(REPEATED);
    let n = w.open("high");
    w.at("0m").posts("hook");
    w.ack(n, "alice");
    w.untold();
    w.reload(&without);
    w.run_for("1m");
    w.unack(n);
    w.at("1m").posts("hook").nothing_else();
    w.quiet_until("3m");
    w.reload(REPEATED);
    w.at("3m").posts("hook");
    w.at("11m").posts("hook").nothing_else();
    w.quiet_until("1h");
}

/// Its steps are fewer and nearer: what stands for the one that is gone was told.
#[test]
fn f55_a_policy_that_is_made_shorter_and_quicker_tells_no_step_twice() {
    let of = |every: &str, steps: &str| {
        REPEATED.replace("every = '10m'", &format!("every = '{every}'")).replace("steps = [{ after = '0m' }]", steps)
    };
    let mut w = World::with(&of("1h", "steps = [{ after = '0m' }, { after = '10m' }, { after = '20m' }]"));
    w.open("high");
    w.at("0m").posts("hook");
    w.at("10m").posts("hook");
    w.quiet_until("15m");
    w.reload(&of("4m", "steps = [{ after = '0m' }, { after = '2m' }]"));
    w.at("20m").posts("hook");
    assert_eq!(w.incident(1).fired, Some((1, 0)));
    w.at("22m").posts("hook").nothing_else();
    w.quiet_until("5h");
}

#[test]
fn a_run_under_way_when_its_heartbeat_goes_does_not_block_the_next_one_of_that_name() {
    let mut w = World::with(&(calm() + SLACK));
    w.probe_takes("ops-slack", "2m");
    w.quiet_until("5m10s");
    w.reload(&calm());
    w.quiet_until("8m");
    assert!(!w.engine.state.heartbeats.contains_key("slack"));
    w.reload(&(calm() + SLACK));
    w.quiet_until("13m");
    assert_eq!(w.probed.len(), 2);
}

#[test]
fn the_incident_of_a_watch_that_is_gone_ends_and_one_that_comes_back_breached_opens() {
    let rule = "\n[watches.load]\nkind = \"above\"\nmetric = \"load\"\nabove = 8\nlevel = \"normal\"\n";
    let mut w = World::with(&(calm() + rule));
    w.metric("load", 9.0);
    w.at("0m").rings("ops@example.org", "mail");
    w.reload(&calm());
    w.at("0m").notice("resolved", "ops@example.org", "mail").nothing_else();
    w.reload(&(calm() + rule));
    w.metric("load", 9.0);
    w.at("0m").rings("ops@example.org", "mail").nothing_else();
}

#[test]
fn f56_a_person_who_is_gone_is_still_told_what_was_on_its_way() {
    let mut w = World::calm();
    w.channel("call", timeout());
    w.send(|r| (r.level, r.channels, r.to) = (level("high"), names(&["call"]), who(&["bob"])));
    w.all_until("10s");
    let gone = calm()
        .replace("[people.bob]", "[people.robert]")
        .replace("people.bob.", "people.robert.")
        .replace("\"bob\"", "\"robert\"");
    w.reload(&gone);
    w.channel("call", Says::Yes);
    w.all_until("20s");
    assert_eq!(w.told(), ["call bob sent"]);
}

/// Nobody meant that nobody is told.
#[test]
fn an_incident_whose_channels_and_recipients_are_all_gone_takes_the_levels() {
    let mut w = World::calm();
    let n = w.open_with(|r| {
        (r.level, r.channels, r.policy) = (level("high"), names(&["hook"]), Some("none".to_owned()));
    });
    w.at("0m").posts("hook").nothing_else();
    w.snooze(n, "10m");
    w.untold();
    w.reload(&calm().replace("[channels.hook]", "[channels.other]"));
    let told = w.all_until("10m");
    let names: Vec<&str> = told.iter().map(|h| h.channel.as_str()).collect();
    assert_eq!(names, ["mail", "ops-slack"], "those of level high");
}

#[test]
fn a_policy_with_a_new_name_is_followed_where_the_level_names_it() {
    let mut w = World::calm();
    w.open("urgent");
    w.all_until("6m");
    w.reload(
        &calm()
            .replace("policy   = \"page\" ", "policy   = \"paging\" ")
            .replace("[policies.page]", "[policies.paging]"),
    );
    w.at("10m").rings("alice", "call").rings("bob", "call");
}

/// In an outage somebody writes a fallback into the config: what waits takes it.
#[test]
fn f55_what_waits_takes_the_fallback_that_a_reload_adds() {
    let alone = calm().replace("fallback    = \"sms-telnyx\"\n", "");
    let mut w = World::with(&alone);
    w.channel("sms", refused());
    w.send(|r| (r.level, r.to, r.channels) = (level("urgent"), who(&["alice"]), names(&["sms"])));
    w.at("0m").rings("alice", "sms");
    w.all_until("10s");
    assert_eq!(w.status("sms", "alice"), "waiting");
    w.reload(&calm());
    let told = w.all_until("20s");
    assert!(told.iter().any(|t| t.channel == "sms-telnyx" && t.who == "alice"), "{told:?}");
    assert_eq!(w.status("sms", "alice"), "sent");
    w.check_history();
}

/// And what waits for one that is a fallback no more goes back.
#[test]
fn f55_what_waits_for_a_fallback_that_is_none_any_more_goes_back() {
    let mut w = World::calm();
    w.channel("sms", refused()).channel("sms-telnyx", timeout()).channel("sms-gateway", timeout());
    w.send(|r| (r.level, r.to, r.channels) = (level("urgent"), who(&["alice"]), names(&["sms"])));
    w.all_until("1m");
    w.channel("sms", Says::Yes);
    w.reload(&calm().replace("fallback    = \"sms-telnyx\"\n", ""));
    let told = w.all_until("2m");
    assert!(told.iter().any(|t| t.channel == "sms" && t.who == "alice"), "{told:?}");
    assert_eq!(w.status("sms", "alice"), "sent");
    w.check_history();
}

/// What is due at a start is done by the config that is in force then: a channel may be mended by it.
#[test]
fn f55_a_step_that_is_due_at_a_start_goes_by_what_the_new_config_has_mended() {
    let policy = r#"
[policies.slow]
steps = [ { after = "0s", channels = ["ops-slack"] }, { after = "5m", channels = ["hook"] }, { after = "1h", channels = ["ops-slack"] } ]
"#;
    let mut w = World::with(&(calm() + policy));
    w.channel("hook", refused());
    w.send(|r| r.channels = names(&["hook"]));
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("slow".into())));
    w.all_until("1m");
    w.channel("hook", Says::Yes);
    w.changed_while_down("9m", &(calm() + policy).replace("https://example.org/hook", "https://example.org/mended"));
    let told = w.all_until("59m");
    assert!(told.iter().any(|t| t.channel == "hook"), "{told:?}");
    assert!(told.iter().all(|t| t.channel != "ops-slack"), "an hour early: {told:?}");
    w.at("1h").posts("ops-slack").nothing_else();
}

/// And what checked an incident may be gone: nobody is called for it then.
#[test]
fn f55_an_incident_whose_heartbeat_went_while_the_daemon_was_down_calls_nobody() {
    let with = calm().replace("[heartbeats.twilio]\nenabled = false", "[heartbeats.twilio]");
    let mut w = World::with(&with);
    w.probe("sms", refused());
    w.all_until("20m");
    assert!(w.engine.state.live_incident("heartbeat/twilio").is_some());
    w.untold();
    w.changed_while_down("2h", &calm());
    let told = w.all_until("2h21m");
    assert!(told.iter().all(|t| t.channel != "call" && t.channel != "siren"), "{told:?}");
    assert!(w.engine.state.live_incident("heartbeat/twilio").is_none());
}

/// The likely edit while something is on fire.
#[test]
fn f55_a_policy_that_is_made_quicker_skips_nobody() {
    let policy = |every: &str, second: &str, third: &str| {
        let step = |after: &str, channel: &str| format!("{{ after = \"{after}\", channels = [\"{channel}\"] }}");
        let steps = [step("0s", "ops-slack"), step(second, "hook"), step(third, "siren")].join(", ");
        format!("{}\n[policies.quick]\nrepeat = 2\nevery = \"{every}\"\nsteps = [ {steps} ]\n", calm())
    };
    let mut w = World::with(&policy("60m", "20m", "40m"));
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("quick".into())));
    w.at("0m").posts("ops-slack").nothing_else();
    w.all_until("10m");
    w.reload(&policy("5m", "1m", "2m"));
    // What is next keeps its time; what follows it, its distance.
    w.at("20m").posts("hook").nothing_else();
    w.at("21m").posts("siren").nothing_else();
    w.at("24m").posts("ops-slack").nothing_else();
    w.at("25m").posts("hook").nothing_else();
    w.at("26m").posts("siren").nothing_else();
    w.at("29m").posts("ops-slack").nothing_else();
    w.at("30m").posts("hook").nothing_else();
    w.at("31m").posts("siren").nothing_else();
    assert_eq!(w.count(|e| matches!(e, EventKind::IncidentStepped { passed_over, .. } if !passed_over.is_empty())), 0);
}

/// A step that got nowhere lets the next one go at once, also then.
#[test]
fn f55_a_policy_that_is_made_quicker_skips_nobody_where_a_step_gets_nowhere() {
    let policy = |second: &str, third: &str| {
        let step = |after: &str, channel: &str| format!("{{ after = \"{after}\", channels = [\"{channel}\"] }}");
        let steps = [step("0s", "ops-slack"), step(second, "hook"), step(third, "siren")].join(", ");
        format!("{}\n[policies.quick]\nsteps = [ {steps} ]\n", calm())
    };
    let mut w = World::with(&policy("20m", "40m"));
    w.channel("ops-slack", timeout());
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("quick".into())));
    w.all_until("10s");
    w.reload(&policy("1m", "2m"));
    w.channel("ops-slack", refused());
    let told = w.all_until("19m");
    let at = |channel: &str| told.iter().find(|t| t.channel == channel).unwrap().at;
    assert_eq!(at("siren") - at("hook"), span("1m"));
}

/// A policy that lost its rounds repeats nothing, and no step falls on another one.
#[test]
fn f55_a_policy_that_repeats_no_more_ends_with_its_last_step() {
    let policy = |more: &str| {
        let steps = r#"steps = [ { after = "0s", channels = ["ops-slack"] }, { after = "6m", channels = ["hook"] } ]"#;
        format!("{}\n[policies.short]\n{more}\n{steps}\n", calm())
    };
    let mut w = World::with(&policy("repeat = 2\nevery = \"1h\""));
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("short".into())));
    w.at("0m").posts("ops-slack");
    w.run_until(span("1m"));
    w.reload(&policy(""));
    w.at("6m").posts("hook").nothing_else();
    w.quiet_until("3h");
}
