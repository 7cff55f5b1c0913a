//! Calls: keys, a menu, voice mail, nobody at home.

use super::{Called, PUBLIC, delivery, nth_post, posts, until, up};
use crate::harness::{each, eventually};
use crate::standins::callbacks::{call_status, key, twilio};
use serde_json::{Value, json};

const PAGE: &str = "[levels.low]\nchannels = [\"hook\"]\n[levels.urgent]\nchannels = [\"hook\"]\npolicy = \"page\"\n\
    [policies.page]\nrepeat = 0\nevery = \"1h\"\nsteps = [\n\
    { after = \"0s\", channels = [\"call\"], to = [\"alice\"] },\n\
    { after = \"30m\", channels = [\"call\"], to = [\"bob\"] },\n]\n";

/// An incident for which Alice's telephone rings: its number, the call, its sid, and where keys go.
struct Ringing {
    number: String,
    id: String,
    sid: String,
    status: String,
    keys: String,
    twiml: String,
}

async fn ring(called: &Called) -> Ringing {
    let before = posts(&called.standins, "twilio").len();
    let opened = called.daemon.ok(&["page", "--subject", "disk <full> & hot"]).await;
    let number = opened["number"].to_string();
    let request = nth_post(called, "twilio", before).await;
    let listed = called.daemon.ok(&["deliveries", "list", "--incident", &number]).await;
    let id = each(&listed["deliveries"], "id")[0].clone();
    let shown = until(called, &id, "submitted").await;
    let sid = shown["attempts"][0]["provider_message_id"].as_str().unwrap().to_owned();
    let twiml = request.form["Twiml"].clone();
    let keys = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    Ringing { number, id, sid, status: request.form["StatusCallback"].clone(), keys, twiml }
}

async fn incident(called: &Called, number: &str) -> Value {
    called.daemon.ok(&["incidents", "show", number]).await
}

#[tokio::test]
async fn f71_a_key_acknowledges_once_and_the_same_call_later_does_nothing() {
    let called = up("1h", PAGE).await;
    let call = ring(&called).await;
    assert_eq!(call.twiml.matches("disk &lt;full&gt; &amp; hot").count(), 2, "{}", call.twiml);
    assert!(
        call.twiml.contains("Press 4 to acknowledge, 6 to resolve, 5 to escalate, star to repeat."),
        "{}",
        call.twiml
    );
    assert!(call.keys.starts_with(&format!("{PUBLIC}/cb/twilio/gather/")), "{}", call.keys);
    call_status(&call.status, &call.sid, "in-progress").at(&called.address).await;
    for digits in ["*", "9", ""] {
        let (status, twiml) = key(&call.keys, &call.sid, digits).at(&called.address).await;
        assert_eq!(status, 200);
        assert!(twiml.contains("<Gather") && twiml.contains("disk &lt;full&gt;"), "{digits}: {twiml}");
        assert_eq!(twiml.contains("There is no such key."), digits == "9", "{twiml}");
        assert_eq!(incident(&called, &call.number).await["status"], "open");
    }
    let pressed = key(&call.keys, &call.sid, "4");
    let (status, twiml) = pressed.at(&called.address).await;
    assert!(status == 200 && twiml.contains("Acknowledged alarm one.") && twiml.contains("<Hangup/>"), "{twiml}");
    let shown = incident(&called, &call.number).await;
    assert_eq!((&shown["status"], &shown["acknowledged_by"]), (&json!("acknowledged"), &json!("alice")), "{shown}");
    let acknowledged = called.daemon.ledger(&["incident_acknowledged"]).await;
    assert_eq!(acknowledged[0]["via"], "call", "{acknowledged:?}");
    call_status(&call.status, &call.sid, "completed").at(&called.address).await;
    assert_eq!(delivery(&called, &call.id).await["status"], "delivered");
    assert!(posts(&called.standins, "twilio").iter().all(|r| !r.form.contains_key("Status")), "their own call goes on");
    // The same bytes when it calls again: nothing.
    called.daemon.ok(&["unack", &call.number]).await;
    let (_, twiml) = pressed.at(&called.address).await;
    assert!(twiml.contains("already"), "{twiml}");
    assert_eq!(incident(&called, &call.number).await["status"], "open", "f71: a call of yesterday does nothing");
}

