//! Every route, every sort of caller: who may is said here once more, by hand.

use super::world::*;
use crate::api::routes::table;
use serde_json::json;

/// The least caller that each route lets in; not derived from the table that it checks.
const LEAST: &[(&str, &str)] = &[
    ("GET /healthz", "stranger"),
    ("GET /readyz", "stranger"),
    ("GET /metrics", "viewer"),
    ("GET /api/v1/sms/inbox", "viewer"),
    ("GET /api/v1/sms/conversations/{number}", "viewer"),
    ("GET /api/v1/status", "viewer"),
    ("POST /api/v1/notifications", "operator"),
    ("POST /api/v1/requests", "operator"),
    ("GET /api/v1/deliveries", "viewer"),
    ("GET /api/v1/deliveries/{id}", "viewer"),
    ("GET /api/v1/dlq", "viewer"),
    ("POST /api/v1/dlq/requeue", "admin"),
    ("POST /api/v1/dlq/{id}/requeue", "admin"),
    ("POST /api/v1/dlq/{id}/drop", "admin"),
    ("GET /api/v1/incidents", "viewer"),
    ("GET /api/v1/incidents/{id}", "viewer"),
    ("POST /api/v1/incidents", "operator"),
    ("POST /api/v1/incidents/acknowledge", "person"),
    ("POST /api/v1/incidents/{id}/acknowledge", "person"),
    ("POST /api/v1/incidents/{id}/unacknowledge", "operator"),
    ("POST /api/v1/incidents/{id}/resolve", "operator"),
    ("POST /api/v1/incidents/{id}/escalate", "operator"),
    ("POST /api/v1/incidents/{id}/snooze", "operator"),
    ("GET /api/v1/heartbeats", "viewer"),
    ("POST /api/v1/heartbeats/{name}/run", "operator"),
    ("POST /api/v1/heartbeats/{name}/ping", "viewer"),
    ("GET /api/v1/watches", "viewer"),
    ("PUT /api/v1/metrics/{name}", "viewer"),
    ("GET /api/v1/metrics/{name}", "viewer"),
    ("POST /api/v1/fomo", "operator"),
    ("GET /api/v1/fomo", "viewer"),
    ("GET /api/v1/channels", "viewer"),
    ("GET /api/v1/channels/{name}/settings", "viewer"),
    ("PUT /api/v1/channels/{name}/settings", "admin"),
    ("DELETE /api/v1/channels/{name}/settings", "admin"),
    ("POST /api/v1/channels/test", "operator"),
    ("POST /api/v1/channels/{name}/test", "operator"),
    ("GET /api/v1/silences", "viewer"),
    ("POST /api/v1/silences", "operator"),
    ("DELETE /api/v1/silences/{id}", "operator"),
    ("GET /api/v1/ledger", "viewer"),
    ("GET /api/v1/ledger/stats", "viewer"),
    ("GET /api/v1/ledger/verify", "viewer"),
    ("GET /api/v1/ledger/export", "viewer"),
    ("GET /api/v1/ledger/backup", "admin"),
    ("POST /api/v1/ledger/erase", "admin"),
    ("GET /api/v1/explain/{id}", "viewer"),
    ("POST /api/v1/reload", "admin"),
    ("POST /api/v1/selftest", "operator"),
    ("GET /api/v1/events", "viewer"),
    ("POST /api/v1/sound/stop", "operator"),
    ("GET /api/v1/templates", "viewer"),
    ("POST /api/v1/templates/{name}/render", "viewer"),
    ("POST /api/v2/alerts", "operator"),
    ("GET /api/v2/alerts", "viewer"),
];

const CALLERS: &[(u32, &str)] = &[
    (OVERFLOW, "nobody"),
    (STRANGER, "stranger"),
    (ALICE, "person"),
    (VIEWER, "viewer"),
    (OPERATOR, "operator"),
    (ADMIN, "admin"),
    (0, "admin"),
    (OWN, "admin"),
];

fn rank(caller: &str) -> usize {
    ["nobody", "stranger", "person", "viewer", "operator", "admin"].iter().position(|c| *c == caller).unwrap()
}

#[test]
fn the_table_has_these_routes_and_no_others() {
    let mut routes: Vec<String> = table().iter().map(|r| format!("{} {}", r.method, r.path)).collect();
    let mut said: Vec<String> = LEAST.iter().map(|(route, _)| (*route).to_owned()).collect();
    routes.sort();
    said.sort();
    assert_eq!(routes, said);
}

#[tokio::test]
async fn every_route_lets_in_exactly_whom_it_should() {
    let world = World::new().await;
    for (route, least) in LEAST {
        for (uid, caller) in CALLERS {
            let (method, path) = route.split_once(' ').unwrap();
            let path = path.replace("{id}", "ZZZZZZ").replace("{name}", "nothing");
            let query = if path.ends_with("events") { "?follow=false" } else { "" };
            let answer = world.ask(*uid, method, &format!("{path}{query}"), "").await;
            let may = rank(caller) >= rank(least);
            assert_eq!(answer.status != 403, may, "{route} as {caller} ({uid}): {answer:?}");
            assert!(answer.status != 0 && answer.status != 500, "{route} as {caller}: {answer:?}");
            if !may {
                assert_eq!(answer.code(), "FORBIDDEN");
            }
        }
    }
}

#[tokio::test]
async fn f74_a_refused_call_is_in_the_ledger_with_who_it_was() {
    let world = World::new().await;
    world.ask(VIEWER, "POST", "/api/v1/reload", "").await;
    world.ask(STRANGER, "GET", "/api/v1/status", "").await;
    world.ask(OVERFLOW, "GET", "/healthz", "").await;
    let denied = world.until("auth_denied", 3).await;
    let seen: Vec<_> = denied.iter().map(|e| (&e["initiator"], &e["role"], &e["action"])).collect();
    assert_eq!(
        json!(seen),
        json!([
            ["vera", "viewer", "POST /api/v1/reload"],
            ["uid 9999", "none", "GET /api/v1/status"],
            ["uid 65534", "none", "GET /healthz"],
        ])
    );
}

#[tokio::test]
async fn a_reload_that_takes_a_role_away_counts_at_once() {
    let world = World::new().await;
    assert_eq!(world.ask(VIEWER, "GET", "/api/v1/channels", "").await.status, 200);
    let mut config = config(&world.held);
    config.access.viewer.clear();
    let ask = crate::engine::Ask::Apply { config: std::sync::Arc::new(config), changed: vec![], kept: false };
    world.handle.ask(crate::engine::Caller::engine(), ask).await.unwrap();
    assert_eq!(world.ask(VIEWER, "GET", "/api/v1/channels", "").await.status, 403);
}

#[tokio::test]
async fn strangers_are_not_told_which_paths_there_are() {
    let world = World::new().await;
    for path in ["/", "/api/v1/nothing", "/api/v2/silences"] {
        assert_eq!(world.ask(STRANGER, "GET", path, "").await.status, 403, "{path}");
        assert_eq!(world.ask(VIEWER, "GET", path, "").await.status, 404, "{path}");
    }
    assert_eq!(world.ask(STRANGER, "DELETE", "/api/v1/status", "").await.status, 403);
    assert_eq!(world.ask(VIEWER, "DELETE", "/api/v1/status", "").await.status, 405);
}
