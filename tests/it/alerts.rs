//! Prometheus reports alerts over TCP: once, again and again, over; and stentor dies in between.

use crate::harness::ways;
use crate::harness::{Daemon, Home, door_get, door_post, eventually, free_address};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const ALERTS: &str = "/api/v2/alerts";

struct House {
    standins: Standins,
    daemon: Daemon,
    address: String,
}

impl House {
    async fn new(more: &str) -> House {
        let standins = Standins::start().await;
        let address = free_address();
        let config = ways::and(&format!("[http]\nlisten = \"{address}\"\n{more}\n{}", ways::BY_HOOK));
        let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
        let house = House { standins, daemon, address };
        house.is_served().await;
        house
    }

    /// It is bound after READY when it was taken.
    async fn is_served(&self) {
        eventually("TCP is served", async || tokio::net::TcpStream::connect(&self.address).await.ok()).await;
    }

    async fn report(&self, alerts: &Value) -> Option<(u16, String)> {
        door_post(&self.address, ALERTS, "User-Agent: Prometheus/3.5.0\r\n", &alerts.to_string()).await
    }

    async fn open(&self) -> Vec<Value> {
        let (status, text) = door_get(&self.address, ALERTS).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Vec<Value>>(&text).unwrap()
    }

    /// What the webhook was told: its kinds and subjects.
    fn told(&self) -> Vec<(String, String)> {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let documents =
            self.standins.recorded("hook").into_iter().map(|r| serde_json::from_str::<Value>(&r.body).unwrap());
        documents.map(|d| (text(&d["kind"]), text(&d["subject"]))).collect()
    }
}

/// As Prometheus 3 writes one.
fn as_prometheus(instance: &str, ends: &str) -> Value {
    json!({
        "annotations": { "description": "/var on db-1 is at 98 %", "summary": format!("{instance} is full") },
        "endsAt": ends,
        "startsAt": "2026-11-20T10:11:12.345Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=node_filesystem_avail_bytes+%3C+1e9&g0.tab=1",
        "labels": { "alertname": "DiskFull", "device": "/dev/sda1", "instance": instance, "job": "node", "severity": "critical" },
    })
}

const LATER: &str = "2999-01-01T00:00:00.000Z";
const BEFORE: &str = "2026-11-20T10:31:12.345Z";

