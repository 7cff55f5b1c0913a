//! Sends requests and reads answers.

use crate::ctl::client::bytes::Bytes;
use crate::ctl::client::call::{Answer, Call};
use crate::ctl::client::place::Place;
use crate::ctl::client::sse::Messages;
use crate::ctl::global::Global;
use crate::ctl::trouble::{Refusal, Trouble};
use reqwest::{RequestBuilder, Response};
use std::time::Duration;

/// An answer is read into memory up to this; a bigger one is not from our daemon.
const LARGEST_ANSWER: usize = 256 << 20;

/// The daemon's door.
pub struct Api {
    http: reqwest::Client,
    place: Place,
}

impl Api {
    /// # Errors
    /// An address or a token file that cannot be used.
    pub fn new(global: &Global) -> Result<Api, Trouble> {
        let place = Place::of(global)?;
        Ok(Api { http: place.client()?, place })
    }

    /// # Errors
    /// The daemon is not there, says no, or answers with something that is no JSON.
    pub async fn ask(&self, call: Call) -> Result<Answer, Trouble> {
        let patience = call.patience;
        let response = self.send(call, "application/json", Some(patience)).await?;
        let raw = self.body(response).await?;
        match serde_json::from_slice(&raw) {
            Ok(document) => Ok(Answer { raw, document }),
            Err(_) => Err(Trouble::Failed(format!("{} answered with something that is not JSON", self.place))),
        }
    }

    /// An answer that is read bit by bit, however long that takes.
    ///
    /// # Errors
    /// As [`Api::ask`].
    pub async fn open(&self, call: Call, accept: &'static str) -> Result<Bytes<'_>, Trouble> {
        let response = self.send(call, accept, None).await?;
        Ok(Bytes { response, place: &self.place })
    }

    /// Server-sent events.
    ///
    /// # Errors
    /// As [`Api::ask`].
    pub async fn messages(&self, call: Call) -> Result<Messages<'_>, Trouble> {
        Ok(Messages::new(self.open(call, "text/event-stream").await?))
    }

    async fn send(&self, call: Call, accept: &str, limit: Option<Duration>) -> Result<Response, Trouble> {
        let request = self.request(call, accept);
        let request = limit.into_iter().fold(request, RequestBuilder::timeout);
        let response = request.send().await.map_err(|e| self.place.explain(&e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        Err(Trouble::Refused(Refusal::read(status, self.body(response).await?)))
    }

    fn request(&self, call: Call, accept: &str) -> RequestBuilder {
        let mut request = self.http.request(call.method, self.place.url(&call.path)).header("accept", accept);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(id) = call.last_event_id {
            request = request.header("last-event-id", id);
        }
        self.place.authorize(request)
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Trouble> {
        let mut body = vec![];
        while let Some(chunk) = response.chunk().await.map_err(|e| self.place.explain(&e))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(Trouble::Failed(format!("{} answered with more than 256 MiB", self.place)));
            }
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    #[tokio::test]
    async fn a_daemon_that_does_not_answer_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("control.sock");
        // Connections wait in its queue for ever.
        let _listener = UnixListener::bind(&socket).unwrap();
        let global = Global { socket: Some(socket), url: None, token_file: None, json: false, quiet: false };
        let mut call = Call::post(&["incidents"], serde_json::json!({}));
        call.patience = Duration::from_millis(50);
        let trouble = Api::new(&global).unwrap().ask(call).await.unwrap_err();
        assert!(
            matches!(&trouble, Trouble::Unreachable(m) if m.contains("whether it took the request is not known")),
            "{trouble:?}"
        );
    }
}
