//! What an operator may add to a request: headers, credentials, a signature of ours.
//!
//! Settings: `headers` (`{ "X-Team" = "ops" }`, the values are secrets), `auth = { bearer = "..." }`
//! or `auth = { username = "...", password = "..." }`, and `signing_secret`: with it each request has
//! the header `X-Stentor-Signature: t=<seconds since 1970>,v1=<hex>`, the HMAC-SHA256 of
//! `<t>.<body>` under that secret, so that a receiver knows whom it comes from and when.

use crate::channel::http::{self, Way};
use crate::channel::sign;
use crate::domain::clock;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::RequestBuilder;
use crate::net::{Answer, base64};
use crate::settings::Table;
use hyper::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// The header of our own signature.
const SIGNATURE: &str = "X-Stentor-Signature";

#[derive(Debug)]
pub(super) struct Dress {
    headers: BTreeMap<String, Secret>,
    auth: Auth,
    signing: Option<Secret>,
}

#[derive(Debug)]
enum Auth {
    None,
    Bearer(Secret),
    Basic(String, Secret),
}

impl Dress {
    /// `None` when something was wrong, which has been said. What is secret is hidden in answers.
    pub fn read(table: &mut Table<'_>, way: &mut Way) -> Option<Dress> {
        let headers = headers(table);
        let auth = auth(table);
        let written = table.has("signing_secret");
        let signing = table.secret("signing_secret");
        if signing.is_none() && written {
            return None;
        }
        let (headers, auth) = (headers?, auth?);
        let signing = signing.filter(|secret| !secret.is_empty());
        way.hide(headers.values().map(Secret::reveal));
        way.hide(auth.secrets());
        way.hide(signing.as_ref().map(Secret::reveal));
        Some(Dress { headers, auth, signing })
    }

    /// For a request with this body; an empty one where there is none.
    pub fn put_on(&self, mut request: RequestBuilder, body: &str) -> RequestBuilder {
        for (name, value) in &self.headers {
            request = request.header(name, value.reveal());
        }
        if let Some(secret) = &self.signing {
            request = request.header(SIGNATURE, signature(secret, clock::wall().0 / 1_000_000, body));
        }
        match &self.auth {
            Auth::None => request,
            Auth::Bearer(token) => request.bearer_auth(token.reveal()),
            Auth::Basic(username, password) => request.basic_auth(username, Some(password.reveal())),
        }
    }

    /// The headers with their secrets, for what is not sent by the HTTP client.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let own = self.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
        let auth = match &self.auth {
            Auth::None => None,
            Auth::Bearer(token) => Some(format!("Bearer {}", token.reveal())),
            Auth::Basic(username, password) => {
                Some(format!("Basic {}", sign::base64(format!("{username}:{}", password.reveal()))))
            }
        };
        own.chain(auth.map(|value| ("Authorization".to_owned(), value))).collect()
    }

    /// The headers without their secrets, for a description.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.headers.keys().map(|name| format!("{name}: [secret]")).collect();
        if self.signing.is_some() {
            lines.push(format!("{SIGNATURE}: t=...,v1=..."));
        }
        match &self.auth {
            Auth::None => {}
            Auth::Bearer(_) => lines.push("Authorization: Bearer [secret]".into()),
            Auth::Basic(..) => lines.push("Authorization: Basic [secret]".into()),
        }
        lines
    }
}

fn signature(secret: &Secret, at: i64, body: &str) -> String {
    let mac = sign::hmac_sha256(secret.reveal().as_bytes(), format!("{at}.{body}"));
    format!("t={at},v1={}", sign::hex(&mac))
}

fn headers(table: &mut Table<'_>) -> Option<BTreeMap<String, Secret>> {
    let headers = table.secret_map("headers").unwrap_or_default();
    let wrong = headers.iter().find_map(|(name, value)| {
        let well = HeaderName::try_from(name.as_str()).is_ok() && header_value(value.reveal()).is_ok();
        (!well).then(|| format!("{name:?} is not a header's name, or its value holds a line break"))
    });
    match wrong {
        None => Some(headers),
        Some(words) => {
            table.error("headers", words, "write headers = { \"X-Team\" = \"ops\" }");
            None
        }
    }
}

/// A header's value can hold no control character.
pub(super) fn header_value(text: &str) -> Result<(), String> {
    HeaderValue::try_from(text)
        .map(drop)
        .map_err(|_| "a header's value holds a line break or a control character".into())
}

fn auth(table: &mut Table<'_>) -> Option<Auth> {
    let Some(mut auth) = table.table("auth") else { return (!table.has("auth")).then_some(Auth::None) };
    let (bearer, username, password) = (auth.secret("bearer"), auth.text("username"), auth.secret("password"));
    let said = ["bearer", "username", "password"].map(|key| auth.has(key));
    if said != [bearer.is_some(), username.is_some(), password.is_some()] {
        // What is wrong with it has been said.
        return None;
    }
    match (bearer, username, password) {
        (Some(token), None, None) => Some(Auth::Bearer(token)),
        (None, Some(username), Some(password)) => Some(Auth::Basic(username, password)),
        _ => {
            let hint = "write auth = { bearer = \"...\" } or auth = { username = \"...\", password = \"...\" }";
            auth.error("", "either a bearer token, or a username and a password", hint);
            None
        }
    }
}

impl Auth {
    /// In each form in which the far end gets to see them.
    fn secrets(&self) -> Vec<String> {
        match self {
            Auth::None => Vec::new(),
            Auth::Bearer(token) => vec![token.reveal().to_owned()],
            Auth::Basic(username, password) => {
                let login = base64::encode(&format!("{username}:{}", password.reveal()));
                vec![password.reveal().to_owned(), login]
            }
        }
    }
}

/// What a receiver of the operator's own means by a status that is no success.
pub(super) fn refused(answer: &Answer, words: String) -> Failure {
    match answer.status {
        // What we sent is at fault; no other way would make it better.
        400 | 413 | 415 | 422 => Failure::new(FailureClass::ValidationError, Blame::Message, words).code(answer.status),
        _ => http::by_status(answer, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_the_time_and_the_body() {
        // Computed with Python's hmac.
        let signed = signature(&Secret::new("s3cret"), 1_763_640_000, "{\"x\":1}");
        assert_eq!(signed, "t=1763640000,v1=6c48431c5d5f77e355a39ab9a372806d589dee9e98982c159001fc13fce9a31b");
        assert_ne!(signed, signature(&Secret::new("s3cret"), 1_763_640_001, "{\"x\":1}"));
    }
}
