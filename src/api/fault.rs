//! The error document: every answer that is no success.

use crate::engine::{Code, Refusal};
use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal with its HTTP status.
#[derive(Clone, Debug)]
pub struct Fault {
    pub status: StatusCode,
    pub refusal: Refusal,
}

impl Fault {
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Fault {
        Fault { status, refusal: Refusal::new(code, message) }
    }

    pub fn forbidden(message: impl Into<String>) -> Fault {
        Refusal::new(Code::Forbidden, message).into()
    }

    /// A panic in a handler: a bug, told without its words, which are in the log.
    pub fn inside() -> Fault {
        let message = "this request failed inside stentor (a bug); the log has more";
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, Code::FinalFailure, message)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault { status: status(refusal.code), refusal }
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::ValidationError => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Nobody | Code::Conflict => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Timeout | Code::Overloaded | Code::Rebuilding => StatusCode::SERVICE_UNAVAILABLE,
        Code::AuthError | Code::ProviderError | Code::FinalFailure => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let retry = self.refusal.retry_after_seconds.map(HeaderValue::from);
        let mut response = (self.status, Json(json!({ "error": self.refusal }))).into_response();
        if let Some(retry) = retry {
            response.headers_mut().insert(RETRY_AFTER, retry);
        }
        response.extensions_mut().insert(self.refusal.code);
        response
    }
}
