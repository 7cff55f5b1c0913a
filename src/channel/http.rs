//! What every channel over HTTP shares: its settings, the way out, and what a status means when
//! the provider has no words of its own for it.
//!
//! Settings: `timeout` (default "15s"), `connect_timeout` ("5s"), `ca_file` (more roots, PEM), `allow_plain` (http:// beyond
//! loopback).

use crate::channel::Outgoing;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::net::RequestBuilder;
use crate::net::Wire;
use crate::net::{Answer, Client, Endpoint, Method, REQUEST_TIMEOUT, Reach, tls};
use crate::settings::Table;
use lettre::message::Mailbox;
use std::path::{Path, PathBuf};

/// Leads nowhere (RFC 6761); stands in a simulated channel whose address is not known.
const NOWHERE: &str = "https://simulated.invalid";

/// The client with its settings, and what must not come back out of an answer.
#[derive(Debug)]
pub(super) struct Way {
    client: Client,
    pub reach: Reach,
    secrets: Vec<Secret>,
}

impl Way {
    pub fn read(table: &mut Table<'_>) -> Way {
        let timeout = timeout(table);
        let ca_file = ca_file(table);
        let plain = table.flag("allow_plain").unwrap_or_default();
        let link_local = table.flag("allow_link_local").unwrap_or_default();
        let reach = Reach { plain, link_local };
        let client = Client::new(timeout.to_std(), ca_file, reach);
        let client = match table.span("connect_timeout") {
            Some(connecting) => client.connecting_within(connecting.to_std()),
            None => client,
        };
        Way { client, reach, secrets: Vec::new() }
    }

    /// These never appear in an answer that this way hands back, even when the far end echoes them.
    pub fn hide<T: Into<String>>(&mut self, texts: impl IntoIterator<Item = T>) {
        // What is shorter is in too many innocent words.
        self.secrets.extend(texts.into_iter().map(Into::into).filter(|t| t.len() >= 4).map(Secret::new));
        self.secrets.sort_by_key(|s| std::cmp::Reverse(s.reveal().len()));
    }

    pub async fn send(
        &self,
        method: Method,
        to: &Endpoint,
        dress: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        let mut answer = self.send_secretly(method, to, dress).await?;
        self.clean(&mut answer);
        Ok(answer)
    }

    /// The answer as it came, for those who are given a secret by it; before a word of it goes
    /// anywhere, [`Way::clean`].
    pub async fn send_secretly(
        &self,
        method: Method,
        to: &Endpoint,
        dress: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        self.client.send(method, to, dress).await
    }

    /// Takes our secrets out of it.
    pub fn clean(&self, answer: &mut Answer) {
        answer.body = scrub(std::mem::take(&mut answer.body), &self.secrets);
        answer.drop_headers(|value| self.secrets.iter().any(|s| value.contains(s.reveal())));
    }

    /// Connects and sends nothing.
    pub async fn connect(&self, to: &Endpoint) -> Result<String, Failure> {
        self.client.connect(to).await
    }

    /// A connection for what is not HTTP.
    pub async fn open(&self, to: &Endpoint) -> Result<Box<dyn Wire>, Failure> {
        self.client.open(to).await
    }

    /// A text of the far end without our secrets.
    pub fn scrubbed(&self, text: &str) -> String {
        String::from_utf8_lossy(&scrub(text.as_bytes().to_vec(), &self.secrets)).into_owned()
    }
}

/// Takes the secrets out of a text.
pub(super) fn scrub(body: Vec<u8>, secrets: &[Secret]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    if !secrets.iter().any(|s| text.contains(s.reveal())) {
        return body;
    }
    secrets.iter().fold(text.to_owned(), |text, s| text.replace(s.reveal(), "[secret]")).into_bytes()
}

/// Of one attempt. A twentieth is left to the caller, whose deadline is the same setting, so that
/// the failure can say how far it came.
pub(super) fn timeout(table: &mut Table<'_>) -> Span {
    let timeout = table.span("timeout").unwrap_or(Span::from_std(REQUEST_TIMEOUT));
    Span(timeout.0 - timeout.0 / 20)
}

/// `attachments_mib`: bytes of files that one message carries.
pub(super) fn attachments(table: &mut Table<'_>) -> u64 {
    table.integer("attachments_mib", 0..=25).map_or(20, i64::unsigned_abs) << 20
}

/// A file that is not there is a warning: an alarm daemon starts all the same.
pub(super) fn ca_file(table: &mut Table<'_>) -> Option<PathBuf> {
    let path = PathBuf::from(table.text("ca_file").filter(|p| !p.is_empty())?);
    if let Err(why) = tls::read_certificates(Path::new(&path)) {
        table.warning("ca_file", why, "this channel fails until the file is right");
    }
    Some(path)
}

