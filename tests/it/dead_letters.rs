//! What no way could deliver: told of by another way, listed, sent once more, given up.

use crate::harness::ways;
use crate::harness::{Home, each, eventually};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::{Value, json};

const HIGH: &str = r#"
[levels.low]
channels = ["chat"]
[levels.high]
channels = ["hook", "chat"]
"#;

fn refused() -> Fault {
    Fault::Status { status: 422, retry_after: None, body: Some("no such field".into()) }
}

#[tokio::test]
async fn a_dead_letter_is_told_of_by_another_channel_and_goes_once_more_after_a_kill() {
    let standins = Standins::start().await;
    standins.set("hook", refused());
    let mut daemon = Home::new(&ways::and(HIGH)).envs(ways::environment(&standins)).start().await;

    let opened = daemon.ok(&["page", "--level", "high", "--subject", "disk full", "--policy", "none"]).await;
    let number = opened["number"].to_string();
    let letter = eventually("the dead letter", async || {
        let listed = daemon.ok(&["dlq", "list"]).await;
        let first = listed["deliveries"].get(0).cloned();
        assert_eq!(listed["next_cursor"], Value::Null);
        first
    })
    .await;
    assert_eq!(
        (&letter["channel"], &letter["status"], &letter["incident"]),
        (&json!("hook"), &json!("dead"), &opened["number"])
    );
    assert!(letter["reason"].as_str().unwrap().starts_with("VALIDATION_ERROR"), "{letter}");
    let id = letter["id"].as_str().unwrap();

    // By chat, and never by the hook that it is about.
    let about = eventually("the incident about it", async || {
        let open = daemon.ok(&["incidents", "list"]).await;
        open["incidents"].as_array().unwrap().iter().find(|i| i["fingerprint"] == "self/dead-letters-hook").cloned()
    })
    .await;
    assert_eq!((&about["level"], &about["labels"]["channel"]), (&json!("high"), &json!("hook")));
    let shown = daemon.ok(&["incidents", "show", &about["number"].to_string()]).await;
    assert_eq!(each(&shown["notified"], "channel"), ["chat"]);

    let status = daemon.status().await;
    assert_eq!(status["queue"]["dead"], 1);
    let asked = b"GET /metrics HTTP/1.1\r\nHost: stentor\r\nConnection: close\r\n\r\n";
    let (_, metrics) = daemon.raw(asked).await.unwrap();
    assert!(metrics.contains("\nstentor_queue_dead 1"), "{metrics}");
    let stats = daemon.ok(&["ledger", "stats"]).await;
    assert_eq!(stats["by_channel"]["hook"]["dead"], 1, "{stats}");

    // Over and killed: it is still there, and has all that it needs.
    standins.set("hook", Fault::None);
    daemon.ok(&["resolve", &number]).await;
    daemon.kill().await;
    daemon.start().await;
    let before = standins.recorded("hook");
    let requeued = daemon.ok(&["dlq", "requeue", &id[20..]]).await;
    assert_eq!((&requeued["requeued"], &requeued["deliveries"][0]["id"]), (&json!(1), &letter["id"]));
    eventually("it is delivered", async || {
        (daemon.ok(&["deliveries", "show", id]).await["status"] == "delivered").then_some(())
    })
    .await;
    let again: Vec<_> = standins.recorded("hook").into_iter().filter(|r| r.headers["idempotency-key"] == id).collect();
    assert_eq!(again.len(), 2, "once refused, once taken: {before:?}");
    assert_eq!(again[0].body, again[1].body, "the same key has the same content");
    eventually("nothing is left to tell of", async || {
        let open = daemon.ok(&["incidents", "list"]).await;
        open["incidents"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    let left = daemon.ok(&["dlq", "list"]).await;
    assert_eq!(daemon.status().await["queue"]["dead"], 0, "{left}");
    let stats = daemon.ok(&["ledger", "stats"]).await;
    assert_eq!(stats["by_channel"]["hook"]["dead"].as_i64().unwrap_or(0), 0, "it is no failure any more: {stats}");
}

#[tokio::test]
async fn all_at_once_or_given_up_one_by_one() {
    let standins = Standins::start().await;
    standins.set("hook", refused());
    let daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let sent = daemon.exits(1, &["send", "--level", "low", "--subject", &format!("m{n}"), "--wait"]).await;
        ids.push(sent["deliveries"][0]["id"].as_str().unwrap().to_owned());
    }
    let dropped = daemon.ok(&["dlq", "drop", &ids[0]]).await;
    assert_eq!(dropped["deliveries"][0]["status"], "dead");
    assert!(dropped["deliveries"][0]["reason"].as_str().unwrap().ends_with("(dropped)"), "{dropped}");
    daemon.exits(2, &["dlq", "requeue", &ids[0]]).await;
    daemon.exits(3, &["dlq", "requeue", "ZZZZZZZZ"]).await;
    daemon.exits(2, &["dlq", "requeue", &ids[1], "--all"]).await;

    let page = daemon.ok(&["dlq", "list", "--limit", "1"]).await;
    assert_eq!(each(&page["deliveries"], "id"), [ids[1].as_str()]);
    let rest = daemon.ok(&["dlq", "list", "--cursor", page["next_cursor"].as_str().unwrap()]).await;
    assert_eq!(each(&rest["deliveries"], "id"), [ids[2].as_str()]);

    standins.set("hook", Fault::None);
    let all = daemon.ok(&["dlq", "requeue", "--all"]).await;
    assert_eq!((&all["requeued"], &all["held"]), (&json!(2), &json!(0)));
    eventually("both are delivered", async || {
        let delivered = daemon.ok(&["deliveries", "list", "--status", "delivered"]).await;
        (delivered["deliveries"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    let none = daemon.ctl_text(&["dlq", "list"]).await;
    assert_eq!((none.code, none.out.as_str()), (0, "no dead letters\n"));
    let none = daemon.ctl_text(&["dlq", "requeue", "--all"]).await;
    assert_eq!((none.code, none.out.as_str()), (0, "no dead letter was requeued\n"));
    let explained = daemon.ok(&["explain", &ids[1]]).await;
    assert!(each(&explained["steps"], "because").iter().any(|b| b.contains("requeued")), "{explained}");
}