#[tokio::test]
async fn six_resolves_five_escalates_and_a_call_of_another_is_hung_up() {
    let called = up("1h", PAGE).await;
    let call = ring(&called).await;
    let before = posts(&called.standins, "twilio").len();
    let (_, twiml) = key(&call.keys, &call.sid, "5").at(&called.address).await;
    assert!(twiml.contains("Escalated alarm"), "{twiml}");
    let bobs = nth_post(&called, "twilio", before).await;
    assert_eq!(bobs.form["To"], "+15550101");
    let (_, twiml) = key(&call.keys, &call.sid, "6").at(&called.address).await;
    assert!(twiml.contains("already"), "the keys of a call can be used once: {twiml}");
    let keys = bobs.form["Twiml"].split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let sid = eventually("Bob's call is there", async || {
        let listed =
            called.daemon.ok(&["deliveries", "list", "--incident", &call.number, "--status", "submitted"]).await;
        let all = listed["deliveries"].as_array().unwrap().clone();
        let bobs = all.iter().find(|d| d["recipient"] == "bob")?;
        Some(bobs["attempts"][0]["provider_message_id"].as_str()?.to_owned())
    })
    .await;
    let (_, twiml) = key(&keys, &sid, "6").at(&called.address).await;
    assert!(twiml.contains("Resolved alarm"), "{twiml}");
    let shown = incident(&called, &call.number).await;
    assert_eq!((&shown["status"], &shown["resolved_by"]), (&json!("resolved"), &json!("bob")), "{shown}");
    let ended = eventually("Alice's telephone stops ringing", async || {
        posts(&called.standins, "twilio").into_iter().find(|r| r.path.ends_with(&format!("/Calls/{}.json", call.sid)))
    })
    .await;
    assert_eq!(ended.form["Status"], "canceled");
    call_status(&call.status, &call.sid, "canceled").at(&called.address).await;
    let shown = delivery(&called, &call.id).await;
    assert_eq!(shown["status"], "superseded", "{shown}");
    let (_, twiml) = key(&keys, &sid, "4").at(&called.address).await;
    assert!(twiml.contains("<Hangup/>"), "{twiml}");
}

#[tokio::test]
async fn f43_voice_mail_and_nobody_at_home_are_no_acknowledgement_and_no_failure() {
    let called = up("1h", PAGE).await;
    let machine = ring(&called).await;
    call_status(&machine.status, &machine.sid, "completed").at(&called.address).await;
    assert_eq!(delivery(&called, &machine.id).await["status"], "delivered", "told");
    for (status, reason) in [("no-answer", "no answer"), ("busy", "busy")] {
        let call = ring(&called).await;
        call_status(&call.status, &call.sid, status).at(&called.address).await;
        let shown = delivery(&called, &call.id).await;
        assert_eq!((&shown["status"], &shown["reason"]), (&json!("sent"), &json!(reason)), "{shown}");
        let shown = incident(&called, &call.number).await;
        assert_eq!(shown["status"], "open", "{shown}");
        assert_eq!(
            (&shown["next"]["channels"], &shown["step"]),
            (&json!(["call"]), &json!(1)),
            "by the clock: {shown}"
        );
    }
    assert_eq!(incident(&called, &machine.number).await["status"], "open");
    assert!(called.daemon.ok(&["dlq", "list"]).await["deliveries"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_key_that_can_do_nothing_is_not_used_up() {
    let called = up(
        "1h",
        &PAGE.replace("policy = \"page\"\n", "to = [\"alice\"]\n").replace("[\"hook\"]\nto", "[\"call\"]\nto"),
    )
    .await;
    let call = ring(&called).await;
    let (_, twiml) = key(&call.keys, &call.sid, "5").at(&called.address).await;
    assert!(twiml.contains("Alarm one follows no policy, so there is no next step."), "{twiml}");
    assert!(twiml.contains("<Gather") && twiml.contains("Press 4 to acknowledge"), "the menu again: {twiml}");
    let (_, twiml) = key(&call.keys, &call.sid, "4").at(&called.address).await;
    assert!(twiml.contains("Acknowledged alarm one."), "{twiml}");
    assert_eq!(incident(&called, &call.number).await["acknowledged_by"], "alice");
}

#[tokio::test]
async fn a_simulated_call_shows_its_keys_and_where_it_would_be_called_back() {
    let called = up("1h", &PAGE.replace("[levels.low]", "[channels.rehearsal]\nkind = \"twilio-voice\"\naccount_sid = \"AC\"\nauth_token = \"t0ken-of-mine\"\nfrom = \"+15005550006\"\nsimulate = true\n[levels.low]")).await;
    let opened = called
        .daemon
        .ok(&["page", "--subject", "x", "--policy", "none", "--channel", "rehearsal", "--to", "alice"])
        .await;
    let number = opened["number"].to_string();
    let finished = eventually("it is simulated", async || {
        let entries = called.daemon.ok(&["ledger", "query", "--kind", "attempt_finished", "--incident", &number]).await;
        entries["entries"].as_array()?.first().cloned()
    })
    .await;
    let shown = finished["body"].as_str().unwrap();
    assert!(shown.contains("<Gather numDigits=\"1\"") && shown.contains("Press 4 to acknowledge"), "{shown}");
    assert!(shown.contains(&format!("StatusCallback={PUBLIC}/cb/twilio/call/")), "{shown}");
}

#[tokio::test]
async fn a_machine_that_answered_told_nobody() {
    let called = up("1h", PAGE).await;
    for (by, status, reason) in [
        ("machine_start", "sent", json!("voice mail")),
        ("fax", "sent", json!("voice mail")),
        ("human", "delivered", json!(null)),
        ("unknown", "delivered", json!(null)),
    ] {
        let call = ring(&called).await;
        let fields = [("CallSid", call.sid.as_str()), ("CallStatus", "completed"), ("AnsweredBy", by)];
        twilio(&call.status, &fields).at(&called.address).await;
        let shown = delivery(&called, &call.id).await;
        assert_eq!((&shown["status"], &shown["reason"]), (&json!(status), &reason), "{by}: {shown}");
        assert_eq!(incident(&called, &call.number).await["status"], "open", "{by}");
    }
    assert!(called.daemon.ok(&["dlq", "list"]).await["deliveries"].as_array().unwrap().is_empty());
}
