//! What holds for every history: random people doing random things to random channels.

use super::invariants::watch;
use super::world::asks::*;
use super::world::*;
use crate::config::Config;
use crate::config::testing::from_toml;
use crate::domain::delivery::Status;
use crate::domain::event::{Event, EventKind};
use crate::domain::matcher::Matcher;
use crate::domain::time::Span;
use crate::engine::{AlertReport, Ask, OpenRequest, Reports, SendRequest, SpanWord, State, TimeWord};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const MORE: &str = r#"
[heartbeats.probe-sms]
probe = "sms"
every = "45s"
failures = 2
level = "normal"

[heartbeats.proof]
kind = "notification"
cron = "*/3 * * * *"
level = "low"
send = { to = ["bob"], channels = ["mail"], subject = "proof" }

[heartbeats.job]
kind = "passive"
every = "5m"
grace = "30s"
level = "high"

[policies.quick]
repeat = 2
every = "2m"
steps = [
  { after = "0s", channels = ["ops-slack"] },
  { after = "20s", channels = ["sms"], to = ["schedule:primary", "carol"] },
  { after = "40s", to = ["bob", "+15550199"], channels = ["call", "mail"] },
]
"#;

static HOUSE: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(from_toml(&house())));
/// The same after somebody changed it: a channel, a person, a policy and a heartbeat less.
static LESS: LazyLock<Arc<Config>> = LazyLock::new(|| {
    let mut config = from_toml(&house().replace("remind   = \"4h\"", "remind = \"3m\""));
    config.channels.remove("hook");
    config.people.remove("bob");
    config.policies.remove("page");
    config.heartbeats.remove("job");
    Arc::new(config)
});

fn house() -> String {
    let narrow =
        calm().replace("slots    = 4 ", "slots    = 1 ").replace("# ack_timeout = \"2h\"", "ack_timeout = \"5m\"");
    format!("{narrow}\n{MORE}")
}

/// One thing that happens in a history.
#[derive(Clone, Debug)]
enum Move {
    Send { level: usize, channel: usize, to: usize, ttl: Option<i64>, at: Option<i64> },
    Open { level: usize, fingerprint: usize, policy: usize, channel: usize },
    Report { which: u64, level: usize, ends: Option<i64> },
    Acknowledge(u64),
    Unacknowledge(u64),
    Resolve(u64),
    Escalate(u64),
    Snooze(u64),
    Silence { matcher: usize, seconds: i64 },
    ExpireSilence,
    Requeue,
    Drop,
    StopSound,
    Ping(bool),
    Run,
    Metric(f64),
    Push,
    Test,
    Reload(bool),
    SetClock(i64),
    Wait(i64),
    Crash(i64),
    Reboot(i64, i64),
    Fate(u64),
    Probe(bool),
}

const LEVELS: [&str; 4] = ["low", "normal", "high", "urgent"];
const CHANNELS: [&[&str]; 8] =
    [&[], &["sms"], &["hook"], &["mail", "sms"], &["siren", "call"], &["ops-slack"], &["hook", "sms"], &["rehearsal"]];
const PEOPLE: [&[&str]; 7] = [
    &[],
    &["alice"],
    &["bob", "alice"],
    &["+15550199", "x@y.example"],
    &["schedule:primary"],
    &["group:ops"],
    &["tier:TIER_1"],
];
const MATCHERS: [&str; 4] = ["level=urgent", "source=manual", "type=fomo", "name=~\"p.*\""];

fn moves() -> impl Strategy<Value = Move> {
    let number = || 1..12u64;
    prop_oneof![
        8 => (0..4usize, 0..8usize, 0..7usize, prop::option::weighted(0.2, 1..600i64), prop::option::weighted(0.1, 1..600i64))
            .prop_map(|(level, channel, to, ttl, at)| Move::Send { level, channel, to, ttl, at }),
        6 => (0..4usize, 0..4usize, 0..3usize, 0..8usize)
            .prop_map(|(level, fingerprint, policy, channel)| Move::Open { level, fingerprint, policy, channel }),
        4 => (0..4u64, 0..4usize, prop::option::weighted(0.6, -60..600i64))
            .prop_map(|(which, level, ends)| Move::Report { which, level, ends }),
        4 => number().prop_map(Move::Acknowledge),
        2 => number().prop_map(Move::Unacknowledge),
        3 => number().prop_map(Move::Resolve),
        2 => number().prop_map(Move::Escalate),
        1 => number().prop_map(Move::Snooze),
        2 => (0..4usize, 1..400i64).prop_map(|(matcher, seconds)| Move::Silence { matcher, seconds }),
        1 => Just(Move::ExpireSilence),
        1 => Just(Move::Requeue),
        1 => Just(Move::Drop),
        1 => Just(Move::StopSound),
        2 => any::<bool>().prop_map(Move::Ping),
        1 => Just(Move::Run),
        2 => (0.0..1_000_000.0f64).prop_map(Move::Metric),
        1 => Just(Move::Push),
        1 => Just(Move::Test),
        1 => any::<bool>().prop_map(Move::Reload),
        1 => (-7_200..7_200i64).prop_map(Move::SetClock),
        14 => prop_oneof![0..5i64, 0..90i64, 0..900i64].prop_map(Move::Wait),
        1 => (0..900i64).prop_map(Move::Crash),
        1 => (0..900i64, -200_000..200_000i64).prop_map(|(seconds, wrong)| Move::Reboot(seconds, wrong)),
        3 => prop_oneof![Just(0u64), Just(30), Just(100)].prop_map(Move::Fate),
        1 => any::<bool>().prop_map(Move::Probe),
    ]
}

