//! Acknowledging: operators, and persons without a role who were told.

use super::world::*;
use serde_json::json;

#[tokio::test]
async fn a_person_acknowledges_what_they_were_told_of_and_nothing_else() {
    let world = World::new().await;
    let told = json!({ "subject": "disk full", "level": "high", "channels": ["mail"], "to": ["alice"] });
    let told = world.post("/api/v1/incidents", told).await.json["number"].clone();
    world.until("attempt_started", 1).await;
    let other = world.incident("something else").await;

    let refused = world.ask(ALICE, "POST", &format!("/api/v1/incidents/{other}/acknowledge"), "").await;
    assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN"));
    let denied = world.until("auth_denied", 1).await;
    assert_eq!(
        (&denied[0]["initiator"], &denied[0]["action"]),
        (&json!("alice"), &json!(format!("acknowledge {other}")))
    );

    // Without a number: of hers there is one, and others are not named.
    let done = world.ask(ALICE, "POST", "/api/v1/incidents/acknowledge", r#"{"note": "on it"}"#).await;
    assert_eq!(done.status, 202, "{done:?}");
    let incident = &done.json["incidents"][0];
    assert_eq!((&incident["number"], &incident["acknowledged_by"]), (&told, &json!("alice")));
    let none = world.ask(ALICE, "POST", "/api/v1/incidents/acknowledge", "").await;
    assert_eq!((none.status, none.code()), (404, "NOT_FOUND"));
    assert!(!none.message().contains("something else"), "{}", none.message());
}

#[tokio::test]
async fn a_client_who_was_told_may_not_acknowledge() {
    let world = World::new().await;
    let told = json!({ "subject": "deal", "level": "high", "channels": ["mail"], "to": ["carol"] });
    let number = world.post("/api/v1/incidents", told).await.json["number"].clone();
    world.until("attempt_started", 1).await;
    let refused = world.ask(CAROL, "POST", &format!("/api/v1/incidents/{number}/acknowledge"), "").await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn only_operators_acknowledge_in_another_s_name() {
    let world = World::new().await;
    let told = json!({ "subject": "disk full", "level": "high", "channels": ["mail"], "to": ["alice"] });
    let number = world.post("/api/v1/incidents", told).await.json["number"].clone();
    world.until("attempt_started", 1).await;
    let path = format!("/api/v1/incidents/{number}/acknowledge");
    assert_eq!(world.ask(ALICE, "POST", &path, r#"{"by": "bob"}"#).await.status, 403);
    let done = world.ask(OPERATOR, "POST", &path, r#"{"by": "alice"}"#).await;
    assert_eq!(done.json["incidents"][0]["acknowledged_by"], "alice");
    // Again: it is said by whom, and that nothing stopped now.
    let again = world.ask(OPERATOR, "POST", &path, "").await;
    assert_eq!(again.status, 202);
    assert_eq!(again.json["incidents"][0]["acknowledged_by"], "alice");
    assert_eq!(again.json["incidents"][0]["stopped"], json!([]));
}

#[tokio::test]
async fn with_several_open_an_operator_has_to_choose() {
    let world = World::new().await;
    let (one, two) = (world.incident("one").await, world.incident("two").await);
    let several = world.post("/api/v1/incidents/acknowledge", json!({})).await;
    assert_eq!((several.status, several.code()), (409, "CONFLICT"));
    assert!(several.message().contains(&format!("#{one}")) && several.message().contains(&format!("#{two}")));
    world.post(&format!("/api/v1/incidents/{one}/acknowledge"), json!({})).await;
    let done = world.post("/api/v1/incidents/acknowledge", json!({})).await;
    assert_eq!(done.json["incidents"][0]["number"], two);
    let none = world.post("/api/v1/incidents/acknowledge", json!({})).await;
    assert_eq!(none.status, 404);
    assert!(none.message().contains("by bob"), "{}", none.message());
}
