//! Who may report over TCP: whoever has a token. Without tokens only loopback is listened on, and everybody there may.

use super::told::Told;
use crate::api::{Api, guard};
use crate::config::{Config, Token};
use crate::engine::{Caller, Role};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use std::sync::Arc;

/// As the ledger names one without a token.
const NAMELESS: &str = "alertmanager";

/// [`super::post`] for whom the config lets.
pub async fn post(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Told> {
    match admitted(&api, &request) {
        Ok(by) => super::post(State(api), Extension(by), request).await,
        Err(refused) => Err(refused.recorded(&api).await),
    }
}

/// [`super::list()`] likewise.
pub async fn list(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Told> {
    match admitted(&api, &request) {
        Ok(by) => super::list(State(api), Extension(by), request.uri().clone()).await,
        Err(refused) => Err(refused.recorded(&api).await),
    }
}

/// Whom the config does not let, and what they asked for.
struct Refused {
    told: Told,
    action: String,
}

impl Refused {
    async fn recorded(self, api: &Api) -> Told {
        let stranger = Caller { name: "over TCP".to_owned(), person: None, role: Role::None };
        guard::record(api, u32::MAX, stranger, &self.action).await;
        self.told
    }
}

fn admitted(api: &Api, request: &Request) -> Result<Caller, Refused> {
    let named = caller(&api.handle.config(), request);
    let refused = |told| Refused { told, action: format!("{} {}", request.method(), request.uri().path()) };
    named.map(|name| Caller { name, person: None, role: Role::None }).map_err(refused)
}

/// The name of who calls.
fn caller(config: &Config, request: &Request) -> Result<String, Told> {
    let unauthenticated = |words: &str| Told::new(StatusCode::UNAUTHORIZED, words);
    let Some(http) = &config.http else { return Err(unauthenticated("[http] is not in the config any more")) };
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(bearer).map(|presented| http.tokens.iter().find(|token| token.is(presented)));
    match token {
        Some(Some(Token { alerts: true, name, .. })) => Ok(name.clone()),
        Some(Some(_)) => Err(Told::new(StatusCode::FORBIDDEN, "this token may not report alerts")),
        Some(None) => Err(unauthenticated("nobody knows this token")),
        None if http.tokens.is_empty() && http.listen.ip().is_loopback() => Ok(NAMELESS.to_owned()),
        None => Err(unauthenticated("a token of [http.tokens] is needed: Authorization: Bearer ...")),
    }
}

/// The word behind `Bearer`, whose case does not count.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
