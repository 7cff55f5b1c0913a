//! Why an attempt failed, in the words of the error taxonomy, and what may follow from it.

use crate::domain::time::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The class of a failure, as ledger entries, results and API errors carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureClass {
    ValidationError,
    AuthError,
    RateLimited,
    ProviderError,
    Timeout,
    Retrying,
    FinalFailure,
}

impl FailureClass {
    pub fn as_str(self) -> &'static str {
        match self {
            FailureClass::ValidationError => "VALIDATION_ERROR",
            FailureClass::AuthError => "AUTH_ERROR",
            FailureClass::RateLimited => "RATE_LIMITED",
            FailureClass::ProviderError => "PROVIDER_ERROR",
            FailureClass::Timeout => "TIMEOUT",
            FailureClass::Retrying => "RETRYING",
            FailureClass::FinalFailure => "FINAL_FAILURE",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a failure says about the way it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The address or the content: never retried, never failed over.
    Message,
    /// This provider refuses this message for good (a permanent PROVIDER_ERROR): fall back at
    /// once; the channel as such may be well.
    Provider,
    /// This recipient, for now (a mail server that knows us not yet): again later or another way; the channel as
    /// such is well.
    Recipient,
    /// The channel as a whole, for now (connect, time-out, 5xx, 429): others wait or fall back.
    Channel,
    /// The channel as a whole, until somebody mends it (credentials, account limit): dead.
    Account,
}

impl Blame {
    /// The same way would refuse the same message again.
    pub fn is_for_good(self) -> bool {
        matches!(self, Blame::Message | Blame::Provider)
    }
}

/// One failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub class: FailureClass,
    pub blame: Blame,
    /// The provider's own code ("20003", "550 5.1.1"), if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's own words, cut to 500 characters, without secrets.
    pub words: String,
    /// How long the provider asked us to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Span>,
    /// The request may have been processed: a retry can send twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
}

impl Failure {
    pub fn new(class: FailureClass, blame: Blame, words: impl AsRef<str>) -> Self {
        Failure { class, blame, code: None, words: cut(words.as_ref(), 500), retry_after: None, unknown: false }
    }

    pub fn code(mut self, code: impl ToString) -> Self {
        self.code = Some(code.to_string());
        self
    }

    pub fn retry_after(mut self, wait: Option<Span>) -> Self {
        self.retry_after = wait;
        self
    }

    /// The provider's code and words, for people: `20003 Authenticate`. The class is told beside it.
    pub fn said(&self) -> String {
        match &self.code {
            // Some words bring it along.
            Some(code) if !self.words.contains(code.as_str()) => format!("{code} {}", self.words),
            _ => self.words.clone(),
        }
    }

    /// Marks the outcome as lost: it may have been sent.
    pub fn unknown(mut self) -> Self {
        self.unknown = true;
        self
    }

    /// The outcome is lost because nothing was said in time (504: to the gateway before it), as by a receiver that
    /// takes the message and is only too slow. Any other error of a server is an answer: it is down.
    pub fn unanswered(&self) -> bool {
        self.unknown && (self.class == FailureClass::Timeout || self.code.as_deref().is_none_or(|code| code == "504"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.class, self.said())
    }
}

/// The first `max` characters, by letters and never in the middle of one, control characters
/// replaced by blanks.
pub fn cut(text: &str, max: usize) -> String {
    // Nearly every text is short, and of letters of which none is replaced.
    if text.len() <= max && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let clean = |c: char| if c.is_control() || is_treacherous(c) { ' ' } else { c };
    match text.char_indices().nth(max) {
        None => text.chars().map(clean).collect(),
        Some(_) if max == 0 => String::new(),
        Some(_) => text.chars().take(max - 1).map(clean).chain(['…']).collect(),
    }
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm, line and paragraph
/// separators, zero-width characters but the joiners, tags: what makes a line look like another one.
pub fn is_treacherous(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
