//! A disk that is full, read-only, failing, slow, or gone: the real binary on a small disk of its
//! own, or under strace.

use crate::harness::tools::{Mounts, Tracer, has};
use crate::harness::{Daemon, Home, each, eventually};
use crate::torture::random::Random;
use crate::torture::settled;
use crate::torture::sink::Sink;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// As [`crate::torture::CONFIG`], with more time between the steps.
pub fn home(sink: &Sink) -> Home {
    let config = crate::torture::CONFIG.replace("after = \"1s\"", "after = \"4s\"");
    Home::new(&config).env("SINK", sink.address.as_str())
}

pub async fn sink() -> Sink {
    Sink::start(Random::of(1), 5).await
}

pub async fn in_emergency(daemon: &Daemon, wanted: bool) {
    eventually("emergency mode begins or ends", async || {
        let (_, status) = daemon.try_request("GET", "/api/v1/status", "").await?;
        (status["emergency"] == wanted).then_some(())
    })
    .await;
}

/// One message, by hand: its status and document.
pub async fn send(daemon: &Daemon, subject: &str) -> (u16, Value) {
    let body = json!({ "subject": subject, "idempotency_key": subject }).to_string();
    daemon.request("POST", "/api/v1/notifications", &body).await
}

/// What the ledger has, and that all that was promised is in it.
async fn all_there(daemon: &mut Daemon, sink: &Sink, promised: &[String]) {
    settled(daemon).await;
    daemon.kill().await;
    daemon.start().await;
    let record = settled(daemon).await;
    let accepted = record.of("notification_accepted");
    for id in promised {
        let found = accepted.iter().filter(|e| e["id"] == id.as_str()).count();
        assert_eq!(found, 1, "{id} was accepted");
    }
    record.check(&[], &sink.counts());
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

/// A daemon whose state is on a disk of eight megabytes.
async fn on_a_small_disk(sink: &Sink, story: &str) -> Option<(Mounts, Daemon)> {
    let home = home(sink);
    fs::create_dir(home.state_dir()).unwrap();
    let mounts = Mounts::with_disk(&home.state_dir(), "8m", story).await?;
    let starter = mounts.starter();
    let starter: Vec<&str> = starter.iter().map(String::as_str).collect();
    let daemon = home.started_by(&starter).down();
    Some((mounts, daemon))
}

async fn fill(mounts: &Mounts, daemon: &Daemon) {
    let dir = daemon.state_dir();
    mounts.shell(&format!("cat /dev/zero > '{}/ballast'", dir.display())).await;
}

async fn free(mounts: &Mounts, daemon: &Daemon) {
    assert!(mounts.shell(&format!("rm '{}/ballast'", daemon.state_dir().display())).await);
}

#[tokio::test]
async fn f11_a_disk_that_fills_up_while_running() {
    let sink = sink().await;
    let Some((mounts, mut daemon)) = on_a_small_disk(&sink, "a full disk").await else { return };
    daemon.start().await;
    let mut promised = vec![id(&send(&daemon, "before").await.1)];
    fill(&mounts, &daemon).await;

    // What the journal has reserved goes first.
    let large = "x".repeat(60_000);
    for n in 0.. {
        let body = json!({ "subject": format!("large {n}"), "body": large }).to_string();
        let asked = daemon.try_request("POST", "/api/v1/notifications", &body);
        let (answer, status) = tokio::join!(asked, async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            let status = daemon.status().await;
            if status["emergency"] == true {
                assert_eq!((&status["state"], &status["ready"]), (&json!("failing"), &json!(false)));
                let (refused, why) = send(&daemon, "not now").await;
                assert_eq!((refused, &why["error"]["code"]), (503, &json!("OVERLOADED")), "{why}");
                assert!(why["error"]["retry_after_seconds"].is_u64(), "{why}");
                eventually("it says so itself", async || {
                    let (_, open) = daemon.try_request("GET", "/api/v1/incidents", "").await?;
                    let subjects = each(&open["incidents"], "subject");
                    subjects.iter().any(|s| s.contains("journal")).then_some(())
                })
                .await;
                free(&mounts, &daemon).await;
            }
            status
        });
        match answer.unwrap() {
            (202, answer) => promised.push(id(&answer)),
            (status, answer) => assert_eq!(status, 503, "{answer}"),
        }
        if status["emergency"] == true {
            break;
        }
        assert!(n < 200, "the disk never was full");
    }
    in_emergency(&daemon, false).await;
    promised.push(id(&send(&daemon, "after").await.1));
    all_there(&mut daemon, &sink, &promised).await;
    assert!(daemon.log().contains("emergency mode"));
}

