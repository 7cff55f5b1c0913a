//! What stands before every handler: who it is, whether they may, and a net for panics.

use super::access::{self, Peer, Right, is_known};
use super::fault::Fault;
use super::{Api, access::nobody};
use crate::domain::clock;
use crate::engine::{Ask, Caller, Code, Role};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// A refusal is answered also when it cannot be recorded by then.
const RECORDING: Duration = Duration::from_secs(2);

/// One line of the table of routes, at its place before the handler.
#[derive(Clone)]
pub struct Guard {
    pub api: Arc<Api>,
    pub right: Right,
    /// As the ledger names it: `POST /api/v1/reload`.
    pub action: String,
}

/// Lets a caller through to the handler, which finds a [`Caller`] among the request's extensions.
pub async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { api, right, action } = guard;
    match caller(&api, &request) {
        Some(caller) if right.allows(&caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        caller => {
            let uid = request.extensions().get::<Peer>().map_or(u32::MAX, |p| p.uid);
            refuse(&api, uid, caller.unwrap_or_else(nobody), right, &action).await.into_response()
        }
    }
}

/// Who calls; `None` for those who are never let in.
fn caller(api: &Api, request: &Request) -> Option<Caller> {
    let peer = request.extensions().get::<Peer>()?;
    access::caller(&api.handle.config(), &api.own, *peer)
}

async fn refuse(api: &Api, uid: u32, caller: Caller, right: Right, action: &str) -> Fault {
    let (name, role) = (&caller.name, caller.role.as_str());
    let has = if caller.role == Role::None { "has no role here".to_owned() } else { format!("has the role {role}") };
    let needs = right.as_str();
    let message =
        format!("{name} {has} and may not {action}: that needs {needs}; [access] in stentor.toml names who has it");
    record(api, uid, caller, action).await;
    Fault::forbidden(message)
}

/// Counts a refused call in the ledger.
pub async fn record(api: &Api, uid: u32, caller: Caller, action: &str) {
    tracing::warn!(caller = %caller.name, role = caller.role.as_str(), action, "refused for lack of rights");
    if let Some(action) = api.denials.record(uid, action, clock::wall()) {
        let recorded = api.handle.ask(caller, Ask::Denied { action });
        let _ = tokio::time::timeout(RECORDING, recorded).await;
    }
}

/// No such path. Strangers are not told which there are.
pub async fn unknown_path(State(api): State<Arc<Api>>, request: Request) -> Fault {
    match caller(&api, &request).filter(is_known) {
        Some(_) => Fault::new(StatusCode::NOT_FOUND, Code::NotFound, format!("there is no {}", request.uri().path())),
        None => Fault::forbidden("you have no role here; [access] in stentor.toml names who has"),
    }
}

/// The path is there, but not with this method.
pub async fn wrong_method(State(api): State<Arc<Api>>, request: Request) -> Fault {
    match caller(&api, &request).filter(is_known) {
        Some(_) => {
            let message = format!("{} does not go with {}", request.method(), request.uri().path());
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, Code::ValidationError, message)
        }
        None => Fault::forbidden("you have no role here; [access] in stentor.toml names who has"),
    }
}

/// A handler that panics is an answer, not a broken connection.
pub async fn caught<E>(
    path: impl FnOnce() -> String,
    answering: impl Future<Output = Result<Response, E>>,
) -> Result<Response, E> {
    AssertUnwindSafe(answering).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(path = path(), "a request failed inside (a bug)");
        Ok(Fault::inside().into_response())
    })
}
