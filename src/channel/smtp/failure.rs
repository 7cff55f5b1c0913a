//! What a mail server's refusal means: by where it came and by its codes (RFC 5321 4.2, RFC 3463).

use crate::channel::smtp::dialogue::{Fault, Reply};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net;

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

/// By what it says in EHLO.
pub(super) fn too_large(size: u64) -> Failure {
    let words = format!("the server takes mails of at most {size} bytes");
    Failure::new(FailureClass::ValidationError, Blame::Message, words).code("552 5.3.4")
}

/// No way to log in is offered that we know.
pub(super) fn no_login(words: &str) -> Failure {
    Failure::new(FailureClass::AuthError, Blame::Account, format!("no way to log in: {words}"))
}

/// A reply of the server, or a connection that broke.
pub(super) fn of(stage: Stage, fault: &Fault) -> Failure {
    match fault {
        // The server and we are out of step; after the text nobody knows what it has.
        Fault::Refused(reply) if reply.code < 400 && stage != Stage::Auth => {
            let words = format!("out of step: answered {} {}", reply.code, place(stage));
            lost(Failure::new(FailureClass::ProviderError, Blame::Channel, words), stage)
        }
        Fault::Refused(reply) => refused(stage, reply),
        Fault::Early(error) => {
            Failure::new(FailureClass::ProviderError, Blame::Channel, format!("{error} before the end of the text"))
        }
        Fault::Lost(error) => {
            let words = format!("{error} {}", place(stage));
            lost(Failure::new(FailureClass::ProviderError, Blame::Channel, words), stage)
        }
    }
}

/// The connection is over, with 421 or without a word.
pub(super) fn is_goodbye(fault: &Fault) -> bool {
    !matches!(fault, Fault::Refused(reply) if reply.code != 421)
}

fn refused(stage: Stage, reply: &Reply) -> Failure {
    use FailureClass::{AuthError, ProviderError, ValidationError};
    let code = reply.code;
    let enhanced = reply.text().split_whitespace().next().filter(|w| is_enhanced(w));
    let policy = enhanced.is_some_and(|e| e.starts_with("5.7."));
    let (class, blame) = match (code, stage) {
        (530 | 534 | 535 | 538, _) => (AuthError, Blame::Account),
        (500.., Stage::Auth) => (AuthError, Blame::Account),
        // Greylisted, or a box that is busy: another recipient may be welcome. 4.3 is the server's own trouble.
        (450 | 451, Stage::RcptTo) if !enhanced.is_some_and(|e| e.starts_with("4.3.")) => {
            (ProviderError, Blame::Recipient)
        }
        // A box that is full, or not to be reached for now; 4.3 is the server's trouble, 4.5.3 the number of recipients.
        (400..500, Stage::RcptTo | Stage::Data | Stage::Text)
            if enhanced.is_some_and(|e| e.starts_with("4.2.") || e.starts_with("4.1.")) =>
        {
            (ProviderError, Blame::Recipient)
        }
        // Busy, full for now.
        (..500, _) => (ProviderError, Blame::Channel),
        (_, Stage::Connect | Stage::StartTls | Stage::Noop) => (ProviderError, Blame::Channel),
        // The box is full or closed, the address is right: who has it is reached by another way.
        (500.., Stage::RcptTo | Stage::Data | Stage::Text) if matches!(enhanced, Some("5.2.1" | "5.2.2")) => {
            (ProviderError, Blame::Provider)
        }
        // Too big, wherever it is said.
        (552, _) => (ValidationError, Blame::Message),
        // Our sender, or a rule of this server (relaying, spam): another way may do it.
        (_, Stage::MailFrom) => (ProviderError, Blame::Provider),
        _ if policy => (ProviderError, Blame::Provider),
        (_, Stage::RcptTo | Stage::Data | Stage::Text) => (ValidationError, Blame::Message),
    };
    let shown = enhanced.map_or_else(|| code.to_string(), |e| format!("{code} {e}"));
    let without = |line: &String| enhanced.and_then(|e| line.strip_prefix(e)).unwrap_or(line).trim().to_owned();
    let words: Vec<String> = reply.lines.iter().map(without).filter(|words| !words.is_empty()).collect();
    Failure::new(class, blame, words.join(" ")).code(shown)
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