/// What leaves without a record is not known to the next life: it goes once more, and says that it may be a repeat.
#[tokio::test]
async fn f11_what_left_in_emergency_mode_is_marked_by_the_next_life() {
    let sink = sink().await;
    let Some((mounts, mut daemon)) = on_a_small_disk(&sink, "an end in emergency mode").await else { return };
    daemon.start().await;
    let now: jiff::Timestamp = daemon.status().await["at"].as_str().unwrap().parse().unwrap();
    let at = (now + std::time::Duration::from_secs(8)).to_string();
    let body = json!({ "subject": "for later", "at": at }).to_string();
    let (_, later) = daemon.request("POST", "/api/v1/notifications", &body).await;
    let later = later["deliveries"][0]["id"].as_str().unwrap();
    fill(&mounts, &daemon).await;
    let large = json!({ "subject": "large", "body": "x".repeat(60_000) }).to_string();
    while daemon.status().await["emergency"] != true {
        let asked = daemon.try_request("POST", "/api/v1/notifications", &large);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(200), asked).await;
    }
    eventually("the message for later leaves", async || sink.counts().get(later).map(drop)).await;
    daemon.kill().await;
    free(&mounts, &daemon).await;
    daemon.start().await;
    eventually("it went once more", async || {
        let ended = daemon.ledger(&["delivery_ended", "unrecorded"]).await;
        ended.iter().any(|e| e["kind"] == "unrecorded").then_some(())
    })
    .await;
    let record = settled(&daemon).await;
    let this_life = record.of("unrecorded")[0]["seq"].as_u64().unwrap();
    let again: Vec<_> =
        record.of("attempt_started").into_iter().filter(|a| a["seq"].as_u64().unwrap() > this_life).collect();
    assert!(again.iter().any(|a| a["delivery"] == later), "{again:?}");
    assert!(again.iter().all(|a| a["possibly_duplicate"] == true), "{again:?}");

    // It is over: what comes next is no repeat, and the next start knows of nothing.
    assert_eq!(send(&daemon, "after").await.0, 202);
    settled(&daemon).await;
    daemon.kill().await;
    daemon.start().await;
    let record = settled(&daemon).await;
    assert_eq!(record.of("unrecorded").len(), 1);
    assert_eq!(record.of("attempt_started").last().unwrap()["possibly_duplicate"], Value::Null);
}

#[tokio::test]
async fn f11_an_attachment_that_does_not_fit_is_refused_and_holds_nobody_up() {
    let sink = sink().await;
    let Some((_mounts, mut daemon)) = on_a_small_disk(&sink, "an attachment without room").await else { return };
    daemon.start().await;
    let mut promised = vec![id(&send(&daemon, "before").await.1)];
    let file = |bytes: usize| {
        let text = STANDARD.encode(vec![b'x'; bytes]);
        let files = json!([{ "name": "plan.txt", "content_base64": text }]);
        json!({ "subject": format!("{bytes} bytes"), "attachments": files }).to_string()
    };
    let (status, why) = daemon.request("POST", "/api/v1/notifications", &file(3 << 20)).await;
    assert_eq!((status, &why["error"]["code"]), (503, &json!("OVERLOADED")), "{why}");
    let words = why["error"]["message"].as_str().unwrap();
    assert!(words.contains("no room for a request of 5 MiB; without attachments"), "{words}");
    let (status, answer) = daemon.request("POST", "/api/v1/notifications", &file(100_000)).await;
    assert_eq!(status, 202, "a small one fits: {answer}");
    promised.push(id(&answer));
    promised.push(id(&send(&daemon, "after").await.1));
    assert_eq!(daemon.status().await["emergency"], false);
    all_there(&mut daemon, &sink, &promised).await;
}

