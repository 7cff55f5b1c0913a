//! What people read, and the exit codes that go with bad news.

use crate::standin::{Ran, Standin, run};
use serde_json::{Value, json};
use std::process::Stdio;

/// Runs a command of one request, without `--json`.
async fn reads(args: &[&str], request: &str, answer: Value) -> (i32, String) {
    let standin = Standin::start();
    standin.on(request, 200, answer);
    let ran = standin.ctl(args).await;
    assert_eq!(ran.err, "", "{args:?}");
    (ran.code, ran.out.lines().map(|l| format!("{}\n", l.trim_end())).collect())
}

#[tokio::test]
async fn status_exits_1_only_when_failing() {
    for (state, code) in [("ok", 0), ("degraded", 0), ("failing", 1)] {
        let standin = Standin::start();
        standin.on("GET /api/v1/status", 200, json!({"state": state}));
        assert_eq!(standin.ctl(&["status"]).await.code, code, "{state}");
        assert_eq!(standin.ctl(&["--json"]).await.code, code, "{state}");
    }
}

#[tokio::test]
async fn status_is_one_request_and_has_no_colours_without_a_terminal() {
    let standin = Standin::start();
    let incident = json!({"number": 417, "level": "urgent", "subject": "Twilio", "status": "open"});
    standin.on("GET /api/v1/status", 200, json!({"state": "failing", "open_incidents": [incident]}));
    let ran = standin.ctl(&[]).await;
    assert!(ran.out.contains("#417 URGENT  Twilio"), "{ran:?}");
    assert!(!ran.out.contains('\u{1b}'), "{ran:?}");
    assert_eq!(standin.seen().len(), 1);
}

#[tokio::test]
async fn a_wait_ends_by_the_deliveries() {
    let delivery = |status: &str| json!({"id": "01KABCDEFGHJKMNPQRSTVWXYZ0", "status": status, "channel": "sms", "recipient": "alice", "reason": "why"});
    for (status, code) in [("delivered", 0), ("submitted", 0), ("dead", 1), ("backoff", 6), ("skipped", 0)] {
        let answer = json!({"id": "01KN", "status": "x", "deliveries": [delivery(status)]});
        let request = "POST /api/v1/notifications";
        let (waited, out) = reads(&["send", "--subject", "x", "--wait=1s"], request, answer.clone()).await;
        assert_eq!(waited, code, "{status}");
        let columns: Vec<&str> = out.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(columns, ["VWXYZ0", status, "sms", "alice", "why"], "{out}");
        let (at_once, _) = reads(&["send", "--subject", "x"], request, answer).await;
        assert_eq!(at_once, 0, "without --wait accepted is done");
    }
}

#[tokio::test]
async fn a_test_and_a_heartbeat_that_fail_are_bad_news() {
    let answer = json!({"id": "01KN", "status": "failed", "deliveries": [{"id": "01KDDDDDD", "status": "dead", "channel": "sms",
        "recipient": "alice", "attempts": [{"n": 1, "error": null}, {"n": 2, "error": "401 Authenticate"}]}]});
    let (code, out) = reads(&["test", "sms"], "POST /api/v1/channels/sms/test", answer).await;
    assert_eq!(code, 1);
    assert_eq!(
        out,
        "notification 01KN  failed\n  DELIVERY  STATUS  CHANNEL  TO     WHY\n  DDDDDD    dead    sms      alice  401 Authenticate\n"
    );
    let failing = json!({"name": "twilio", "status": "failing", "failures_in_row": 1, "detail": "401 Authenticate"});
    let run = reads(&["heartbeats", "run", "twilio"], "POST /api/v1/heartbeats/twilio/run", failing.clone()).await;
    assert_eq!(run, (1, "twilio failing, failed once: 401 Authenticate\n".into()));
    let ping = reads(&["ping", "twilio", "--fail"], "POST /api/v1/heartbeats/twilio/ping", failing).await;
    assert_eq!(ping.0, 0, "a ping was taken, whatever it said");
}

