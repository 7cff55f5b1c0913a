//! Who may report over TCP: whoever has a token. Without tokens only loopback is listened on, and everybody there may.

use super::told::Told;
use crate::api::{Api, guard};
use crate::config::{Config, Token};
use crate::engine::{Caller, Role};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// As the ledger names one without a token.
const NAMELESS: &str = "alertmanager";

/// Lets through whom the config lets; the handler finds a [`Caller`].
pub async fn gate(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    match caller(&api.handle.config(), &request) {
        Ok(name) => {
            request.extensions_mut().insert(Caller { name, person: None, role: Role::None });
            next.run(request).await
        }
        Err(told) => {
            let action = format!("{} {}", request.method(), request.uri().path());
            let stranger = Caller { name: "over TCP".to_owned(), person: None, role: Role::None };
            guard::record(&api, u32::MAX, stranger, &action).await;
            told.into_response()
        }
    }
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