#[tokio::test]
async fn f12_a_disk_that_is_full_at_the_start() {
    let sink = sink().await;
    let Some((mounts, mut daemon)) = on_a_small_disk(&sink, "a full disk at the start").await else { return };
    daemon.start().await;
    let mut promised = vec![id(&send(&daemon, "before").await.1)];
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    // An end in order gives back what the journal has reserved.
    assert_eq!(daemon.stop().await, 0);
    fill(&mounts, &daemon).await;

    daemon.start().await;
    let large = json!({ "subject": "large", "body": "x".repeat(60_000) }).to_string();
    let (first, ()) = tokio::join!(daemon.request("POST", "/api/v1/notifications", &large), async {
        in_emergency(&daemon, true).await;
        assert_eq!(send(&daemon, "not now").await.0, 503);
        eventually("the second step comes all the same", async || {
            let (_, shown) = daemon.try_request("GET", "/api/v1/incidents/1", "").await?;
            (shown["step"] == 2).then_some(())
        })
        .await;
        free(&mounts, &daemon).await;
    });
    promised.extend((first.0 == 202).then(|| id(&first.1)));
    in_emergency(&daemon, false).await;
    all_there(&mut daemon, &sink, &promised).await;
}

#[tokio::test]
async fn f18_a_disk_that_becomes_read_only() {
    let sink = sink().await;
    let mut daemon = home(&sink).start().await;
    let mut promised = vec![id(&send(&daemon, "before").await.1)];
    let refuse = "pwrite64,fallocate,openat,fdatasync:error=EROFS";
    // Opening for reading goes on in life; nothing here opens a file anew meanwhile.
    let Some(tracer) = Tracer::on(daemon.pid(), refuse, "a disk that becomes read-only").await else { return };
    let (first, ()) = tokio::join!(send(&daemon, "at the wrong moment"), async {
        in_emergency(&daemon, true).await;
        assert_eq!(send(&daemon, "not now").await.0, 503);
        tracer.off().await;
    });
    promised.extend((first.0 == 202).then(|| id(&first.1)));
    in_emergency(&daemon, false).await;
    promised.push(id(&send(&daemon, "after").await.1));
    all_there(&mut daemon, &sink, &promised).await;
}

#[tokio::test]
async fn f18_a_disk_that_is_read_only_at_the_start() {
    let sink = sink().await;
    let Some((mounts, mut daemon)) = on_a_small_disk(&sink, "a read-only disk at the start").await else { return };
    daemon.start().await;
    let promised = vec![id(&send(&daemon, "before").await.1)];
    assert_eq!(daemon.stop().await, 0);
    let dir = daemon.state_dir();
    assert!(mounts.shell(&format!("mount -o remount,ro '{}'", dir.display())).await);
    let (code, words) = daemon.ends().await;
    assert_eq!(code, 75, "{words}");
    assert!(words.contains("Read-only file system") && words.contains(&dir.display().to_string()), "{words}");
    assert!(mounts.shell(&format!("mount -o remount,rw '{}'", dir.display())).await);
    daemon.start().await;
    all_there(&mut daemon, &sink, &promised).await;
}

#[tokio::test]
async fn f13_an_fdatasync_that_fails_once() {
    let sink = sink().await;
    let mut daemon = home(&sink).start().await;
    let mut promised = vec![id(&send(&daemon, "before").await.1)];
    let once = "fdatasync:error=EIO:when=1";
    let Some(tracer) = Tracer::on(daemon.pid(), once, "an fdatasync that fails").await else { return };
    for n in 0..5 {
        let (status, answer) = send(&daemon, &format!("message {n}")).await;
        assert_eq!(status, 202, "another segment takes it: {answer}");
        promised.push(id(&answer));
    }
    tracer.off().await;
    assert!(daemon.log().contains("a new one took its frames"), "{}", daemon.log());
    all_there(&mut daemon, &sink, &promised).await;
    assert!(segments(&daemon).len() >= 2, "the failed one is never written again");
}

#[tokio::test]
async fn f13_an_fdatasync_that_always_fails() {
    let sink = sink().await;
    let mut daemon = home(&sink).start().await;
    let mut promised = vec![id(&send(&daemon, "before").await.1)];
    let story = "an fdatasync that always fails";
    let Some(tracer) = Tracer::on(daemon.pid(), "fdatasync:error=EIO", story).await else { return };
    let (first, ()) = tokio::join!(send(&daemon, "at the wrong moment"), async {
        in_emergency(&daemon, true).await;
        assert_eq!(send(&daemon, "not now").await.0, 503);
        eventually("what was handed over leaves", async || (sink.counts().len() >= 2).then_some(())).await;
        tracer.off().await;
    });
    promised.extend((first.0 == 202).then(|| id(&first.1)));
    in_emergency(&daemon, false).await;
    promised.push(id(&send(&daemon, "after").await.1));
    all_there(&mut daemon, &sink, &promised).await;
}

