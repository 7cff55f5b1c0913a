//! What a request is answered: a document, or why it was not done.

use crate::domain::failure::FailureClass;
use serde::Serialize;

/// Why a request was not done: the API's error document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub field: Option<String>,
    pub retry_after_seconds: Option<u64>,
    /// Of a limit: when it is possible again, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Box<str>>,
    /// Of NOBODY: a sentence for each channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// The codes of the doors, beside the failure classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    ValidationError,
    AuthError,
    RateLimited,
    ProviderError,
    Timeout,
    FinalFailure,
    NotFound,
    Nobody,
    Conflict,
    Unauthenticated,
    Forbidden,
    TooLarge,
    Overloaded,
    Rebuilding,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Code::ValidationError => FailureClass::ValidationError.as_str(),
            Code::AuthError => FailureClass::AuthError.as_str(),
            Code::RateLimited => FailureClass::RateLimited.as_str(),
            Code::ProviderError => FailureClass::ProviderError.as_str(),
            Code::Timeout => FailureClass::Timeout.as_str(),
            Code::FinalFailure => FailureClass::FinalFailure.as_str(),
            Code::NotFound => "NOT_FOUND",
            Code::Nobody => "NOBODY",
            Code::Conflict => "CONFLICT",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::Forbidden => "FORBIDDEN",
            Code::TooLarge => "TOO_LARGE",
            Code::Overloaded => "OVERLOADED",
            Code::Rebuilding => "REBUILDING",
        }
    }
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
            field: None,
            retry_after_seconds: None,
            retry_at: None,
            reasons: Vec::new(),
        }
    }

    /// A fault in this field of the request.
    pub fn field(field: &str, message: impl Into<String>) -> Refusal {
        Refusal { field: Some(field.to_owned()), ..Refusal::new(Code::ValidationError, message) }
    }

    pub fn retry_after(mut self, seconds: u64) -> Refusal {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

/// The document for the caller, or why not.
pub type Answer = Result<serde_json::Value, Refusal>;
