//! Sends requests and reads answers.

use crate::ctl::client::bytes::Bytes;
use crate::ctl::client::call::{Answer, Call};
use crate::ctl::client::place::Place;
use crate::ctl::client::sse::Messages;
use crate::ctl::global::Global;
use crate::ctl::trouble::{Refusal, Trouble};
use crate::net::{Broken, Line, RequestBuilder};
use hyper::{Method, StatusCode};
use tokio::time::timeout;

/// An answer is read into memory up to this; a bigger one is not from our daemon.
const LARGEST_ANSWER: usize = 256 << 20;

/// The daemon's door.
pub struct Api {
    place: Place,
}

impl Api {
    /// # Errors
    /// An address or a token file that cannot be used.
    pub fn new(global: &Global) -> Result<Api, Trouble> {
        Ok(Api { place: Place::of(global)? })
    }

    /// # Errors
    /// The daemon is not there, says no, or answers with something that is no JSON.
    pub async fn ask(&self, call: Call) -> Result<Answer, Trouble> {
        let patience = call.patience;
        let asked = async { self.rest_of(self.open(call, "application/json").await?).await };
        let raw = timeout(patience, asked).await.map_err(|_| self.place.late())??;
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
        let (status, bytes) = self.send(call, accept).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(Trouble::Refused(Refusal::read(status.as_u16(), self.rest_of(bytes).await?)))
    }

    /// Server-sent events.
    ///
    /// # Errors
    /// As [`Api::ask`].
    pub async fn messages(&self, call: Call) -> Result<Messages<'_>, Trouble> {
        Ok(Messages::new(self.open(call, "text/event-stream").await?))
    }

    /// Over a connection of its own.
    async fn send(&self, call: Call, accept: &'static str) -> Result<(StatusCode, Bytes<'_>), Trouble> {
        let place = &self.place;
        let mut to = place.url(&call.path);
        for (name, value) in &call.query {
            to = to.with(name, value);
        }
        let mut request = RequestBuilder::default().header("accept", accept);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(id) = call.last_event_id {
            request = request.header("last-event-id", id);
        }
        let changes = call.method != Method::GET;
        let request = place.authorize(request).finish(call.method, &to);
        let request = request.map_err(|failure| Trouble::Usage(failure.words))?;
        let mut line = Line::over(place.connect().await?).await.map_err(|error| place.broke_off(&error))?;
        let response = line.ask(request).await.map_err(|broken| match broken {
            Broken::Lost(error) if changes => place.perhaps_taken(&error),
            Broken::Lost(error) => place.broke_off(&error),
            Broken::Unsent(_) => Trouble::Unreachable(format!("{place} broke the connection off before the request")),
        })?;
        let (head, body) = response.into_parts();
        Ok((head.status, Bytes { line, body, place }))
    }

    async fn rest_of(&self, mut bytes: Bytes<'_>) -> Result<Vec<u8>, Trouble> {
        let mut body = vec![];
        while let Some(chunk) = bytes.next().await? {
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
    use std::time::Duration;
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
