//! Heartbeats: when they run, failures in a row, what recovery says, passive ones, messages.

use super::world::*;
use crate::domain::event::{EventKind, HeartbeatStatus};
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Ask, Code, Read};

pub fn house(heartbeats: &str) -> String {
    format!("{}\n{heartbeats}", calm())
}

const EVERY: &str = "[heartbeats.slack]\nprobe = \"ops-slack\"\nevery = \"5m\"\nlevel = \"normal\"\n";
const CRON: &str = "[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"0 */5 * * * *\"\nlevel = \"normal\"\n";

/// When it ran, since the beginning.
fn runs(w: &World) -> Vec<String> {
    w.probed.iter().map(|(at, _)| at.exact()).collect()
}

pub fn status(w: &World, name: &str) -> HeartbeatStatus {
    w.engine.state.heartbeats[name].status
}

// ---- when

#[test]
fn six_fields_are_kept_to_the_second_and_the_engine_starts_what_was_not_triggered() {
    let mut w = World::with(&house(CRON));
    w.quiet_until("16m");
    assert_eq!(runs(&w), ["5m2s", "10m2s", "15m2s"], "two seconds after a lost trigger");
}

#[test]
fn a_trigger_starts_it_on_time_and_only_once() {
    let mut w = World::with(&house(CRON));
    let trigger = || Ask::Trigger { name: "slack".into() };
    w.quiet_until("4m59s");
    w.does(trigger());
    w.quiet_until("5m");
    w.does(trigger());
    w.does(trigger());
    w.quiet_until("9m");
    assert_eq!(runs(&w), ["5m"]);
    // What is no heartbeat does no harm.
    w.does(Ask::Trigger { name: "pigeon".into() });
}

#[test]
fn five_fields_are_spread_by_a_stable_jitter() {
    let toml = house("[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"*/5 * * * *\"\n");
    let mut w = World::with(&toml);
    w.quiet_until("16m");
    let late: Vec<Span> = w.probed.iter().map(|(at, _)| *at).collect();
    assert_eq!(late.len(), 4, "also of noon, when the story begins");
    assert_eq!(late[1] - late[0], span("5m"));
    let jitter = late[0] - span("2s");
    assert_eq!(jitter, crate::engine::spread_of("slack"));
    assert!(jitter <= span("30s"));
}

#[test]
fn an_interval_keeps_its_beat() {
    let mut w = World::with(&house(EVERY));
    w.quiet_until("20m");
    let at: Vec<Span> = w.probed.iter().map(|(at, _)| *at).collect();
    assert_eq!(at.len(), 4);
    assert!(at[0] < span("30s"), "the first within half a minute");
    assert!(at.windows(2).all(|t| t[1] - t[0] == span("5m")));
}

#[test]
fn runs_never_overlap() {
    let mut w = World::with(&house(CRON));
    w.probe_takes("ops-slack", "12m");
    w.quiet_until("30m");
    assert_eq!(runs(&w), ["5m2s", "20m2s"]);
    let shown = w.read(Read::Heartbeats);
    assert_eq!(shown["heartbeats"][0]["running"], true);
}

#[test]
fn missed_while_down_is_one_run() {
    for heartbeat in [CRON, EVERY] {
        let mut w = World::with(&house(heartbeat));
        w.quiet_until("6m");
        let before = w.probed.len();
        w.down_for("3h");
        w.quiet_until("186m1s");
        assert_eq!(w.probed.len(), before + 1, "{:?}", runs(&w));
        w.quiet_until("196m30s");
        assert!((before + 2..=before + 4).contains(&w.probed.len()), "{:?}", runs(&w));
    }
}

#[test]
fn a_run_under_way_when_it_went_down_is_run_again() {
    let mut w = World::with(&house(CRON));
    w.probe("ops-slack", Says::Never);
    w.quiet_until("6m");
    w.down_for("1s");
    w.probe("ops-slack", Says::Yes);
    w.quiet_until("11m");
    assert_eq!(runs(&w), ["5m2s", "10m2s"]);
}

#[test]
fn by_hand_it_runs_now_and_its_plan_stays() {
    let mut w = World::with(&house(CRON));
    w.quiet_until("1m");
    w.does(Ask::RunHeartbeat { name: "slack".into() });
    w.quiet_until("6m");
    assert_eq!(runs(&w), ["1m", "5m2s"]);
    let refusal = w.fails(Ask::RunHeartbeat { name: "pigeon".into() });
    assert_eq!(refusal.code, Code::NotFound);
}

#[test]
fn on_the_day_the_clock_goes_forward_a_skipped_hour_is_run_at_the_jump() {
    // 29 March 2026, 2:00 becomes 3:00 in Prague.
    let toml = house("[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"0 30 2 * * *\"\n");
    let mut w = World::at_time(&toml, "2026-03-29T00:00:00+01:00");
    w.quiet_until("1d");
    assert_eq!(runs(&w), ["2h2s"]);
}