#[tokio::test]
async fn f14_a_write_that_is_interrupted_or_refused() {
    let sink = sink().await;
    for fault in ["EINTR", "ENOSPC", "EIO"] {
        let mut daemon = home(&sink).start().await;
        let what = format!("pwrite64:error={fault}:when=1");
        let Some(tracer) = Tracer::on(daemon.pid(), &what, "a write that fails").await else { return };
        let mut promised = Vec::new();
        for n in 0..3 {
            let (status, answer) = send(&daemon, &format!("{fault} {n}")).await;
            assert_eq!(status, 202, "{fault}: {answer}");
            promised.push(id(&answer));
        }
        tracer.off().await;
        settled(&daemon).await;
        daemon.kill().await;
        daemon.start().await;
        let record = settled(&daemon).await;
        let there = record.of("notification_accepted");
        assert!(promised.iter().all(|id| there.iter().any(|e| e["id"] == id.as_str())), "{fault}");
    }
}

/// The limit of a file's size makes the system write a part of a frame, then refuse the rest.
#[tokio::test]
async fn f14_a_write_that_stops_in_the_middle_of_a_frame() {
    if !has("prlimit", "a short write") {
        return;
    }
    let sink = sink().await;
    let ignoring = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let mut daemon = home(&sink).started_by(&ignoring).start().await;
    let mut promised = Vec::new();
    let mut random = Random::of(14);
    for n in 0..8 {
        promised.push(id(&send(&daemon, &format!("whole {n}")).await.1));
        settled(&daemon).await;
        let end = end_of(segments(&daemon).last().unwrap());
        limit(&daemon, &(end + random.below(300)).to_string()).await;
        let (status, answer) = send(&daemon, &format!("torn {n}")).await;
        if status == 202 {
            promised.push(id(&answer));
        }
        limit(&daemon, "unlimited").await;
        in_emergency(&daemon, false).await;
    }
    all_there(&mut daemon, &sink, &promised).await;
}

async fn limit(daemon: &Daemon, size: &str) {
    let mut command = tokio::process::Command::new("prlimit");
    command.args(["--pid", &daemon.pid().to_string(), &format!("--fsize={size}:unlimited")]);
    assert!(command.status().await.unwrap().success());
}

fn segments(daemon: &Daemon) -> Vec<PathBuf> {
    let mut found = crate::harness::files_under(&daemon.state_dir().join("journal"));
    found.retain(|path| path.extension().is_some_and(|e| e == "journal"));
    found.sort();
    found
}

/// Behind the last byte that is no zero.
fn end_of(segment: &PathBuf) -> u64 {
    let bytes = fs::read(segment).unwrap();
    bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at as u64 + 1)
}

#[tokio::test]
async fn f19_a_flush_that_takes_seconds_delays_no_step() {
    let sink = sink().await;
    let mut daemon = home(&sink).start().await;
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    let slow = "fdatasync:delay_exit=7000000";
    let Some(tracer) = Tracer::on(daemon.pid(), slow, "a slow fdatasync").await else { return };
    let (first, ()) = tokio::join!(send(&daemon, "it has to wait"), async {
        in_emergency(&daemon, true).await;
        assert_eq!(send(&daemon, "not now").await.0, 503, "nothing new meanwhile");
        eventually("step 2 comes in its time", async || {
            let (_, shown) = daemon.try_request("GET", "/api/v1/incidents/1", "").await?;
            (shown["step"] == 2).then_some(())
        })
        .await;
        eventually("its message is out, while the disk still hangs", async || {
            let (_, told) = daemon.try_request("GET", "/api/v1/deliveries?incident=1", "").await?;
            let (ids, out) = (each(&told["deliveries"], "id"), sink.counts());
            (ids.len() >= 2 && ids.iter().all(|id| out.contains_key(id))).then_some(())
        })
        .await;
        tracer.off().await;
    });
    in_emergency(&daemon, false).await;
    let promised: Vec<String> = (first.0 == 202).then(|| id(&first.1)).into_iter().collect();
    all_there(&mut daemon, &sink, &promised).await;
}
