//! What comes back from a provider: its calls to us, which it signs, and what it says when asked.
//!
//! The door receives, the adapter judges whether a call is its provider's, and reads what it says; the
//! engine decides what follows.

use crate::domain::event::Heard;
use crate::domain::failure::Failure;
use crate::domain::time::{Span, Timestamp};
use futures_util::future::BoxFuture;
use hyper::header::HeaderMap;

/// How the provider is to call back about one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Under which others reach us; no slash at its end.
    pub public_url: String,
    /// Names the attempt. It is part of the URL, and nobody can guess it.
    pub key: String,
    /// In a call, keys are offered.
    pub keys: bool,
}

impl Callback {
    /// `https://alarm.example.org/cb/twilio/status/<key>`
    pub fn url(&self, place: &str) -> String {
        format!("{}/cb/{place}/{}", self.public_url, self.key)
    }
}

/// A request from outside that says that it comes from a provider.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Everything stands in the query.
    pub get: bool,
    /// As the provider called it: the public URL, then path and query as they came.
    pub url: &'a str,
    pub headers: &'a HeaderMap,
    /// As it came.
    pub body: &'a [u8],
    pub now: Timestamp,
}

impl Incoming<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn query(&self) -> &str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }

    /// The fields of the form, in the order in which they came.
    pub fn form(&self) -> Vec<(String, String)> {
        let bytes = if self.get { self.query().as_bytes() } else { self.body };
        form_urlencoded::parse(bytes).into_owned().collect()
    }
}

/// What is said in a call that goes on.
#[derive(Debug, Default)]
pub struct Spoken<'a> {
    /// First of all: what came of the key.
    pub remark: &'a str,
    /// Then, with the menu of keys, which are sent to this URL; `None`: that was all.
    pub menu: Option<(&'a str, &'a str)>,
}

/// What a channel offers beside `send` whose provider says later how a message ended.
pub trait Confirmer: Send + Sync {
    /// Whether this call is the provider's: signed with our account's secret, over this URL, just now.
    ///
    /// # Errors
    /// Why it is not; for the operator, never for the caller.
    fn verify(&self, call: &Incoming<'_>) -> Result<(), String>;

    /// How the message with this id is; `None` where the provider cannot be asked. The caller holds
    /// the deadline.
    fn ask<'a>(&'a self, _provider_id: &'a str) -> Option<BoxFuture<'a, Result<Heard, Failure>>> {
        None
    }

    /// Whether `ask` tells what a message cost, some while after its end.
    fn prices(&self) -> bool {
        false
    }

    /// Ends a call: one that was picked up, or one that still rings.
    fn hang_up<'a>(&'a self, _provider_id: &'a str, _picked_up: bool) -> Option<BoxFuture<'a, Result<(), Failure>>> {
        None
    }

    /// What a call is answered that goes on; empty for all but voice.
    fn speak(&self, _spoken: &Spoken<'_>) -> String {
        String::new()
    }

    /// Whether answers to its messages come here.
    fn inbound(&self) -> bool {
        false
    }

    /// Whether this is a number that its messages come from.
    fn has(&self, _number: &str) -> bool {
        false
    }

    /// How long a word of the provider is waited for before it is asked.
    fn patience(&self) -> Span;
}