#[test]
fn on_the_day_the_clock_goes_back_a_doubled_hour_is_run_once() {
    // 25 October 2026, 3:00 becomes 2:00 in Prague.
    let toml = house("[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"0 30 2 * * *\"\n");
    let mut w = World::at_time(&toml, "2026-10-25T00:00:00+02:00");
    w.quiet_until("1d1h");
    assert_eq!(runs(&w), ["2h30m2s"]);
}

// ---- failures in a row

#[test]
fn so_many_failures_in_a_row_open_an_incident_that_says_what_is_broken_since_when() {
    let toml =
        house("[heartbeats.hook]\nprobe = \"hook\"\ncron = \"0 */5 * * * *\"\nlevel = \"normal\"\nfailures = 3\n");
    let mut w = World::with(&toml);
    w.probe("hook", refused());
    w.quiet_until("15m1s");
    w.at("15m2s").rings("ops@example.org", "mail").nothing_else();
    let i = w.incident(1);
    assert_eq!(i.content.subject, "Webhook credentials refused");
    assert!(i.content.body.contains("failed 3 times in a row, since 12:05"), "{}", i.content.body);
    assert!(i.content.body.contains("The last answer: 401 Authenticate"));
    assert_eq!(
        (i.labels.get("source").unwrap(), i.labels.get("name").unwrap(), i.labels.get("type").unwrap()),
        ("heartbeat", "hook", "probe")
    );
    // Each further failure is counted, and nothing is sent.
    w.quiet_until("30m1s");
    assert_eq!(w.incident(1).count, 3);
}

#[test]
fn a_success_between_starts_the_count_anew() {
    let mut w = World::with(&house(CRON));
    for (time, says) in [("5m1s", timeout()), ("10m1s", Says::Yes), ("15m1s", timeout()), ("20m1s", Says::Yes)] {
        w.quiet_until(time);
        w.probe("ops-slack", says);
    }
    w.quiet_until("1h");
}

