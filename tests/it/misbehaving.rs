//! Providers that fail in every way that providers do.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::{Value, json};
use std::time::Duration;

/// The delivery, when it is as wanted.
async fn becomes(daemon: &Daemon, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let shown = daemon.ok(&["deliveries", "show", id]).await;
        is(&shown).then_some(shown)
    })
    .await
}

fn id_of(sent: &Value) -> String {
    sent["deliveries"][0]["id"].as_str().unwrap().to_owned()
}

struct Case {
    name: &'static str,
    fault: Fault,
    class: &'static str,
    channel: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |name, fault, class, channel| Case { name, fault, class, channel };
    let later = Fault::Status { status: 429, retry_after: Some("1".into()), body: None };
    vec![
        case("unauthorised", Fault::status(401), "AUTH_ERROR", "dead"),
        case("limited", later, "RATE_LIMITED", "suspect"),
        case("broken", Fault::status(500), "PROVIDER_ERROR", "suspect"),
        case("hanging", Fault::Hang, "TIMEOUT", "suspect"),
        case("cut", Fault::CutAfter, "PROVIDER_ERROR", "suspect"),
        case("unreachable", Fault::CutBefore, "PROVIDER_ERROR", "suspect"),
    ]
}

/// Every one of them fails at the same time; the seventh is well. Each failure has its class, no
/// message is lost, and none delays the others.
#[tokio::test]
async fn f40_six_ways_that_fail_as_a_whole_keep_their_messages_until_they_are_back() {
    let mut config = String::from("[channels.well]\nkind = \"webhook\"\nurl = \"${WELL}\"\n");
    let well = Standins::start().await;
    let mut home_environment = vec![("WELL".to_owned(), well.addresses().hook.clone())];
    let mut troubled = Vec::new();
    for case in cases() {
        let (name, variable) = (case.name, case.name.to_uppercase());
        config += &format!("[channels.{name}]\nkind = \"webhook\"\nurl = \"${{{variable}}}\"\ntimeout = \"1s\"\n");
        let standins = Standins::start().await;
        standins.set("hook", case.fault.clone());
        home_environment.push((variable, standins.addresses().hook.clone()));
        troubled.push((case, standins));
    }
    config += "[levels.low]\nchannels = [\"well\"]\n";
    let daemon = Home::new(&config).envs(home_environment).start().await;

    let mut waiting = Vec::new();
    for (case, standins) in &troubled {
        let sent = daemon.ok(&["send", "--subject", case.name, "--channel", case.name]).await;
        waiting.push((case, standins, id_of(&sent)));
    }
    let quick = daemon.ok(&["send", "--subject", "past them all", "--wait"]).await;
    assert_eq!(quick["status"], "delivered");

    for (case, _, id) in &waiting {
        let failed = |d: &Value| !d["attempts"][0]["finished_at"].is_null();
        let shown = becomes(&daemon, id, case.name, failed).await;
        assert_eq!(shown["attempts"][0]["class"], case.class, "{}: {shown}", case.name);
        assert!(!shown["attempts"][0]["error"].as_str().unwrap().is_empty(), "{shown}");
    }
    let channels = daemon.ok(&["channels", "list"]).await;
    for row in channels["channels"].as_array().unwrap() {
        if let Some((case, ..)) = waiting.iter().find(|(c, ..)| row["name"] == c.name) {
            let right = [case.channel, "dead"].contains(&row["status"].as_str().unwrap());
            assert!(right, "{}: {row}", case.name);
        } else {
            assert_eq!(row["status"], "ok", "{row}");
        }
    }
    for (_, standins, _) in &waiting {
        standins.well("hook");
    }
    for (case, _, id) in &waiting {
        let end = becomes(&daemon, id, case.name, |d| d["status"] == "delivered").await;
        assert!(end["attempts"].as_array().unwrap().len() >= 2, "{end}");
        let lost = !["unauthorised", "limited"].contains(&case.name);
        // A connection that is closed at once may be seen to be before anything is sent over it.
        if case.name != "unreachable" {
            assert_eq!(end["attempts"][1]["possibly_duplicate"], lost, "only where it may have been taken: {end}");
        }
    }
    let channels = daemon.ok(&["channels", "list"]).await;
    assert!(each(&channels["channels"], "status").iter().all(|s| s == "ok"), "{channels}");
}

