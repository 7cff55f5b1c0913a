//! The one table: every path, its method, and the right that it asks for. What is not in it is denied.

use super::access::Right;
use super::guard::{Guard, guard, unknown_path, wrong_method};
use super::paths::Paths;
use super::{
    Api, alerts, attachments, callbacks, control, erase, events, export, health, heartbeats, incidents, intake, ledger,
    link, lists, plain, requests, selftest, settings, sms, status, templates,
};
use crate::engine::{Ask, Role};
use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use std::sync::Arc;

/// One line of the table.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub right: Right,
    handler: MethodRouter<Arc<Api>>,
}

const VIEWER: Right = Right::Role(Role::Viewer);
const OPERATOR: Right = Right::Role(Role::Operator);
const ADMIN: Right = Right::Role(Role::Admin);

/// What is served on the control socket.
pub fn table() -> Vec<Route> {
    let row = |method, path, right, handler| Route { method, path, right, handler };
    let reads = |path, handler| row(Method::GET, path, VIEWER, handler);
    let acts = |path, handler| row(Method::POST, path, OPERATOR, handler);
    vec![
        row(Method::GET, "/healthz", Right::Anyone, get(health::healthz)),
        row(Method::GET, "/readyz", Right::Anyone, get(health::readyz)),
        reads("/metrics", get(health::metrics)),
        reads("/api/v1/status", get(status::status)),
        acts("/api/v1/notifications", post(intake::send)),
        acts("/api/v1/requests", post(requests::take)),
        reads("/api/v1/deliveries", get(lists::deliveries)),
        reads("/api/v1/deliveries/{id}", get(lists::delivery)),
        reads("/api/v1/dlq", get(lists::dead_letters)),
        row(Method::POST, "/api/v1/dlq/requeue", ADMIN, plain::all(|| Ask::Requeue { id: None })),
        row(Method::POST, "/api/v1/dlq/{id}/requeue", ADMIN, plain::one(|id| Ask::Requeue { id: Some(id) })),
        row(Method::POST, "/api/v1/dlq/{id}/drop", ADMIN, plain::one(|id| Ask::Drop { id })),
        reads("/api/v1/incidents", get(incidents::list)),
        reads("/api/v1/incidents/{id}", get(incidents::show)),
        acts("/api/v1/incidents", post(intake::open)),
        row(Method::POST, "/api/v1/incidents/acknowledge", Right::Known, post(control::acknowledge_only)),
        row(Method::POST, "/api/v1/incidents/{id}/acknowledge", Right::Known, post(control::acknowledge)),
        acts("/api/v1/incidents/{id}/unacknowledge", plain::one(|id| Ask::Unacknowledge { id })),
        acts("/api/v1/incidents/{id}/resolve", post(control::resolve)),
        acts("/api/v1/incidents/{id}/escalate", plain::one(|id| Ask::Escalate { id })),
        acts("/api/v1/incidents/{id}/snooze", post(control::snooze)),
        reads("/api/v1/heartbeats", get(heartbeats::list)),
        acts("/api/v1/heartbeats/{name}/run", post(heartbeats::run)),
        // What jobs and probes tell about themselves asks for no more than to be known.
        row(Method::POST, "/api/v1/heartbeats/{name}/ping", VIEWER, post(heartbeats::ping)),
        reads("/api/v1/watches", get(lists::watches)),
        row(Method::PUT, "/api/v1/metrics/{name}", VIEWER, put(intake::set_metric)),
        reads("/api/v1/metrics/{name}", get(lists::metric)),
        acts("/api/v1/fomo", post(intake::fomo)),
        reads("/api/v1/fomo", get(lists::fomo)),
        reads("/api/v1/channels", get(lists::channels)),
        acts("/api/v1/channels/test", post(intake::test)),
        acts("/api/v1/channels/{name}/test", post(intake::test_one)),
        reads("/api/v1/channels/{name}/settings", get(settings::show)),
        row(Method::PUT, "/api/v1/channels/{name}/settings", ADMIN, put(settings::write)),
        row(Method::DELETE, "/api/v1/channels/{name}/settings", ADMIN, delete(settings::remove)),
        reads("/api/v1/templates", get(templates::list)),
        // It makes a text and sends nothing.
        row(Method::POST, "/api/v1/templates/{name}/render", VIEWER, post(templates::render)),
        acts("/api/v1/selftest", post(selftest::run)),
        reads("/api/v1/silences", get(lists::silences)),
        acts("/api/v1/silences", post(control::silence)),
        row(Method::DELETE, "/api/v1/silences/{id}", OPERATOR, delete(control::expire_silence)),
        reads("/api/v1/sms/inbox", get(sms::inbox)),
        reads("/api/v1/sms/conversations/{number}", get(sms::conversation)),
        reads("/api/v1/ledger", get(ledger::query)),
        reads("/api/v1/ledger/stats", get(ledger::stats)),
        reads("/api/v1/ledger/verify", get(ledger::verify)),
        reads("/api/v1/ledger/export", get(export::export)),
        row(Method::GET, "/api/v1/ledger/backup", ADMIN, get(export::backup)),
        row(Method::POST, "/api/v1/ledger/erase", ADMIN, post(erase::erase)),
        reads("/api/v1/explain/{id}", get(ledger::explain)),
        row(Method::POST, "/api/v1/reload", ADMIN, post(control::reload)),
        reads("/api/v1/events", get(events::stream)),
        acts("/api/v1/sound/stop", plain::all(|| Ask::StopSound)),
        acts(alerts::PATH, post(alerts::post)),
        reads(alerts::PATH, get(alerts::list)),
    ]
}

impl Api {
    /// Everything that the control socket serves.
    pub fn router(self: &Arc<Self>) -> Paths {
        let mut router = Router::new();
        for Route { method, path, right, handler } in table() {
            let guarded = Guard { api: self.clone(), right, action: format!("{method} {path}") };
            router = router.route(path, handler.route_layer(from_fn_with_state(guarded, guard)));
        }
        let router = router.fallback(unknown_path).method_not_allowed_fallback(wrong_method);
        Paths::of(router.with_state::<()>(self.clone()), self.clone())
    }

    /// What is served on TCP, to everybody who can connect.
    pub fn open_router(self: &Arc<Self>) -> Paths {
        Paths::of(self.open_routes(), self.clone()).with_alerts()
    }

    /// The same without the way past the router.
    pub(super) fn open_routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/metrics", get(health::metrics))
            .route(alerts::PATH, get(alerts::gate::list).post(alerts::gate::post))
            .route("/attachments/{id}/{name}", get(attachments::fetch))
            .merge(callbacks::routes())
            .route("/a/{token}", get(link::show).post(link::acknowledge))
            .fallback(health::nothing_else)
            .with_state::<()>(self.clone())
    }
}