#[test]
fn recovery_resolves_it_and_says_how_long_it_was_down() {
    let mut w = World::with(&house(CRON));
    w.probe("ops-slack", timeout());
    w.all_until("10m3s");
    assert_eq!(status(&w, "slack"), HeartbeatStatus::Failing);
    w.probe("ops-slack", Says::Yes);
    w.at("15m2s").notice("resolved", "ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).because.as_deref(), Some("heartbeat slack passes again; it was down for 10m"));
    assert_eq!(status(&w, "slack"), HeartbeatStatus::Ok);
    assert_eq!(w.engine.state.heartbeats["slack"].failures_in_row, 0);
}

#[test]
fn resolved_by_hand_while_it_fails_it_opens_anew_with_the_next_failure() {
    let mut w = World::with(&house(CRON));
    w.probe("ops-slack", timeout());
    w.all_until("10m3s");
    w.resolve(1);
    w.at("10m3s").notice("resolved", "ops@example.org", "mail");
    w.at("15m2s").rings("ops@example.org", "mail").nothing_else();
    assert!(w.incident(2).is_live());
}

#[test]
fn its_type_can_be_given_and_otherwise_is_its_kind() {
    let toml = house(&format!("{CRON}type = \"chat\"\n"));
    let mut w = World::with(&toml);
    w.probe("ops-slack", timeout());
    w.all_until("11m");
    assert_eq!(w.incident(1).kind_of, "chat");
}

#[test]
fn a_probe_that_places_a_call_is_judged_by_the_call() {
    let toml =
        house("[heartbeats.call]\nprobe = \"call\"\ntest_call = true\nevery = \"1h\"\nfailures = 1\nlevel = \"low\"\n");
    let mut w = World::with(&toml);
    w.channel("call", account());
    assert_eq!(w.loud_until("1m").len(), 1);
    assert!(w.incident(1).content.subject.starts_with("Twilio"), "{}", w.incident(1).content.subject);
    w.all_until("2m");
}

#[test]
fn a_simulated_channel_is_not_probed_nor_called() {
    let both = "[heartbeats.a]\nprobe = \"rehearsal\"\nevery = \"5m\"\n\
        [heartbeats.b]\nprobe = \"call\"\ntest_call = true\nevery = \"5m\"\n";
    let toml = house(both).replace("[channels.call]\n", "[channels.call]\nsimulate = true\n");
    let mut w = World::with(&toml);
    w.quiet_until("10m");
    assert!(w.probed.is_empty());
    assert_eq!(w.engine.state.heartbeats["b"].detail, "simulated: nobody was asked");
}

#[test]
fn its_first_run_comes_in_time_whatever_is_reloaded_and_restarted() {
    let toml = house("[heartbeats.b]\nprobe = \"sms\"\nevery = \"40s\"\nlevel = \"low\"\n");
    let mut w = World::with(&toml);
    for _ in 0..10 {
        w.run_for("2s");
        w.reload(&toml);
        w.run_for("1s");
        w.down_for("1s");
    }
    assert!(!w.probed.is_empty());
    w.untold();
}

// ---- passive

const JOB: &str = "[heartbeats.job]\nkind = \"passive\"\nevery = \"1h\"\ngrace = \"10m\"\nlevel = \"normal\"\n";

#[test]
fn before_the_first_ping_it_counts_from_being_loaded() {
    let mut w = World::with(&house(JOB));
    w.quiet_until("69m59s");
    w.at("70m").rings("ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).content.subject, "No ping from job");
    assert_eq!(status(&w, "job"), HeartbeatStatus::Late);
    w.quiet_until("5h");
    assert_eq!(w.incident(1).count, 1, "late once, until the next ping");
}

/// The answer promises it.
#[test]
fn one_that_is_late_and_was_resolved_by_hand_opens_anew_while_no_ping_comes() {
    for restart in [false, true] {
        let mut w =
            World::with(&(calm() + "\n[heartbeats.job]\nkind = \"passive\"\nevery = \"1h\"\nlevel = \"normal\"\n"));
        w.ping("job");
        w.all_until("3h");
        assert_eq!(w.incident(1).count, 1);
        let answer = w.resolve(1);
        assert!(answer["incidents"][0]["still_broken"].as_str().unwrap().contains("opens a new incident"));
        w.untold();
        if restart {
            w.down_for("10s");
        }
        w.all_until("6h");
        assert_eq!((w.incident(2).count, w.incident(2).is_live()), (1, true));
        assert!(w.incident(2).content.body.contains("failed once,"), "{}", w.incident(2).content.body);
        w.ping("job");
        assert!(!w.incident(2).is_live());
        w.untold();
    }
}

#[test]
fn each_ping_counts_anew_and_one_after_being_late_resolves_it() {
    let mut w = World::with(&house(JOB));
    w.quiet_until("1h");
    w.ping("job");
    w.quiet_until("2h9m");
    w.at("2h10m").rings("ops@example.org", "mail");
    w.quiet_until("3h");
    w.ping("job");
    w.at("3h").notice("resolved", "ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).because.as_deref(), Some("heartbeat job passes again; it was down for 50m"));
    w.at("4h10m").rings("ops@example.org", "mail");
}

#[test]
fn a_ping_that_says_fail_counts_as_one() {
    let mut w = World::with(&house(JOB));
    w.quiet_until("1m");
    w.does(Ask::Ping { name: "job".into(), fail: true });
    w.at("1m").rings("ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).content.subject, "job reports a failure");
    w.ping("job");
    w.at("1m").notice("resolved", "ops@example.org", "mail").nothing_else();
}

#[test]
fn a_restart_does_not_make_it_late() {
    let mut w = World::with(&house(JOB));
    w.quiet_until("50m");
    w.down_for("10m");
    w.quiet_until("69m");
    w.at("70m").rings("ops@example.org", "mail");
}

#[test]
fn only_passive_ones_are_pinged_and_only_others_are_run() {
    let mut w = World::with(&house(&format!("{CRON}{JOB}")));
    assert_eq!(w.fails(Ask::Ping { name: "slack".into(), fail: false }).code, Code::Conflict);
    assert_eq!(w.fails(Ask::RunHeartbeat { name: "job".into() }).code, Code::Conflict);
    assert_eq!(w.fails(Ask::Ping { name: "pigeon".into(), fail: false }).code, Code::NotFound);
}

#[test]
fn heartbeats_are_events_by_name_and_planned_time() {
    let mut w = World::with(&house(CRON));
    w.quiet_until("6m");
    let planned = w.events().find_map(|e| match e {
        EventKind::HeartbeatStarted { scheduled_at, .. } => Some(*scheduled_at),
        _ => None,
    });
    assert_eq!(planned, Some(Timestamp::parse("2026-01-06T12:05:00+01:00").unwrap()));
}

#[test]
fn f45_a_certificate_that_soon_ends_is_told_once_and_is_over_with_a_newer_one() {
    let mut w = World::with(&house("[heartbeats.slack]\nprobe = \"ops-slack\"\nevery = \"1h\"\nlevel = \"urgent\"\n"));
    let told = |w: &World| -> Vec<(String, crate::domain::level::Level)> {
        let one = |e: &EventKind| match e {
            EventKind::IncidentOpened { fingerprint, level, .. } => Some((fingerprint.clone(), *level)),
            _ => None,
        };
        w.events().filter_map(one).collect()
    };
    for words in ["connected", "connected to 1.2.3.4:465, certificate ends in 14d", "certificate ends in soon"] {
        w.probe("ops-slack", Says::Notes(words));
        w.run_for("1h");
        assert!(told(&w).is_empty(), "{words}");
    }
    w.probe("ops-slack", Says::Notes("connected to 1.2.3.4:465, certificate ends in 13d"));
    w.run_for("5h");
    assert_eq!(w.untold().len(), 1);
    let normal = crate::domain::level::Level::Normal;
    assert_eq!(told(&w), [("certificate/slack".to_owned(), normal)], "once, and nobody is woken for it");
    assert_eq!(status(&w, "slack"), HeartbeatStatus::Ok);
    let ended = |w: &World| w.events().filter(|e| matches!(e, EventKind::IncidentResolved { .. })).count();
    assert_eq!(ended(&w), 0);
    w.probe("ops-slack", Says::Notes("connected to 1.2.3.4:465, certificate ends in 89d"));
    w.run_for("1h");
    assert_eq!((ended(&w), told(&w).len(), w.untold().len()), (1, 1, 1));
}