#[tokio::test]
async fn f39_refused_credentials_take_the_fallback_at_once_within_one_delivery() {
    let standins = Standins::start().await;
    let config = ways::and(
        r#"
        [channels.proud-sms]
        kind        = "twilio-sms"
        base_url    = "${TWILIO_URL}"
        account_sid = "${TWILIO_ACCOUNT_SID}"
        auth_token  = "${TWILIO_AUTH_TOKEN}"
        from        = "+15550099"
        fallback    = "mail"
        [levels.low]
        channels = ["mail"]
        "#,
    );
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    standins.revoke_twilio(true);
    let sent =
        daemon.ok(&["send", "--subject", "another way", "--to", "alice", "--channel", "proud-sms", "--wait"]).await;
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), 1, "one delivery, two ways: {sent}");
    let delivery = &sent["deliveries"][0];
    assert_eq!(each(&delivery["attempts"], "channel"), ["proud-sms", "mail"]);
    assert_eq!(delivery["attempts"][0]["class"], "AUTH_ERROR");
    assert!(delivery["attempts"][0]["error"].as_str().unwrap().contains("Authenticate"), "the provider's own words");
    assert_eq!(standins.recorded("smtp")[0].path, "alice@example.org", "the same person by the other medium");

    let next = daemon.ok(&["send", "--subject", "straight", "--to", "alice", "--channel", "proud-sms", "--wait"]).await;
    assert_eq!(each(&next["deliveries"][0]["attempts"], "channel"), ["mail"], "a dead way is not tried again");
}

#[tokio::test]
async fn f40_a_storm_of_503_is_not_answered_with_another_and_all_is_out_when_it_ends() {
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    standins.set("hook", Fault::status(503));
    let mut sent = Vec::new();
    for n in 0..40 {
        sent.push(id_of(&daemon.ok(&["send", "--subject", &format!("message {n}")]).await));
    }
    // Long enough for each to be tried several times, were they all let loose.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let refused = standins.recorded("hook").len();
    assert!(refused < 40, "{refused} attempts at a channel that answers 503 to each");
    standins.well("hook");
    for id in &sent {
        becomes(&daemon, id, "out", |d| d["status"] == "delivered").await;
    }
    let taken = standins.recorded("hook").iter().filter(|r| r.status == 200).count();
    assert_eq!(taken, sent.len(), "each once");
}

/// A listener whose queue is full: what else comes is dropped, as by a firewall.
async fn swallowing() -> (tokio::net::TcpListener, Vec<tokio::net::TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let connect = || tokio::net::TcpStream::connect(listener.local_addr().unwrap());
    let mut open = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(200), connect()).await {
        open.push(stream.unwrap());
    }
    (listener, open)
}

#[tokio::test]
async fn f46_a_primary_provider_that_is_down_costs_an_urgent_message_less_than_ten_seconds() {
    let (standins, broken) = (Standins::start().await, Standins::start().await);
    broken.set("hook", Fault::status(503));
    let (hole, _open) = swallowing().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let primaries = [
        ("refusing", format!("http://{closed}/")),
        ("broken", broken.addresses().hook.clone()),
        ("swallowing", format!("http://{}/", hole.local_addr().unwrap())),
    ];
    let primary = |(name, url): &(&str, String)| {
        format!("[channels.{name}]\nkind = \"webhook\"\nurl = \"{url}\"\nfallback = \"hook\"\n")
    };
    let config = ways::and(&(primaries.iter().map(primary).collect::<String>() + ways::BY_HOOK));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    for (name, _) in &primaries {
        let sent =
            daemon.ok(&["send", "--level", "urgent", "--subject", "x", "--channel", name, "--wait"]).await["deliveries"]
                [0]
            .clone();
        assert_eq!(each(&sent["attempts"], "channel"), [*name, "hook"], "{sent}");
        // As it is recorded: from the acceptance to the beginning of the second attempt.
        let at = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let after = at(&sent["attempts"][1]["started_at"]).duration_since(at(&sent["created_at"]));
        assert!(after.as_secs_f64() < 10.0, "{name}: {sent}");
    }
}

