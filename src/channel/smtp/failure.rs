//! What a mail server's refusal means: by where it came and by its codes (RFC 5321 4.2, RFC 3463).

use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net;
use lettre::transport::smtp::Error;
use std::error::Error as _;

/// Where in the conversation we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    StartTls,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    /// The text is going out, or is out: without an answer nobody knows.
    Text,
    Noop,
}

/// Nothing came in time.
pub(super) fn stalled(stage: Stage) -> Failure {
    let words = format!("no answer in time {}", place(stage));
    lost(Failure::new(FailureClass::Timeout, Blame::Channel, words), stage)
}

/// There is no connection, or no TLS on it.
pub(super) fn unreached(error: &std::io::Error) -> Failure {
    match error.kind() {
        // Without words of its own: the deadline for all of it.
        std::io::ErrorKind::TimedOut if error.get_ref().is_none() => stalled(Stage::Connect),
        _ => net::answer::unreached(error),
    }
}

/// The server does not offer what the config demands; going on in plain text is no choice.
pub(super) fn no_starttls() -> Failure {
    let words =
        "the server does not offer STARTTLS; nothing was sent (tls = \"implicit\" or another port may be right)";
    Failure::new(FailureClass::ProviderError, Blame::Channel, words)
}

/// A reply of the server, or a connection that broke.
pub(super) fn of(stage: Stage, error: &Error) -> Failure {
    match error.status() {
        Some(code) => refused(stage, u16::from(code), &text_of(error)),
        None if error.is_client() && stage == Stage::Auth => {
            Failure::new(FailureClass::AuthError, Blame::Account, format!("no way to log in: {}", text_of(error)))
        }
        None => {
            let words = format!("{} {}", text_of(error), place(stage));
            lost(Failure::new(FailureClass::ProviderError, Blame::Channel, words), stage)
        }
    }
}

/// The connection is over, with 421 or without a word.
pub(super) fn is_goodbye(error: &Error) -> bool {
    error.status().is_none_or(|code| u16::from(code) == 421)
}

fn refused(stage: Stage, code: u16, text: &str) -> Failure {
    use FailureClass::{AuthError, ProviderError, ValidationError};
    let enhanced = text.split_whitespace().next().filter(|w| is_enhanced(w));
    let policy = enhanced.is_some_and(|e| e.starts_with("5.7."));
    let (class, blame) = match (code, stage) {
        (530 | 534 | 535 | 538, _) => (AuthError, Blame::Account),
        (500.., Stage::Auth) => (AuthError, Blame::Account),
        // Greylisted, or a box that is busy: another recipient may be welcome. 4.3 is the server's own trouble.
        (450 | 451, Stage::RcptTo) if !enhanced.is_some_and(|e| e.starts_with("4.3.")) => {
            (ProviderError, Blame::Recipient)
        }
        // Busy, full for now.
        (..500, _) => (ProviderError, Blame::Channel),
        (_, Stage::Connect | Stage::StartTls | Stage::Noop) => (ProviderError, Blame::Channel),
        // Too big, wherever it is said.
        (552, _) => (ValidationError, Blame::Message),
        // Our sender, or a rule of this server (relaying, spam): another way may do it.
        (_, Stage::MailFrom) => (ProviderError, Blame::Provider),
        _ if policy => (ProviderError, Blame::Provider),
        (_, Stage::RcptTo | Stage::Data | Stage::Text) => (ValidationError, Blame::Message),
    };
    let shown = enhanced.map_or_else(|| code.to_string(), |e| format!("{code} {e}"));
    let words = enhanced.map_or(text, |e| text[e.len()..].trim_start());
    Failure::new(class, blame, words).code(shown)
}

/// `5.1.1`
fn is_enhanced(word: &str) -> bool {
    word.split('.').count() == 3 && word.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

fn lost(failure: Failure, stage: Stage) -> Failure {
    if stage == Stage::Text { failure.unknown() } else { failure }
}

fn place(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "while connecting",
        Stage::StartTls => "at STARTTLS",
        Stage::Auth => "at AUTH",
        Stage::MailFrom => "at MAIL FROM",
        Stage::RcptTo => "at RCPT TO",
        Stage::Data => "at DATA",
        Stage::Text => "after the text",
        Stage::Noop => "at NOOP",
    }
}

/// The server's words, or the innermost cause.
fn text_of(error: &Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    match error.source() {
        Some(_) => last.to_string(),
        None => error.to_string(),
    }
}