fn channels(place: usize) -> Option<Vec<String>> {
    names(CHANNELS[place]).filter(|c| !c.is_empty())
}

/// What people ask for may be refused; the engine must not mind.
fn play(w: &mut World, step: Move) {
    let id = |n: u64| n.to_string();
    let ask = match step {
        Move::Send { level: l, channel, to, ttl, at } => Ask::Send(SendRequest {
            subject: "one".into(),
            level: level(LEVELS[l]),
            channels: channels(channel),
            to: who(PEOPLE[to]).filter(|p| !p.is_empty()),
            ttl: ttl.map(|s| SpanWord(Span::secs(s))),
            at: at.map(|s| TimeWord(w.wall() + Span::secs(s))),
            ..SendRequest::default()
        }),
        Move::Open { level: l, fingerprint, policy, channel } => Ask::Open(OpenRequest {
            subject: "two".into(),
            level: level(LEVELS[l]),
            fingerprint: (fingerprint > 0).then(|| fingerprint.to_string()),
            policy: [None, Some("quick"), Some("none")][policy].map(str::to_owned),
            channels: channels(channel),
            ..OpenRequest::default()
        }),
        Move::Report { which, level, ends } => Ask::Report(Reports {
            alerts: vec![AlertReport {
                fingerprint: which,
                labels: [("severity".to_owned(), LEVELS[level].to_owned())].into(),
                annotations: [("summary".to_owned(), LEVELS[level].to_owned())].into(),
                starts_at: None,
                ends_at: ends.map(|s| w.wall() + Span::secs(s)),
                generator_url: String::new(),
            }],
            urgent: false,
        }),
        Move::Acknowledge(n) => ack(n, Some("alice")),
        Move::Unacknowledge(n) => Ask::Unacknowledge { id: id(n) },
        Move::Resolve(n) => Ask::Resolve { id: id(n), note: None },
        Move::Escalate(n) => Ask::Escalate { id: id(n) },
        Move::Snooze(n) => Ask::Snooze { id: id(n), span: span("2m") },
        Move::Silence { matcher, seconds } => Ask::AddSilence {
            matchers: Matcher::parse_list(MATCHERS[matcher]).unwrap(),
            span: Span::secs(seconds),
            comment: "c".into(),
            author: None,
        },
        Move::ExpireSilence => {
            let open = w.engine.state.silences.values().find(|s| !s.expired).map(|s| s.id.clone());
            Ask::ExpireSilence { id: open.unwrap_or_default() }
        }
        Move::Requeue => Ask::Requeue { id: None },
        Move::Drop => {
            Ask::Drop { id: w.engine.state.dead_letters().next().map(|d| d.id.to_string()).unwrap_or_default() }
        }
        Move::StopSound => Ask::StopSound,
        Move::Ping(fail) => Ask::Ping { name: "job".into(), fail },
        Move::Run => Ask::RunHeartbeat { name: "proof".into() },
        Move::Metric(value) => Ask::SetMetric { name: "deal.spacex-n.remaining".into(), value },
        Move::Push => {
            Ask::PushFomo { deal: "SpaceX Secondary Series N".into(), remaining: 450_000.0, tiers: Vec::new() }
        }
        Move::Test => Ask::Test { channels: vec!["sms".into()], to: vec![], force: false },
        Move::Reload(less) => {
            let config = if less { LESS.clone() } else { HOUSE.clone() };
            Ask::Apply { config, changed: vec!["channels.sms".into()], kept: false }
        }
        Move::SetClock(seconds) => return w.set_clock(Span::secs(seconds)),
        Move::Wait(seconds) => return w.run_until(w.elapsed + Span::secs(seconds)),
        Move::Crash(seconds) => return w.down_for(&Span::secs(seconds).exact()),
        Move::Reboot(seconds, wrong) => return w.reboot(&Span::secs(seconds).exact(), Span::secs(wrong)),
        Move::Fate(bad) => {
            w.fate.as_mut().unwrap().bad = bad;
            return;
        }
        Move::Probe(well) => {
            w.probe("sms", if well { Says::Yes } else { refused() });
            return;
        }
    };
    w.tries(ask).ok();
}