#[tokio::test]
async fn told_twenty_times_with_a_restart_in_between_it_is_one_incident_until_it_is_over() {
    let mut house = House::new("").await;
    for round in 0..20 {
        let ends = format!("2999-01-01T00:{round:02}:00Z");
        let answer = house.report(&json!([as_prometheus("db-1:9100", &ends)])).await;
        assert_eq!(answer, Some((200, String::new())));
        if round == 7 {
            assert_eq!(house.daemon.stop().await, 0);
            house.daemon.start().await;
            house.is_served().await;
        }
        if round == 13 {
            house.daemon.kill().await;
            house.daemon.start().await;
            house.is_served().await;
        }
    }
    let shown = house.daemon.ok(&["incidents", "show", "1"]).await;
    assert_eq!((&shown["count"], &shown["level"], &shown["status"]), (&json!(20), &json!("urgent"), &json!("open")));
    assert_eq!(house.open().await[0]["endsAt"], "2999-01-01T00:19:00.000+00:00");

    for _ in 0..3 {
        let answer = house.report(&json!([as_prometheus("db-1:9100", BEFORE)])).await;
        assert_eq!(answer, Some((200, String::new())));
    }
    house.standins.wait_for("hook", 2).await;
    let kinds: Vec<String> = house.told().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["incident.opened", "incident.resolved"]);
    assert!(house.open().await.is_empty());
    let all = house.daemon.ok(&["incidents", "list", "--all"]).await;
    assert_eq!(all["incidents"].as_array().unwrap().len(), 1, "{all}");
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_at_any_moment() {
    let mut house = House::new("").await;
    house.standins.set("hook", Fault::Slow { millis: 20 });
    let mut accepted: BTreeSet<String> = BTreeSet::new();
    for life in 0..3 {
        let pid = house.daemon.pid();
        for batch in 0..8 {
            let names: Vec<String> = (0..16).map(|n| format!("db-{life}-{batch}-{n}")).collect();
            let alerts: Vec<Value> = names.iter().map(|name| as_prometheus(name, LATER)).collect();
            let answer = house.report(&json!(alerts)).await;
            assert_eq!(answer, Some((200, String::new())));
            accepted.extend(names);
        }
        // At once: nothing but the answers has been waited for.
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        house.daemon.wait().await;
        house.daemon.start().await;
        house.is_served().await;
        let open: BTreeSet<String> =
            house.open().await.iter().map(|a| a["labels"]["instance"].as_str().unwrap().to_owned()).collect();
        assert_eq!(open, accepted, "life {life}");
    }
    eventually("all of them are told", async || {
        let told: BTreeSet<String> = house.told().into_iter().map(|(_, subject)| subject).collect();
        accepted.iter().all(|name| told.contains(&format!("{name} is full"))).then_some(())
    })
    .await;
    let verified = house.daemon.ok(&["ledger", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test]
async fn one_that_nobody_reports_any_more_ends_also_after_a_restart_and_says_so() {
    let mut house = House::new("[intake.alertmanager]\nresolve_timeout = \"2s\"\n").await;
    let alert = json!([{ "labels": { "alertname": "Odd", "severity": "sev-1" } }]);
    assert_eq!(house.report(&alert).await, Some((200, String::new())));
    house.daemon.kill().await;
    house.daemon.start().await;
    let ended = eventually("it ends", async || house.daemon.ledger(&["incident_resolved"]).await.pop()).await;
    assert_eq!(ended["because"], "no longer reported", "{ended}");
    let told = house.standins.wait_for("hook", 2).await;
    let opened: Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!((&opened["level"], &opened["subject"]), (&json!("normal"), &json!("Odd")), "{opened}");
    assert!(opened["body"].as_str().unwrap().contains("severity \"sev-1\" is no level that is known"), "{opened}");
}

/// Rows 47 and 51 of the faults, through the binary: a batch of good and bad, and letters that do harm.
#[tokio::test]
async fn f47_f51_the_good_ones_of_a_bad_batch_are_told_and_their_letters_do_no_harm() {
    let house = House::new("").await;
    let evil = "x\r\nSubject: y\u{1b}[2J\u{202e}";
    let batch = json!([
        { "labels": { "alertname": evil } },
        { "labels": {} },
        { "labels": { "a b": "c" } },
        as_prometheus("db-9", LATER),
    ]);
    let (status, text) = house.report(&batch).await.unwrap();
    let words: String = serde_json::from_str(&text).unwrap();
    assert!(status == 400 && words.contains("alerts[1].labels") && words.contains("alerts[2].labels"), "{text}");
    assert_eq!(house.open().await.len(), 2);
    house.standins.wait_for("hook", 2).await;
    let said = house.daemon.ctl_text(&["incidents", "list"]).await;
    assert!(!said.out.contains('\u{1b}') && !said.out.contains('\u{202e}'), "{said:?}");
    let log = house.daemon.log();
    assert!(!log.contains('\u{1b}') && !log.lines().any(|line| line.starts_with("Subject: y")), "{log}");
    for body in ["", "{}", "[", "[{]", "nonsense", &"[".repeat(50_000)] {
        let answer = door_post(&house.address, ALERTS, "", body).await;
        assert_eq!(answer.map(|(status, _)| status), Some(400), "{body:.20}");
    }
}

/// Status and head of one report on a connection of its own, which pauses before its last byte; `None` when the
/// connection breaks.
async fn report_for_head(address: &str, body: &str, pause: Duration) -> Option<(u16, String)> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.ok()?;
    let length = body.len();
    let head = format!("POST {ALERTS} HTTP/1.1\r\nHost: s\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let (most, last) = body.as_bytes().split_at(length - 1);
    stream.write_all(most).await.ok()?;
    tokio::time::sleep(pause).await;
    stream.write_all(last).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    Some((text.split(' ').nth(1)?.parse().ok()?, text))
}

/// Kilobytes of memory at the most so far.
fn peak_kb(pid: nix::unistd::Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn f49_a_flood_is_told_to_come_again_and_what_is_urgent_gets_through() {
    const SENDERS: usize = 120;
    let house = House::new("").await;
    let address = house.address.as_str();
    // Large, so that few of them fill the room; what is no field of an alert is read and passed over.
    let padding = "x".repeat(900_000);
    let refused = std::cell::Cell::new(0);
    let flood = async |n: usize| {
        let body = format!(r#"[{{"labels":{{"alertname":"Flood","severity":"info","n":"{n}"}},"more":"{padding}"}}]"#);
        // The first time all of them are under way at once, however fast the daemon is.
        let mut pause = Duration::from_millis(500);
        loop {
            let reported = report_for_head(address, &body, pause).await;
            let (status, head) = reported.expect("an answer, not a broken connection");
            pause = Duration::from_millis(100);
            match status {
                200 => return,
                503 => assert!(head.contains("retry-after: 1"), "{head}"),
                _ => panic!("{head}"),
            }
            refused.set(refused.get() + 1);
        }
    };
    let floods = futures_util::future::join_all((0..SENDERS).map(flood));
    // As long as the flood lasts; what counts is that none of it is refused while the flood is.
    let (over, sent, meanwhile) = (std::cell::Cell::new(false), std::cell::Cell::new(0), std::cell::Cell::new(0));
    let urgent = async {
        while !over.get() {
            let before = refused.get();
            let n = sent.get();
            let alert = json!([{ "labels": { "alertname": "Urgent", "severity": "critical", "n": n.to_string() } }]);
            let answer = report_for_head(address, &alert.to_string(), Duration::ZERO).await;
            assert_eq!(answer.map(|(status, _)| status), Some(200), "urgent {n}");
            sent.set(n + 1);
            meanwhile.set(meanwhile.get() + usize::from(refused.get() > before));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let floods = async {
        floods.await;
        over.set(true);
    };
    tokio::time::timeout(crate::harness::LONGEST * 3, futures_util::future::join(floods, urgent))
        .await
        .expect("the flood does not end");
    assert!(refused.get() > 0, "this was no flood");
    assert!(meanwhile.get() > 0, "of {} urgent ones none came while others were refused", sent.get());
    assert_eq!(house.open().await.len(), SENDERS + sent.get(), "each is there, once");
    let peak = peak_kb(house.daemon.pid());
    assert!(peak < 300 << 10, "{} MiB", peak >> 10);
}