#[tokio::test]
async fn a_run_is_waited_for() {
    let standin = Standin::start();
    let twilio = |running: bool, failures: u32| json!({"name": "twilio", "status": "ok", "running": running, "failures_in_row": failures, "detail": null});
    let list = |one: Value| json!({"heartbeats": [{"name": "smtp"}, one], "next_cursor": null});
    standin.on("POST /api/v1/heartbeats/twilio/run", 202, twilio(true, 0));
    standin.on("GET /api/v1/heartbeats", 200, list(twilio(true, 0)));
    standin.on("GET /api/v1/heartbeats", 200, list(twilio(false, 1)));
    let ran = standin.ctl(&["heartbeats", "run", "twilio", "--json"]).await;
    assert_eq!((ran.code, ran.json()), (1, twilio(false, 1)));
    assert_eq!(standin.seen().len(), 3);
}

#[tokio::test]
async fn a_refused_config_is_bad_news_with_place_and_hint() {
    let answer = json!({"ok": false, "errors": [{"file": "stentor.toml", "line": 7, "column": 3, "message": "unknown key \"chanels\"",
        "hint": "write channels"}, {"file": "stentor.toml", "line": 0, "column": 0, "message": "no people", "hint": ""}],
        "warnings": [{"file": "conf.d/a.toml", "line": 2, "column": 0, "message": "unused", "hint": ""}]});
    let (code, out) = reads(&["reload"], "POST /api/v1/reload", answer).await;
    assert_eq!(code, 1);
    assert_eq!(
        out,
        "stentor.toml:7:3: error: unknown key \"chanels\"\n    write channels\nstentor.toml: error: no people\n\
         conf.d/a.toml:2: warning: unused\nrefused, nothing has changed: 2 errors, 1 warning\n"
    );
    let good = reads(&["reload"], "POST /api/v1/reload", json!({"ok": true, "errors": [], "warnings": []})).await;
    assert_eq!(good, (0, "the config is in force; nothing has changed\n".into()));
}

#[tokio::test]
async fn a_damaged_ledger_is_bad_news() {
    let request = "GET /api/v1/ledger/verify";
    let faults = json!([
        {"kind": "edited", "file": "journal/0001", "offset": 17, "seq": 12, "words": "not the frame that was chained"},
        {"kind": "damaged-history", "file": "history", "words": "it cannot be read"},
        "as text"
    ]);
    let damaged = json!({"ok": false, "events": 12, "head": "abc", "faults": faults});
    assert_eq!(
        reads(&["ledger", "verify"], request, damaged).await,
        (
            1,
            "fault: edited: journal/0001 at byte 17, event 12: not the frame that was chained\n\
             fault: damaged-history: history: it cannot be read\nfault: as text\nDAMAGED: 12 events, head abc\n"
                .into()
        )
    );
    let sound = json!({"ok": true, "events": 12, "head": "abc", "faults": []});
    assert_eq!(reads(&["ledger", "verify"], request, sound).await, (0, "ok: 12 events, head abc\n".into()));
}

#[tokio::test]
async fn stopping_the_sound_names_what_is_still_open_and_how_to_acknowledge() {
    let incident = json!({"number": 417, "level": "urgent", "subject": "Twilio", "status": "open", "rounds": 4,
        "next": {"at": null, "channels": ["siren"], "to": null, "round": 2, "step": 1}});
    let expected = "stopped: siren\n #417 URGENT  Twilio    open -\n      next    - round 2 of 4, step 1: siren\n      \
                    do      stentorctl ack 417      stentorctl explain 417\n";
    let request = "POST /api/v1/sound/stop";
    let answer = json!({"stopped": ["siren"], "incidents": [incident], "next_cursor": null});
    assert_eq!(reads(&["sound", "stop"], request, answer).await, (0, expected.into()));
    let silent = reads(&["sound", "stop"], request, json!({"stopped": [], "incidents": []})).await;
    assert_eq!(silent, (0, "nothing sounds\n".into()));
}

