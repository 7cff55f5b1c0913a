//! What is no success, as this API says it: a JSON string.

use crate::api::fault::Fault;
use crate::engine::{Code, Refusal};
use axum::Json;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug)]
pub struct Told {
    status: StatusCode,
    words: String,
    /// Of the parameters of a question: the form is `{code, message}` then.
    parameter: bool,
    retry_after_seconds: Option<u64>,
}

impl Told {
    pub fn new(status: StatusCode, words: impl Into<String>) -> Told {
        Told { status, words: words.into(), parameter: false, retry_after_seconds: None }
    }

    /// 400.
    pub fn wrong(words: impl Into<String>) -> Told {
        Told::new(StatusCode::BAD_REQUEST, words)
    }

    /// 422: a parameter that is not what it has to be.
    pub fn parameter(words: impl Into<String>) -> Told {
        Told { parameter: true, ..Told::new(StatusCode::UNPROCESSABLE_ENTITY, words) }
    }

    /// What the engine, or the way to it, says.
    pub fn refused(refusal: Refusal) -> Told {
        Told::from(Fault::from(refusal))
    }
}

impl From<Fault> for Told {
    fn from(fault: Fault) -> Told {
        let Fault { status, refusal } = fault;
        Told { retry_after_seconds: refusal.retry_after_seconds, ..Told::new(status, refusal.message) }
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let document = match self.parameter {
            true => json!({ "code": self.status.as_u16(), "message": self.words }),
            false => json!(self.words),
        };
        let mut response = (self.status, [(CACHE_CONTROL, "no-store")], Json(document)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(code(self.status));
        response
    }
}

/// For the metrics, which count by these.
fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::Forbidden,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        StatusCode::REQUEST_TIMEOUT => Code::Timeout,
        StatusCode::TOO_MANY_REQUESTS => Code::RateLimited,
        status if status.is_server_error() => Code::Overloaded,
        _ => Code::ValidationError,
    }
}
