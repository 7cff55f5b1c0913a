//! The config while it is being edited: half a file, a machine without inotify, a hundred reloads in the
//! middle of everything.

use crate::harness::ways;
use crate::harness::{Home, alone, each, eventually, shell, skip};
use crate::standins::Standins;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn with_channel(name: &str, more: &str) -> String {
    ways::and(&format!("{}\n[channels.{name}]\nkind = \"slack\"\nsimulate = true\n{more}", ways::BY_HOOK))
}

#[tokio::test]
async fn f53_half_a_file_changes_nothing_until_the_other_half_is_there() {
    let standins = Standins::start().await;
    let daemon = Home::new(&with_channel("before", "")).envs(ways::environment(&standins)).start().await;
    let whole = with_channel("after", "");
    // Cut within a text, as a full disk or a slow copy leaves it.
    let half = whole.find("standard").or(whole.find("webhook_url")).unwrap() + 5;
    fs::write(daemon.config(), &whole[..half]).unwrap();
    let status = eventually("half a file is refused", async || {
        let status = daemon.status().await;
        (!status["config"]["last_error"].is_null()).then_some(status)
    })
    .await;
    assert_eq!(status["state"], "degraded", "{status}");
    let names = each(&daemon.ok(&["channels", "list"]).await["channels"], "name");
    assert!(names.contains(&"before".to_owned()) && !names.contains(&"after".to_owned()), "{names:?}");
    assert_eq!(daemon.ok(&["send", "--subject", "meanwhile", "--wait"]).await["status"], "delivered");
    fs::write(daemon.config(), &whole).unwrap();
    eventually("the whole file is in force", async || {
        let names = each(&daemon.ok(&["channels", "list"]).await["channels"], "name");
        names.contains(&"after".to_owned()).then_some(())
    })
    .await;
    assert_eq!(daemon.status().await["config"]["last_error"], Value::Null);
}

#[tokio::test]
async fn f54_without_inotify_it_says_so_and_reloads_when_it_is_asked() {
    if !alone("editing::f54_without_inotify_it_says_so_and_reloads_when_it_is_asked").await {
        return;
    }
    if let Err(why) = shell("echo 0 > /proc/sys/user/max_inotify_instances").await {
        return skip("a machine without inotify", &why);
    }
    let standins = Standins::start().await;
    let daemon = Home::new(&with_channel("before", "")).envs(ways::environment(&standins)).start().await;
    eventually("it is said", async || daemon.log().contains("cannot be watched").then_some(())).await;
    daemon.write_config(&with_channel("after", ""));
    let told = daemon.ok(&["reload"]).await;
    assert!(told["changed"].to_string().contains("after"), "{told}");
}

#[tokio::test]
async fn f55_a_hundred_reloads_under_load_lose_and_double_nothing() {
    let standins = Standins::start().await;
    let policy = "[levels.high]\nchannels = [\"hook\"]\npolicy = \"page\"\n[policies.page]\nrepeat = 0\n\
                  steps = [{ after = \"0s\", channels = [\"hook\"] }, { after = \"5s\", channels = [\"chat\"] }]\n";
    let config = |n: usize| with_channel(&format!("number-{n}"), policy);
    let daemon = Arc::new(Home::new(&config(0)).envs(ways::environment(&standins)).start().await);
    let mut opened = Vec::new();
    for n in 0..3 {
        let subject = format!("open all the while {n}");
        opened.push(daemon.ok(&["page", "--level", "high", "--subject", &subject]).await["number"].to_string());
    }

    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (daemon, over) = (daemon.clone(), over.clone());
            tokio::spawn(async move {
                let mut accepted = Vec::new();
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let body = json!({ "level": "low", "subject": format!("caller {caller}, message {n}") });
                    let (status, answer) = daemon.request("POST", "/api/v1/notifications", &body.to_string()).await;
                    assert_eq!(status, 202, "{answer}");
                    accepted.push(answer["deliveries"][0]["id"].as_str().unwrap().to_owned());
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                accepted
            })
        })
        .collect();
    for n in 1..=100 {
        daemon.write_config(&config(n));
        let (status, told) = daemon.request("POST", "/api/v1/reload", "").await;
        assert_eq!((status, &told["ok"]), (200, &json!(true)), "{told}");
    }
    over.store(true, Ordering::Relaxed);
    let mut accepted = Vec::new();
    for caller in callers {
        accepted.extend(caller.await.unwrap());
    }
    let all = opened.len() + accepted.len();
    let got = standins.wait_for("hook", all).await;
    standins.wait_for("slack", opened.len()).await;

    let mut times = BTreeMap::<String, usize>::new();
    for request in &got {
        *times.entry(request.headers["idempotency-key"].clone()).or_default() += 1;
    }
    assert_eq!((times.len(), got.len()), (all, all), "each once");
    assert!(accepted.iter().all(|id| times.contains_key(id)));
    assert_eq!(standins.recorded("slack").len(), opened.len(), "each second step once, too");
    for number in &opened {
        let incident = daemon.ok(&["incidents", "show", number]).await;
        assert_eq!((&incident["status"], &incident["step"]), (&json!("open"), &json!(2)), "{incident}");
        let at = |row: &Value| row["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let of = |kind| {
            let (daemon, number) = (daemon.clone(), incident["id"].clone());
            async move {
                let mut rows = daemon.ledger(&[kind]).await;
                rows.retain(|row| row["id"] == number);
                rows
            }
        };
        let (opened, stepped) = (of("incident_opened").await, of("incident_stepped").await);
        assert_eq!((opened.len(), stepped.len()), (1, 2), "{stepped:?}");
        let after = at(&stepped[1]).duration_since(at(&opened[0])).as_secs_f64();
        assert!(after >= 5.0, "not before its time: {after}");
    }
    let applied = daemon.ledger(&["config_applied"]).await.len();
    assert!((100..=110).contains(&applied), "{applied} configs applied");
}
