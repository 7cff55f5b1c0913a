//! Answers that never came: what the provider has is not sent again, and what may be a second one
//! says so.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::{Value, json};

const LOW: &str = "[levels.low]\nchannels = [\"sms\"]\n";

async fn up(more: &str) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(more)).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

fn made(standins: &Standins) -> usize {
    standins.recorded("twilio").iter().filter(|r| r.method == "POST").count()
}

/// The delivery, once it has ended.
async fn ended(daemon: &Daemon, id: &str) -> Value {
    eventually("the delivery ends", async || {
        let shown = daemon.ok(&["deliveries", "show", id]).await;
        ["sent", "delivered", "dead"].contains(&shown["status"].as_str().unwrap()).then_some(shown)
    })
    .await
}

#[tokio::test]
async fn f32_an_answer_cut_after_acceptance_is_found_at_twilio_and_not_sent_twice() {
    let (standins, daemon) = up(LOW).await;
    for (level, n) in [("low", 1), ("urgent", 2)] {
        standins.set_times("twilio", Fault::CutAfter, 1);
        let send = ["send", "--level", level, "--subject", "disk full", "--channel", "sms", "--wait"];
        let sent = daemon.ok(&send).await;
        let delivery = &sent["deliveries"][0];
        assert_eq!(delivery["status"], "sent", "{sent}");
        let attempts = delivery["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1, "{sent}");
        assert!(attempts[0]["provider_message_id"].as_str().unwrap().starts_with("SM"), "{sent}");
        assert_eq!(attempts[0]["class"], "PROVIDER_ERROR", "what the attempt itself heard stays said");
        assert_eq!(made(&standins), n, "asked for, not sent again");
        let explained = daemon.ok(&["explain", delivery["id"].as_str().unwrap()]).await;
        let because = each(&explained["steps"], "because");
        assert!(because.iter().any(|b| b.contains("Twilio has it")), "{because:?}");
    }
}

#[tokio::test]
async fn f32_one_that_was_in_flight_at_a_kill_is_asked_for_before_it_goes_again() {
    let (standins, mut daemon) = up(LOW).await;
    standins.set("twilio", Fault::Slow { millis: 20_000 });
    let sent = daemon.ok(&["send", "--subject", "disk full"]).await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap().to_owned();
    standins.wait_for("twilio", 1).await;
    daemon.kill().await;
    standins.set("twilio", Fault::None);
    daemon.start().await;
    let shown = ended(&daemon, &id).await;
    assert_eq!((&shown["status"], shown["attempts"].as_array().unwrap().len()), (&json!("sent"), 1), "{shown}");
    assert_eq!(made(&standins), 1);
}

#[tokio::test]
async fn f32_where_nobody_can_be_asked_it_goes_again_under_the_same_key_and_is_marked() {
    let (standins, daemon) = up(ways::BY_HOOK).await;
    standins.set_times("hook", Fault::CutAfter, 1);
    let sent = daemon.ok(&["send", "--subject", "x", "--wait"]).await;
    let delivery = &sent["deliveries"][0];
    assert_eq!(delivery["status"], "delivered");
    let marks: Vec<&Value> =
        delivery["attempts"].as_array().unwrap().iter().map(|a| &a["possibly_duplicate"]).collect();
    assert_eq!(marks, [false, true], "{sent}");
    let keys = standins.recorded("hook").into_iter().map(|r| r.headers["idempotency-key"].clone());
    assert_eq!(keys.collect::<Vec<_>>(), [delivery["id"].as_str().unwrap(); 2]);
}

/// What ends the daemon looks like this from outside, too.
#[tokio::test]
async fn f50_in_flight_alone_at_three_kills_in_a_row_it_is_a_dead_letter_with_an_incident() {
    let hang = "[levels.low]\nchannels = [\"chat\"]\n";
    let config = ways::and(hang).replace("[channels.hook]\n", "[channels.hook]\ntimeout = \"5m\"\n");
    let standins = Standins::start().await;
    standins.set("hook", Fault::Hang);
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let sent = daemon.ok(&["send", "--subject", "poison", "--channel", "hook"]).await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap().to_owned();
    for kill in 1..=3 {
        standins.wait_for("hook", kill).await;
        if kill == 3 {
            // Last and alone: what has no hurry waits for it, what has goes at once.
            let waits = daemon.ok(&["send", "--subject", "no hurry"]).await;
            assert_eq!(waits["deliveries"][0]["status"], "ready", "{waits}");
            let goes = daemon.ok(&["send", "--level", "high", "--subject", "hurry", "--wait"]).await;
            assert_eq!(goes["deliveries"][0]["status"], "delivered", "{goes}");
        }
        daemon.kill().await;
        daemon.start().await;
    }
    let shown = ended(&daemon, &id).await;
    assert_eq!(shown["status"], "dead");
    assert!(shown["reason"].as_str().unwrap().starts_with("poison"), "{shown}");
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 3);
    let listed = daemon.ok(&["dlq", "list"]).await;
    assert_eq!(each(&listed["deliveries"], "id"), [id.as_str()]);
    let open = daemon.ok(&["incidents", "list"]).await;
    assert_eq!(each(&open["incidents"], "fingerprint"), ["self/poison"]);
    eventually("the one without hurry has gone", async || {
        (daemon.status().await["queue"]["pending"] == 0).then_some(())
    })
    .await;
    assert_eq!(standins.recorded("hook").len(), 3, "never again");
}
