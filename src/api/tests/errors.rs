//! What bad input gets: always the error document, with the field, and nothing half done.

use super::world::*;
use serde_json::json;

#[tokio::test]
async fn f47_malformed_bodies_are_named_and_accepted_nowhere() {
    let world = World::new().await;
    for (body, field, words) in [
        ("{\"subject\": \"x\",\n  oops}", "-", "line 2 column 3"),
        (r#"{"subjet": "x"}"#, "subjet", "unknown field"),
        (r#"{"subject": 7}"#, "subject", "expected a string"),
        (r#"{"subject": ""}"#, "subject", "a subject is needed"),
        (r#"{"subject": "x", "subject": "y"}"#, "subject", "twice"),
        (r#"{"subject": "x", "level": "loud"}"#, "level", "not a level"),
        (r#"{"subject": "x", "to": ["a b"]}"#, "to[0]", "not a name"),
        (r#"{"subject": "x", "ttl": "soon"}"#, "ttl", "soon"),
        (r#"{"subject": "x", "at": "soon"}"#, "at", "not a time"),
        (r#"{"subject": "x", "labels": {"a-b": "c"}}"#, "labels", "a-b"),
        ("[1]", "-", "one JSON object"),
    ] {
        let answer = world.ask(OPERATOR, "POST", "/api/v1/notifications", body).await;
        assert_eq!(
            (answer.status, answer.code(), answer.field()),
            (400, "VALIDATION_ERROR", field),
            "{body}: {answer:?}"
        );
        assert!(answer.message().contains(words), "{body}: {}", answer.message());
        assert!(answer.json["error"].as_object().unwrap().contains_key("retry_after_seconds"));
    }
    let bytes = [b"{\"subject\": \"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    assert_eq!(world.ask(OPERATOR, "POST", "/api/v1/notifications", bytes).await.status, 400);
    assert_eq!(world.get("/api/v1/ledger?kind=notification_accepted").await.json["entries"], json!([]));
}

#[tokio::test]
async fn unknown_names_are_not_found_with_their_field() {
    let world = World::new().await;
    for (body, field) in [
        (json!({ "subject": "x", "channels": ["pigeon"] }), "channels"),
        (json!({ "subject": "x", "to": ["nobody"] }), "to"),
    ] {
        let answer = world.post("/api/v1/notifications", body).await;
        assert_eq!((answer.status, answer.code(), answer.field()), (404, "NOT_FOUND", field));
    }
    for (method, path) in [
        ("GET", "/api/v1/incidents/417"),
        ("GET", "/api/v1/deliveries/01KABCDEFGHJKMNPQRSTVWXYZ0"),
        ("GET", "/api/v1/explain/01KABCDEFGHJKMNPQRSTVWXYZ0"),
        ("GET", "/api/v1/metrics/nothing"),
        ("POST", "/api/v1/heartbeats/nothing/run"),
        ("POST", "/api/v1/heartbeats/nothing/ping"),
        ("POST", "/api/v1/incidents/417/resolve"),
        ("POST", "/api/v1/channels/pigeon/test"),
        ("DELETE", "/api/v1/silences/abcd-efgh"),
        ("GET", "/api/v1/ledger?incident=417"),
    ] {
        let answer = world.ask(OPERATOR, method, path, "").await;
        assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn nobody_to_send_to_says_why_for_each_channel() {
    let world = World::new().await;
    let answer =
        world.post("/api/v1/notifications", json!({ "subject": "x", "level": "low", "to": ["+15550199"] })).await;
    assert_eq!((answer.status, answer.code()), (409, "NOBODY"));
    assert!(answer.message().contains("level low has mail"), "{}", answer.message());
    let reasons = answer.json["error"]["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].as_str().unwrap().contains("mail"), "{reasons:?}");
    assert_eq!(world.until("request_refused", 1).await[0]["code"], "NOBODY");
}

#[tokio::test]
async fn parameters_are_known_or_refused() {
    let world = World::new().await;
    for (path, field) in [
        ("/api/v1/deliveries?statsu=dead", "statsu"),
        ("/api/v1/deliveries?status=lost", "status"),
        ("/api/v1/deliveries?limit=0", "limit"),
        ("/api/v1/deliveries?limit=2&limit=3", "limit"),
        ("/api/v1/deliveries?cursor=x", "cursor"),
        ("/api/v1/deliveries?since=yesterday", "since"),
        ("/api/v1/incidents?all=maybe", "all"),
        ("/api/v1/incidents/417?x=1", "x"),
        ("/api/v1/channels?x=1", "x"),
        ("/api/v1/ledger?kind=nothing", "kind"),
        ("/api/v1/ledger?cursor=x", "cursor"),
        ("/api/v1/ledger?after_seq=-1", "after_seq"),
        ("/api/v1/ledger/export?format=xml", "format"),
        ("/api/v1/events?since_seq=x", "since_seq"),
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status, answer.code(), answer.field()),
            (400, "VALIDATION_ERROR", field),
            "{path}: {answer:?}"
        );
    }
    for wait in ["soon", "2h", ""] {
        let answer = world.post(&format!("/api/v1/notifications?wait={wait}"), json!({ "subject": "x" })).await;
        assert_eq!((answer.status, answer.field()), (400, "wait"), "{wait}");
    }
    assert_eq!(world.get("/api/v1/ledger?kind=notification_accepted").await.json["entries"], json!([]));
}

#[tokio::test]
async fn bad_values_name_their_field() {
    let world = World::new().await;
    let number = world.incident("disk full").await;
    for (path, body, field) in [
        (format!("/api/v1/incidents/{number}/snooze"), json!({}), "for"),
        (format!("/api/v1/incidents/{number}/snooze"), json!({ "for": "soon" }), "for"),
        ("/api/v1/silences".into(), json!({ "matchers": ["x"], "for": "1h", "comment": "y" }), "matchers[0]"),
        ("/api/v1/silences".into(), json!({ "matchers": ["a=b"], "for": "1h", "comment": " " }), "comment"),
        ("/api/v1/fomo".into(), json!({ "deal": "A7", "remaining": "x" }), "remaining"),
        ("/api/v1/fomo".into(), json!({ "deal": "B1", "remaining": 1 }), "tiers"),
        ("/api/v1/channels/test".into(), json!({}), "channels"),
        ("/api/v1/channels/mail/test".into(), json!({ "channels": ["mail"] }), "channels"),
        ("/api/v1/reload".into(), json!({ "now": true }), "now"),
    ] {
        let answer = world.ask(ADMIN, "POST", &path, body.to_string()).await;
        assert_eq!(
            (answer.status, answer.code(), answer.field()),
            (400, "VALIDATION_ERROR", field),
            "{path}: {answer:?}"
        );
    }
    let answer = world.ask(ADMIN, "PUT", "/api/v1/metrics/x", r#"{"value": NaN}"#).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn f48_a_body_over_a_mebibyte_is_too_large_and_the_sender_hears_it() {
    let world = World::new().await;
    let just = json!({ "subject": "x", "body": "y".repeat((1 << 20) - 25) }).to_string();
    assert_eq!(just.len(), 1 << 20);
    assert_eq!(world.ask(OPERATOR, "POST", "/api/v1/notifications", just.as_bytes()).await.status, 202);
    for more in [1, 3 << 20] {
        let body = format!("{just}{}", " ".repeat(more));
        let answer = world.ask(OPERATOR, "POST", "/api/v1/notifications", body).await;
        assert_eq!((answer.status, answer.code()), (413, "TOO_LARGE"), "{more} more: {answer:?}");
    }
}

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_request_or_a_conflict() {
    let world = World::new().await;
    let body = json!({ "subject": "x", "idempotency_key": "k" });
    let first = world.post("/api/v1/notifications", body.clone()).await;
    let again = world.post("/api/v1/notifications", body).await;
    assert_eq!(first.json["id"], again.json["id"]);
    let other = world.post("/api/v1/notifications", json!({ "subject": "y", "idempotency_key": "k" })).await;
    assert_eq!((other.status, other.code(), other.field()), (409, "CONFLICT", "idempotency_key"));
}

#[tokio::test]
async fn wrong_methods_and_paths_are_error_documents() {
    let world = World::new().await;
    let wrong = world.ask(VIEWER, "DELETE", "/api/v1/status", "").await;
    assert_eq!((wrong.status, wrong.code()), (405, "VALIDATION_ERROR"));
    assert!(wrong.head.contains("allow: get"), "{}", wrong.head);
    let nothing = world.get("/api/v1/nothing").await;
    assert_eq!((nothing.status, nothing.code()), (404, "NOT_FOUND"));
    let not_utf8 = world.get("/api/v1/incidents/%ff").await;
    assert_eq!((not_utf8.status, not_utf8.code()), (400, "VALIDATION_ERROR"), "{not_utf8:?}");
}

#[tokio::test]
async fn in_emergency_mode_nothing_new_is_accepted() {
    let world = World::new().await;
    world.stuck();
    world.hear(crate::runtime::LogNews::Trouble("no space left".into()));
    world.until("storage_troubled", 1).await;
    let answer = world.post("/api/v1/notifications", json!({ "subject": "x" })).await;
    assert_eq!((answer.status, answer.code()), (503, "OVERLOADED"));
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text.contains("emergency"), "{}", ready.text);
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn f48_a_claim_of_too_much_is_answered_without_waiting_for_it() {
    let world = World::new().await;
    let head =
        "POST /api/v1/notifications HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n{";
    let answer = world.raw(OPERATOR, head.as_bytes()).await;
    assert_eq!((answer.status, answer.code()), (413, "TOO_LARGE"));
}

#[tokio::test]
async fn a_null_is_as_good_as_nothing() {
    let world = World::new().await;
    let nulls = json!({ "subject": "x", "body": null, "labels": null, "to": null, "level": null, "type": null });
    for path in ["/api/v1/notifications", "/api/v1/incidents"] {
        let answer = world.ask(ADMIN, "POST", path, nulls.to_string()).await;
        assert_eq!(answer.status, 202, "{path}: {answer:?}");
    }
}