#[tokio::test]
async fn explain_gives_each_step_its_reason() {
    let answer = json!({"steps": [
        {"at": "2026-11-20T01:41:00Z", "what": "opened at urgent", "because": "heartbeat twilio failed 2 times"},
        {"at": "2026-11-20T01:46:00Z", "what": "sms to alice", "because": null}
    ]});
    let (code, out) = reads(&["explain", "417"], "GET /api/v1/explain/417", answer).await;
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "2026-11-20 01:41:00.000  opened at urgent\n                         because heartbeat twilio failed 2 times\n\
         2026-11-20 01:46:00.000  sms to alice\n"
    );
}

#[tokio::test]
async fn one_delivery_is_shown_with_its_attempts() {
    let answer = json!({"id": "01KD", "notification": "01KN", "incident": 417, "channel": "sms", "provider": "Twilio",
    "recipient": "alice +1555", "status": "dead", "reason": "no way left", "cost": "0.0075 USD", "segments": 1,
    "created_at": "2026-11-20T01:41:00Z", "attempts": [
        {"n": 1, "channel": "sms", "started_at": "2026-11-20T01:41:00Z", "finished_at": "2026-11-20T01:41:01Z", "class": "AUTH_ERROR",
         "error": "20003 Authenticate"},
        {"n": 2, "channel": "sms-telnyx", "started_at": "2026-11-20T01:41:01Z", "finished_at": "2026-11-20T01:41:02Z",
         "provider_message_id": "m1", "possibly_duplicate": true},
        {"n": 3, "channel": "sms", "started_at": "2026-11-20T01:41:03Z", "finished_at": null}
    ]});
    let (_, out) = reads(&["deliveries", "show", "01KD"], "GET /api/v1/deliveries/01KD", answer).await;
    for line in [
        "01KD  dead (no way left)",
        "  to            alice +1555",
        "  channel       sms (Twilio)",
        "  incident      #417",
        "  sent          -",
        "  1        sms         2026-11-20 01:41:00.000  2026-11-20 01:41:01.000  AUTH_ERROR: 20003 Authenticate",
        "  2        sms-telnyx  2026-11-20 01:41:01.000  2026-11-20 01:41:02.000  accepted, m1, possibly a duplicate",
        "  3        sms         2026-11-20 01:41:03.000  -                        under way",
    ] {
        assert!(out.lines().any(|l| l == line), "{line:?} is not in\n{out}");
    }
}

