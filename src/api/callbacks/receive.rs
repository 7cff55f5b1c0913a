//! One call: read within limits, checked, and whose it is.

use super::Outcome;
use crate::api::{Api, guard};
use crate::channel::Incoming;
use crate::domain::clock;
use crate::engine::{Answer, Ask, Called, Caller, Keyed, Role};
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// For the whole body.
const READING: Duration = Duration::from_secs(10);

/// A call that its provider has signed.
pub struct Received {
    pub provider: &'static str,
    /// The channel whose secrets fit.
    pub channel: String,
    get: bool,
    url: String,
    headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    /// Reads a call of at most so many bytes, and lets it through if one of this provider's channels says
    /// that it is the provider's.
    ///
    /// # Errors
    /// The answer to be given instead.
    pub async fn read(api: &Api, provider: &'static str, most: usize, request: Request) -> Result<Received, Response> {
        let config = api.handle.config();
        let Some(public_url) = config.http.as_ref().and_then(|http| http.public_url.clone()) else {
            return Err(StatusCode::NOT_FOUND.into_response());
        };
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let body = match tokio::time::timeout(READING, to_bytes(body, most)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => {
                return Err(reject(api, provider, StatusCode::PAYLOAD_TOO_LARGE, "its body is too large").await);
            }
            Err(_) => return Err(reject(api, provider, StatusCode::REQUEST_TIMEOUT, "its body did not come").await),
        };
        let mut received = Received {
            provider,
            channel: String::new(),
            get: parts.method == Method::GET,
            url: format!("{public_url}{path}"),
            headers: parts.headers,
            body,
        };
        let mut why = format!("no channel of {provider} has what it could be checked with");
        for channel in config.channels.values().filter(|channel| channel.kind.provider == provider) {
            let Some(confirmer) = channel.adapter.confirmer() else { continue };
            match confirmer.verify(&received.incoming()) {
                Ok(()) => {
                    received.channel = channel.name.clone();
                    return Ok(received);
                }
                Err(words) => why = words,
            }
        }
        Err(reject(api, provider, StatusCode::FORBIDDEN, &why).await)
    }

    fn incoming(&self) -> Incoming<'_> {
        Incoming { get: self.get, url: &self.url, headers: &self.headers, body: &self.body, now: clock::wall() }
    }

    pub fn form(&self) -> Vec<(String, String)> {
        self.incoming().form()
    }

    /// Hands to the engine what the call says, and counts it.
    pub async fn tell(&self, api: &Api, called: Called) -> Answer {
        let by = Caller { name: format!("callback {}", self.provider), person: None, role: Role::None };
        let answer = api.handle.ask(by, Ask::Called(called)).await;
        let outcome = match &answer {
            Ok(document) if document["known"] == false => Outcome::Unknown,
            Ok(_) => Outcome::Taken,
            Err(_) => Outcome::Refused,
        };
        api.metrics.callback(self.provider, outcome);
        answer
    }

    /// Signed, but about nothing that we know; the provider is told that all is well.
    pub fn unknown(&self, api: &Api) {
        api.metrics.callback(self.provider, Outcome::Unknown);
        tracing::info!(provider = self.provider, "a signed call is about nothing that is at hand");
    }

    /// Signed, but not in the provider's form.
    pub async fn malformed(&self, api: &Api) -> Response {
        reject(api, self.provider, StatusCode::BAD_REQUEST, "it is not in the provider's form").await
    }
}

/// The key in the path.
pub fn keyed(key: &str) -> Option<Keyed> {
    Keyed::parse(key)
}

/// No side effect but the count and, now and then, a record.
async fn reject(api: &Api, provider: &'static str, status: StatusCode, why: &str) -> Response {
    api.metrics.callback(provider, Outcome::Rejected);
    let by = Caller { name: format!("callback {provider}"), person: None, role: Role::None };
    guard::record(api, stranger(provider), by, &format!("call back as {provider}: {why}")).await;
    status.into_response()
}

/// Refused calls are counted apart for each provider.
fn stranger(provider: &str) -> u32 {
    u32::MAX - 1 - u32::from(provider.bytes().next().unwrap_or_default())
}

/// Which of the provider's channels has this number: the one that says it takes what comes in, and sends from
/// it; else one that takes what comes in; else whichever.
pub fn channel_of(api: &Api, provider: &str, number: &str, otherwise: &str) -> String {
    let config = api.handle.config();
    let takes = |own: bool| {
        let mut all = config.channels.values().filter(|c| c.kind.provider == provider);
        let fits = |c: &&crate::config::ChannelConfig| {
            c.adapter.confirmer().is_some_and(|confirmer| confirmer.inbound() && (!own || confirmer.has(number)))
        };
        all.find(fits).map(|c| c.name.clone())
    };
    takes(true).or_else(|| takes(false)).unwrap_or_else(|| otherwise.to_owned())
}
