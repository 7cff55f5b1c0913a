//! Twilio's error codes, by what follows from each (twilio.com/docs/api/errors).
//!
//! Twilio splits codes from time to time, so a code we don't know is judged by its HTTP status; a
//! 400 we don't know is this provider's refusal and falls back, because a lost alarm is worse than
//! a second provider saying no, too.

use crate::channel::http;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::Answer;

/// The request was refused.
pub(super) fn refused(answer: &Answer, code: Option<u64>, message: Option<String>) -> Failure {
    let words = message.unwrap_or_else(|| answer.words());
    let Some(code) = code else { return http::by_status(answer, words) };
    let failure = match known(code) {
        Some((class, blame)) => Failure::new(class, blame, words).retry_after(answer.retry_after),
        None => http::by_status(answer, words),
    };
    failure.code(code)
}

/// It was accepted and has failed already.
pub(super) fn failed(answer: &Answer, code: Option<u64>, message: Option<String>, status: &str) -> Failure {
    later(code, message.as_deref(), status).retry_after(answer.retry_after)
}

/// It was accepted, and failed later.
pub(super) fn later(code: Option<u64>, words: Option<&str>, status: &str) -> Failure {
    let words = words.map_or_else(|| format!("Twilio says {status}"), str::to_owned);
    let (class, blame) = code.and_then(known).unwrap_or((FailureClass::ProviderError, Blame::Provider));
    let failure = Failure::new(class, blame, words);
    match code {
        Some(code) => failure.code(code),
        None => failure.code(status),
    }
}

fn known(code: u64) -> Option<(FailureClass, Blame)> {
    use FailureClass::{AuthError, ProviderError, RateLimited, ValidationError};
    Some(match code {
        // Wrong key, suspended account, missing permission.
        20003 | 70051 | 30002 => (AuthError, Blame::Account),
        // No such account, or a wrong base URL.
        20404 => (ProviderError, Blame::Account),
        // Never processed; the sender's or Twilio's queue is full.
        20429 | 21611 | 30001 | 30022 => (RateLimited, Blame::Channel),
        // The day's share of this sender at one carrier.
        30023 => (RateLimited, Blame::Provider),
        // The account's limit of the day.
        63038 => (RateLimited, Blame::Account),
        // The number: not one, not reachable, opted out, not mobile, unknown, blocked by its carrier.
        21211 | 21214 | 21217 | 13224 | 21610 | 21614 | 21635 | 30004 | 30005 | 30006 => {
            (ValidationError, Blame::Message)
        }
        // Our own request: no number, bad callback, no text, too long, bad parameter, bad TwiML.
        21201 | 21205 | 21602 | 21609 | 21617 | 21619 | 21624 | 12100 => (ValidationError, Blame::Message),
        // Another provider may do it: region, sender, trial, blocked, this pair, spam, price, registration.
        21408 | 21215 | 21216 | 21210 | 21212 | 21601 | 21606 | 21608 | 21612 | 21660 | 30007 | 30010 | 30034
        | 30450 => (ProviderError, Blame::Provider),
        // The handset is off: another way, now.
        30003 => (ProviderError, Blame::Provider),
        // Once more may do.
        30008 | 30009 | 30410 => (ProviderError, Blame::Channel),
        _ => return None,
    })
}