#[tokio::test]
async fn lists_are_tables() {
    let at = "2026-01-20T01:41:00Z";
    let table: [(&[&str], &str, Value, &str); 9] = [
        (
            &["deliveries", "list"],
            "GET /api/v1/deliveries",
            json!({"deliveries": [{"id": "01KABCDEFGHJKMNPQRSTVWXYZ0", "status": "skipped", "channel": "sms", "recipient": "bob",
                "incident": 417, "created_at": at, "reason": "quiet-hours"}], "next_cursor": "c9"}),
            "ID      STATUS   CHANNEL  TO   INCIDENT  CREATED           WHY\n\
             VWXYZ0  skipped  sms      bob  #417      2026-01-20 01:41  quiet-hours\nmore: --cursor c9\n",
        ),
        (
            &["heartbeats", "list"],
            "GET /api/v1/heartbeats",
            json!({"heartbeats": [{"name": "smtp", "kind": "probe", "status": "ok", "last_run_at": at, "last_ok_at": at,
                "failures_in_row": 0, "detail": "connected", "next_run_at": null}]}),
            "NAME  KIND   STATUS  LAST RUN          LAST OK           FAILURES  NEXT RUN  DETAIL\n\
             smtp  probe  ok      2026-01-20 01:41  2026-01-20 01:41  0         -         connected\n",
        ),
        (
            &["watches", "list"],
            "GET /api/v1/watches",
            json!({"watches": [{"name": "w", "kind": "below", "metric": "m", "value": 1.5, "value_at": at, "threshold": 2, "status": "breached",
                "since": at}]}),
            "NAME  KIND   STATUS    SINCE             VALUE  AT                THRESHOLD  METRIC\n\
             w     below  breached  2026-01-20 01:41  1.5    2026-01-20 01:41  2          m\n",
        ),
        (
            &["fomo", "list"],
            "GET /api/v1/fomo",
            json!({"watches": [{"name": "w", "deal": "A", "value": 400_000, "value_at": at, "threshold": 500_000, "status": "breached",
                "tiers": ["TIER_1", "TIER_2"]}]}),
            "DEAL  STATUS    REMAINING  AT                THRESHOLD  TIERS           WATCH\n\
             A     breached  400000     2026-01-20 01:41  500000     TIER_1, TIER_2  w\n",
        ),
        (
            &["channels", "list"],
            "GET /api/v1/channels",
            json!({"channels": [{"name": "sms", "kind": "twilio-sms", "sort": "addressed", "status": "dead", "detail": "401", "last_proof_at": null,
                "in_flight": 0, "pending": 1, "waiting": 2, "fallback": "sms2", "simulate": true}]}),
            "NAME  KIND        SORT       STATUS  PROOF  SENDING  PENDING  WAITING  FALLBACK  DETAIL\n\
             sms   twilio-sms  addressed  dead    -      0        1        2        sms2      simulated; 401\n",
        ),
        (
            &["silence", "list"],
            "GET /api/v1/silences",
            json!({"silences": [{"id": "u-1", "status": "active", "ends_at": at, "created_by": "bob", "held": 3, "matchers": ["name=\"x\""],
                "comment": "works"}]}),
            "ID   STATUS  ENDS              BY   HELD  MATCHERS  COMMENT\nu-1  active  2026-01-20 01:41  bob  3     name=\"x\"  works\n",
        ),
        (
            &["ledger", "query"],
            "GET /api/v1/ledger",
            json!({"entries": [{"seq": 12, "at": at, "kind": "incident_acknowledged", "hash": "h", "initiator": "bob", "number": 417, "by": "bob",
                "via": "socket", "note": "on it"}], "next_cursor": null}),
            "2026-01-20 01:41:00.000       12  incident_acknowledged    #417   acknowledged by bob (socket): on it\n",
        ),
        (
            &["ledger", "stats"],
            "GET /api/v1/ledger/stats",
            json!({"total": 3, "delivered": 2, "failed": 1, "pending": 0, "avg_delivery_seconds": 1.25, "cost": "0.015 USD",
                "by_channel": {"sms": {"dead": 1, "delivered": 2}}}),
            "  total             3\n  delivered         2\n  failed            1\n  pending           0\n  on average after  1.2s\n  \
             cost              0.015 USD\n\nCHANNEL  DELIVERIES\nsms      dead 1   delivered 2\n",
        ),
        (
            &["ledger", "stats"],
            "GET /api/v1/ledger/stats",
            json!({"since": at, "total": 0, "delivered": 0, "failed": 0, "pending": 0, "by_channel": {}}),
            "  since             2026-01-20 01:41\n  total             0\n  delivered         0\n  failed            0\n  \
             pending           0\n  on average after  -\n  cost              -\n\nno deliveries\n",
        ),
    ];
    for (args, request, answer, expected) in table {
        assert_eq!(reads(args, request, answer).await, (0, expected.into()), "{args:?}");
        let name = args[0];
        let (code, out) = reads(args, request, json!({})).await;
        assert_eq!((code, out.lines().count() >= 1), (0, true), "{name}: {out}");
    }
}