/// A URL that is a secret as a whole; stands for nowhere if simulated and missing.
pub(super) fn secret_url(table: &mut Table<'_>, key: &str, example: &str, reach: Reach) -> Option<Endpoint> {
    let url = table.require_secret(key, example)?;
    if url.is_empty() {
        return nowhere();
    }
    let (message, hint) = match Endpoint::parse(url.reveal(), reach) {
        Ok(endpoint) => return Some(endpoint),
        Err(why) => why.split_once("; ").map_or((why.clone(), String::new()), |(m, h)| (m.into(), h.into())),
    };
    table.error(key, message, hint);
    None
}

/// Where a simulated channel would send to.
pub(super) fn nowhere() -> Option<Endpoint> {
    Endpoint::parse(NOWHERE, Reach::default()).ok()
}

/// The provider's address, which tests and proxies replace.
pub(super) fn base_url(table: &mut Table<'_>, default: &str, reach: Reach) -> Option<Endpoint> {
    if table.has("base_url") {
        return table.parsed("base_url", |text| Endpoint::parse(text, reach));
    }
    Endpoint::parse(default, reach).ok()
}

/// What a status means by itself (contracts 0.3 to 0.5): 401 and 403 are the credentials, 429 and
/// 5xx the channel for now, 5xx and 408 may have been processed, 3xx is not followed, any other
/// 4xx is a refusal for good.
pub(super) fn by_status(answer: &Answer, words: impl AsRef<str>) -> Failure {
    use FailureClass::{AuthError, ProviderError, RateLimited, Timeout};
    let failure = match answer.status {
        401 | 403 => Failure::new(AuthError, Blame::Account, words),
        408 => Failure::new(Timeout, Blame::Channel, words).unknown(),
        // Too early: it was not looked at, and may come again (RFC 8470, 5.2).
        425 => Failure::new(ProviderError, Blame::Channel, words),
        429 => Failure::new(RateLimited, Blame::Channel, words),
        300..=399 => {
            let words = format!("redirects are not followed; the address has moved ({})", words.as_ref());
            Failure::new(ProviderError, Blame::Channel, words)
        }
        400..=499 => Failure::new(ProviderError, Blame::Provider, words),
        500.. => Failure::new(ProviderError, Blame::Channel, words).unknown(),
        _ => Failure::new(ProviderError, Blame::Channel, words),
    };
    failure.code(answer.status).retry_after(answer.retry_after)
}

/// What came is not what this provider answers: a captive portal, a proxy, a wrong address.
pub(super) fn not_theirs(answer: &Answer, provider: &str) -> Failure {
    let words = format!("answered {}, but not as {provider} does: {}", answer.status, answer.words());
    let failure = Failure::new(FailureClass::ProviderError, Blame::Channel, words).code(answer.status);
    // An answer that broke off may have been a good one.
    if answer.whole { failure } else { failure.unknown() }
}

pub(super) fn attempt(result: Result<AttemptResult, Failure>) -> AttemptResult {
    result.unwrap_or_else(AttemptResult::Failed)
}

/// What was accepted, and how it ended will be said.
pub(super) fn confirmed_later(result: AttemptResult, awaited: bool) -> AttemptResult {
    match result {
        AttemptResult::Sent { provider_id: Some(id), detail } if awaited => {
            AttemptResult::Submitted { provider_id: Some(id), detail }
        }
        AttemptResult::Priced { price, result } => confirmed_later(*result, awaited).priced(Some(price)),
        other => other,
    }
}

/// `confirm`: how long the provider's word is waited for before it is asked.
pub(super) fn patience(table: &mut Table<'_>) -> Span {
    let patience = table.parsed("confirm", |text| match Span::parse(text)? {
        span if (1..=3_600).contains(&span.as_secs()) => Ok(span),
        _ => Err(format!("{text:?} is out of range; write a time from \"1s\" to \"1h\"")),
    });
    patience.unwrap_or(Span::secs(30))
}

/// The failure of something that sent nothing: there is nothing to have been processed.
pub(super) fn harmless(mut failure: Failure) -> Failure {
    failure.unknown = false;
    failure
}

/// "Stentor <stentor@example.org>", or an address alone.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address; write \"Stentor <stentor@example.org>\""))
}

/// The number to send to.
pub(super) fn number(out: &Outgoing) -> Result<&str, Failure> {
    let missing = || Failure::new(FailureClass::ValidationError, Blame::Message, "there is no number to send to");
    out.address.as_deref().ok_or_else(missing)
}

/// At most this many characters, line breaks kept.
pub(super) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}
