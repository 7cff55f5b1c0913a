//! How a command can go wrong, and with which code it exits.

use serde_json::{Value, json};
use std::io;

/// The exit codes that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    /// Done, but the answer is bad news.
    BadNews,
    /// The command or its input is wrong.
    Usage,
    /// No such thing, or nobody to send to.
    NotFound,
    Unreachable,
    NotPermitted,
    TryAgain,
}

impl Exit {
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Of an API error: by its code, or where that is not ours by its HTTP status.
    pub fn of_error(code: &str, status: u16) -> Exit {
        match (code, status) {
            ("NOT_FOUND" | "NOBODY", _) => Exit::NotFound,
            ("VALIDATION_ERROR" | "CONFLICT" | "TOO_LARGE", _) => Exit::Usage,
            ("UNAUTHENTICATED" | "FORBIDDEN", _) => Exit::NotPermitted,
            ("RATE_LIMITED" | "OVERLOADED" | "REBUILDING", _) => Exit::TryAgain,
            (_, 400 | 409 | 413) => Exit::Usage,
            (_, 401 | 403) => Exit::NotPermitted,
            (_, 404) => Exit::NotFound,
            (_, 429 | 503) => Exit::TryAgain,
            _ => Exit::BadNews,
        }
    }
}

/// What kept a command from being done.
#[derive(Debug)]
pub enum Trouble {
    /// The daemon said no.
    Refused(Refusal),
    /// The daemon does not answer; the text says where it was sought and what to do.
    Unreachable(String),
    /// The socket may not be used by this user.
    NotPermitted(String),
    /// The command line, or a file it names, is wrong.
    Usage(String),
    /// Anything else, a sentence.
    Failed(String),
    /// Our own output cannot be written.
    Output(io::Error),
}

/// An answer that is an error.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    /// As it came; `None` when that was no error document.
    pub document: Option<Vec<u8>>,
    /// The `error` object.
    pub error: Value,
}

impl Refusal {
    /// As the daemon would say it, but before anything is sent.
    pub fn too_large(field: &str, message: &str) -> Refusal {
        Refusal::made_here(413, "TOO_LARGE", Some(field), message)
    }

    /// What the daemon would say, without one.
    pub fn made_here(status: u16, code: &str, field: Option<&str>, message: &str) -> Refusal {
        let mut error = error_object(code, message);
        error["field"] = field.into();
        Refusal { status, document: None, error }
    }

    /// From the body of an answer whose status is no success.
    pub fn read(status: u16, body: Vec<u8>) -> Refusal {
        let error = serde_json::from_slice::<Value>(&body).ok().and_then(|mut v| v.get_mut("error").map(Value::take));
        match error {
            Some(error) if error.is_object() => Refusal { status, document: Some(body), error },
            _ => {
                let words: String = String::from_utf8_lossy(&body).chars().take(200).collect();
                let message = format!("the daemon answered {status} and gave no reason: {words:?}");
                Refusal { status, document: None, error: error_object("INTERNAL", &message) }
            }
        }
    }

    pub fn code(&self) -> &str {
        self.error.get("code").and_then(Value::as_str).unwrap_or("-")
    }

    pub fn exit(&self) -> Exit {
        Exit::of_error(self.code(), self.status)
    }

    /// What is wrong, then what helps: one line each.
    fn lines(&self) -> Vec<String> {
        let text = |key| self.error.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let mut first = text("message").unwrap_or("the daemon refused without saying why").to_owned();
        // Of a conflict the message says all; a malformed request is mended by its field.
        if let Some(field) = text("field").filter(|_| self.exit() == Exit::Usage && self.status == 400) {
            first.push_str(&format!(" (field {field})"));
        }
        let mut lines = vec![first];
        let reasons = self.error.get("reasons").and_then(Value::as_array).into_iter().flatten();
        lines.extend(reasons.filter_map(Value::as_str).map(|r| format!("  {r}")));
        if let Some(seconds) = self.error.get("retry_after_seconds").and_then(Value::as_f64) {
            lines.push(format!("try again in {}s", seconds.max(0.0).ceil()));
        }
        lines
    }
}

impl Trouble {
    pub fn exit(&self) -> Exit {
        match self {
            Trouble::Refused(refusal) => refusal.exit(),
            Trouble::Unreachable(_) => Exit::Unreachable,
            Trouble::NotPermitted(_) => Exit::NotPermitted,
            Trouble::Usage(_) => Exit::Usage,
            Trouble::Failed(_) => Exit::BadNews,
            // A reader that has seen enough, as `head` has.
            Trouble::Output(e) if e.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Trouble::Output(_) => Exit::BadNews,
        }
    }

    /// The `error` object: the API's, or one like it.
    pub fn error(&self) -> Value {
        match self {
            Trouble::Refused(refusal) => refusal.error.clone(),
            Trouble::Unreachable(m) => error_object("UNREACHABLE", m),
            Trouble::NotPermitted(m) => error_object("FORBIDDEN", m),
            Trouble::Usage(m) => error_object("VALIDATION_ERROR", m),
            Trouble::Failed(m) => error_object("FAILED", m),
            Trouble::Output(e) => error_object("FAILED", &e.to_string()),
        }
    }

    /// For `--json`: the API's error document as it came, or one like it.
    pub fn document(&self) -> Vec<u8> {
        match self {
            Trouble::Refused(Refusal { document: Some(raw), .. }) => raw.clone(),
            _ => json!({ "error": self.error() }).to_string().into_bytes(),
        }
    }

    /// For people: unescaped lines, the first one says what is wrong.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Trouble::Refused(refusal) => refusal.lines(),
            Trouble::Unreachable(m) | Trouble::NotPermitted(m) | Trouble::Usage(m) | Trouble::Failed(m) => {
                vec![m.clone()]
            }
            Trouble::Output(e) if e.kind() == io::ErrorKind::BrokenPipe => vec![],
            Trouble::Output(e) => vec![format!("cannot write the answer: {e}")],
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Output(error)
    }
}

fn error_object(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message, "field": null, "retry_after_seconds": null})
}