#[tokio::test]
async fn small_answers_are_one_line() {
    let set =
        reads(&["metric", "set", "queue", "3"], "PUT /api/v1/metrics/queue", json!({"name": "queue", "value": 3.0}))
            .await;
    assert_eq!(set.1, "queue = 3\n");
    let metric = json!({"name": "queue", "value": 12.5, "value_at": "2026-01-20T01:41:00Z"});
    assert_eq!(
        reads(&["metric", "get", "queue"], "GET /api/v1/metrics/queue", metric).await.1,
        "queue = 12.5 at 2026-01-20 01:41\n"
    );
    let silence = json!({"id": "u-1", "matchers": ["name=\"x\"", "level!=\"low\""], "ends_at": "2026-01-20T01:41:00Z"});
    assert_eq!(
        reads(&["silence", "add", "name=x", "--for", "1h", "--comment", "c"], "POST /api/v1/silences", silence.clone())
            .await
            .1,
        "u-1\nholds back name=\"x\", level!=\"low\" until 2026-01-20 01:41\n"
    );
    assert_eq!(
        reads(&["silence", "expire", "u-1"], "DELETE /api/v1/silences/u-1", silence).await.1,
        "silence u-1 has ended: name=\"x\", level!=\"low\"\n"
    );
    let snoozed = json!({"incidents": [{"number": 4, "snoozed_until": "2026-01-20T01:41:00Z", "next": null}]});
    assert_eq!(
        reads(&["snooze", "4", "30m"], "POST /api/v1/incidents/4/snooze", snoozed).await.1,
        "#4 is quiet until 2026-01-20 01:41.\n"
    );
    let resolved = json!({"incidents": [{"number": 4, "told": ["ops-slack"], "still_broken": null}]});
    assert_eq!(
        reads(&["resolve", "4"], "POST /api/v1/incidents/4/resolve", resolved).await.1,
        "#4 resolved. Told: ops-slack.\n"
    );
}

/// Runs the command on a terminal of its own, by script(1) of util-linux.
async fn on_terminal(standin: &Standin, args: &str, environment: &[(&str, &str)]) -> Ran {
    let mut command = tokio::process::Command::new("script");
    let line = format!("{} {args}", env!("CARGO_BIN_EXE_stentorctl"));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).kill_on_drop(true);
    command.env_remove("NO_COLOR").env("TERM", "xterm").env("STENTOR_SOCKET", standin.socket());
    run(command.envs(environment.iter().copied()).stdin(Stdio::null()), None).await
}

#[tokio::test]
async fn a_terminal_gets_colours_unless_it_wants_none() {
    let standin = Standin::start();
    standin.on("GET /api/v1/status", 200, json!({"state": "failing", "reasons": ["why"]}));
    let coloured = |ran: &Ran| ran.out.contains("\u{1b}[1;31mFAILING\u{1b}[0m");
    let plain = |ran: &Ran| ran.out.contains("FAILING") && !ran.out.contains('\u{1b}');
    let table: [(&[(&str, &str)], bool); 4] =
        [(&[], true), (&[("NO_COLOR", "")], true), (&[("NO_COLOR", "1")], false), (&[("TERM", "dumb")], false)];
    for (environment, wanted) in table {
        let ran = on_terminal(&standin, "status", environment).await;
        assert_eq!((ran.code, coloured(&ran), plain(&ran)), (1, wanted, !wanted), "{environment:?} {ran:?}");
    }
}

#[tokio::test]
async fn an_urgent_send_on_a_terminal_names_page() {
    let standin = Standin::start();
    standin.on("POST /api/v1/notifications", 202, json!({"id": "01K"}));
    let there = on_terminal(&standin, "send --level crit --subject x", &[]).await;
    assert!(there.out.contains("never escalates") && there.out.contains("stentorctl page"), "{there:?}");
    let away = standin.ctl(&["send", "--level", "crit", "--subject", "x"]).await;
    assert_eq!((away.code, away.err.as_str()), (0, ""));
}

/// Of very many that do not fit a page is empty, and the next one is not.
#[tokio::test]
async fn a_list_goes_on_behind_an_empty_page() {
    let standin = Standin::start();
    let found = json!({"id": "01K00000000000000000000001", "status": "dead", "channel": "sms", "incident": 1});
    let empty = json!({"deliveries": [], "next_cursor": "01K00000000000000000000009"});
    standin.on("GET /api/v1/deliveries", 200, empty);
    standin.on("GET /api/v1/deliveries", 200, json!({"deliveries": [found], "next_cursor": null}));
    let ran = standin.ctl(&["deliveries", "list", "--status", "dead"]).await;
    assert!(ran.code == 0 && ran.out.contains("000001") && !ran.out.contains("no deliveries"), "{}", ran.out);
    let asked: Vec<String> = standin.seen().into_iter().map(|seen| seen.path).collect();
    let first = "/api/v1/deliveries?status=dead";
    assert_eq!(asked, [first.to_owned(), format!("{first}&cursor=01K00000000000000000000009")]);
}