/// Everybody is well again, nobody wants anything more, and time runs on.
fn run_out(w: &mut World) {
    w.fate.as_mut().unwrap().bad = 0;
    w.probe("sms", Says::Yes);
    let open: Vec<u64> = w.engine.state.live_incidents().map(|i| i.number).collect();
    for n in open {
        w.tries(Ask::Resolve { id: n.to_string(), note: None }).ok();
    }
    w.tries(Ask::Apply { config: LAST.clone(), changed: Vec::new(), kept: false }).unwrap();
    // The clock may have been set back by days, and what is scheduled stays on it.
    w.run_until(w.elapsed + span("100h"));
}

/// Nothing that makes new messages by itself.
static LAST: LazyLock<Arc<Config>> = LazyLock::new(|| {
    let mut config = from_toml(&house());
    config.heartbeats.clear();
    config.watches.clear();
    config.levels.values_mut().for_each(|l| l.remind = None);
    Arc::new(config)
});

fn history(seed: u64, bad: u64, steps: Vec<Move>, twin_at: usize) -> World {
    let mut w = World::of(HOUSE.clone(), NOON);
    w.fate = Some(Fate { seed, bad });
    for (n, step) in steps.into_iter().enumerate() {
        if n == twin_at {
            w.begin_twin();
        }
        play(&mut w, step);
    }
    w
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing accepted vanishes, each delivery ends once, nothing starts after an acknowledgement,
    /// urgent goes before lower, no step fires twice; a replay and a snapshot give the same.
    #[test]
    fn every_history_ends_well(
        seed in any::<u64>(),
        bad in prop_oneof![Just(0u64), Just(15), Just(60), Just(100)],
        steps in prop::collection::vec(moves(), 1..90),
        twin_at in 0..90usize,
    ) {
        let mut w = history(seed, bad, steps, twin_at);
        w.check_history();
        run_out(&mut w);
        watch(&w);
        w.untold();
    }

    /// Whatever is read from a damaged journal: no panic, and what is derived stays true.
    #[test]
    fn folding_never_panics(
        seed in any::<u64>(),
        steps in prop::collection::vec(moves(), 1..40),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8), 1..200),
    ) {
        let mut w = history(seed, 50, steps, 999);
        w.untold();
        let events: Vec<_> = w.frames.iter().flat_map(|f| f.events.iter().map(|e| (f.at, e.clone()))).collect();
        let mut state = State::default();
        // In order, with some left out and some twice; then any, in any order.
        for (n, (at, event)) in events.iter().enumerate() {
            let (_, what) = &picks[n % picks.len()];
            for _ in 0..[1, 0, 1, 2][*what as usize] {
                state.evolve(*at, event);
            }
        }
        for (pick, _) in &picks {
            let (at, event) = &events[pick.index(events.len())];
            state.evolve(*at, event);
        }
        prop_assert_eq!(&state.index, &state.derived());
        // And an engine can begin with what came of it.
        let mut engine = crate::engine::Engine::new(state, HOUSE.clone(), "0.1.0");
        let now = w.wall();
        for ask in [Ask::Started { version: "0.1.0".into(), boot: String::new(), up: None }, Ask::Wake, Ask::Wake] {
            engine.handle(crate::engine::Input { now, seed: [1; 16], by: operator(), ask });
        }
        prop_assert!(engine.next_due().is_none_or(|t| t > now));
        prop_assert_eq!(&engine.state.index, &engine.state.derived());
    }
}

/// What every release wrote, in `tests/corpus`.
fn corpus() -> Vec<Event> {
    let line = |text: &str| {
        let mut line: serde_json::Value = serde_json::from_str(text).unwrap();
        let payload = line["payload"].take();
        let head: EventKind = serde_json::from_value(line["head"].take()).unwrap();
        if payload.is_null() { head.bare() } else { head.with(serde_json::from_value(payload).unwrap()) }
    };
    include_str!("../../../tests/corpus/events-1.jsonl").lines().map(line).collect()
}

#[test]
fn every_kind_of_event_can_be_folded_in_any_order() {
    let events = corpus();
    let mut state = State::default();
    for _ in 0..3 {
        for event in events.iter().chain(events.iter().rev()) {
            state.evolve(crate::domain::time::Timestamp(5), event);
        }
    }
    assert_eq!(state.index, state.derived());
    assert!(state.deliveries.values().all(|d| d.status != Status::Unknown));
}