#[tokio::test]
async fn a_wrong_number_is_dead_at_once_and_takes_no_fallback() {
    let standins = Standins::start().await;
    let config = ways::and(ways::BY_HOOK);
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let sent = daemon.exits(1, &["send", "--subject", "x", "--to", "+15005550001", "--channel", "sms", "--wait"]).await;
    let delivery = &sent["deliveries"][0];
    assert_eq!((&delivery["status"], &sent["status"]), (&json!("dead"), &json!("failed")));
    assert_eq!(delivery["attempts"][0]["class"], "VALIDATION_ERROR");
    assert!(delivery["reason"].is_string(), "{delivery}");
    let status = daemon.status().await;
    assert_eq!(status["queue"]["dead"], 1);
    assert_eq!(status["state"], "degraded", "{status}");
    let partly = daemon
        .exits(1, &["send", "--subject", "x", "--to", "+15005550001", "--to", "bob", "--channel", "sms", "--wait"])
        .await;
    assert_eq!(partly["status"], "partly");
}

#[tokio::test]
async fn f37_a_success_with_an_error_inside_is_none() {
    let standins = Standins::start().await;
    let config = ways::and(ways::BY_HOOK);
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    for (service, channel) in [("slack", "chat"), ("twilio", "sms")] {
        standins.set_times(service, Fault::ErrorInside, 1);
        let sent = daemon.ctl(&["send", "--subject", "x", "--channel", channel]).await.json();
        let tried = |d: &Value| !d["attempts"][0]["finished_at"].is_null();
        let shown = becomes(&daemon, &id_of(&sent), channel, tried).await;
        assert!(shown["attempts"][0]["class"].is_string(), "{shown}");
    }
}

#[tokio::test]
async fn a_channel_that_hangs_delays_no_other_and_its_queue_is_seen() {
    let standins = Standins::start().await;
    let config = ways::and("[levels.low]\nchannels = [\"chat\"]\n")
        .replace("[channels.hook]\n", "[channels.hook]\nslots = 1\ntimeout = \"20s\"\n");
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    standins.set("hook", Fault::Hang);
    for n in 0..5 {
        daemon.ok(&["send", "--subject", &format!("into the void {n}"), "--channel", "hook"]).await;
    }
    standins.wait_for("hook", 1).await;
    for n in 0..5 {
        let sent = daemon.ok(&["send", "--subject", &format!("past it {n}"), "--wait"]).await;
        assert_eq!(sent["status"], "delivered");
    }
    let channels = daemon.ok(&["channels", "list"]).await;
    let hook = channels["channels"].as_array().unwrap().iter().find(|c| c["name"] == "hook").unwrap();
    assert_eq!((&hook["in_flight"], &hook["pending"]), (&json!(1), &json!(5)), "{hook}");
    let pending = daemon.ctl(&["send", "--subject", "x", "--channel", "hook", "--wait=1s"]).await;
    assert_eq!(pending.code, 6, "--wait ended with something pending: {pending:?}");
}

#[tokio::test]
async fn urgent_stands_before_low_in_the_queue() {
    let standins = Standins::start().await;
    let config = ways::and(ways::BY_HOOK).replace("[channels.hook]\n", "[channels.hook]\nslots = 1\n");
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    standins.set("hook", Fault::Slow { millis: 400 });
    for (level, subject) in [("low", "first"), ("low", "second"), ("low", "third"), ("urgent", "urgent")] {
        daemon.ok(&["send", "--level", level, "--subject", subject]).await;
    }
    let got = standins.wait_for("hook", 4).await;
    let subjects: Vec<String> =
        got.iter().map(|r| serde_json::from_str::<Value>(&r.body).unwrap()["subject"].to_string()).collect();
    let place = |word: &str| subjects.iter().position(|s| s.contains(word)).unwrap();
    assert!(place("urgent") < place("third"), "{subjects:?}");
}
