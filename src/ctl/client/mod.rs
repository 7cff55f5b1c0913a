//! Speaks to the daemon: one request, one answer, or a stream of bytes.
//!
//! Over the Unix socket no name is resolved and no TLS root is read, so that a call costs
//! milliseconds. Nothing is retried here: a request that changes something may have been accepted
//! although its answer was lost, and the error says so.

mod place;
mod sse;

pub use sse::{Message, Messages};

use crate::ctl::cli::Global;
use crate::ctl::trouble::{Refusal, Trouble};
use place::Place;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use std::time::Duration;

/// For whatever the daemon answers from its memory.
const PATIENCE: Duration = Duration::from_secs(30);
/// An answer is read into memory up to this; a bigger one is not from our daemon.
const LARGEST_ANSWER: usize = 256 << 20;

/// One request, by its path under `/api/v1/`.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    last_event_id: Option<String>,
    patience: Duration,
}

impl Call {
    fn new(method: Method, path: &[&str], body: Option<Value>) -> Call {
        let path = path.iter().map(|&s| s.to_owned()).collect();
        Call { method, path, query: vec![], body, last_event_id: None, patience: PATIENCE }
    }

    pub fn get(path: &[&str]) -> Call {
        Call::new(Method::GET, path, None)
    }
    pub fn post(path: &[&str], body: Value) -> Call {
        Call::new(Method::POST, path, Some(body))
    }
    pub fn put(path: &[&str], body: Value) -> Call {
        Call::new(Method::PUT, path, Some(body))
    }
    pub fn delete(path: &[&str]) -> Call {
        Call::new(Method::DELETE, path, None)
    }

    /// A query parameter, left out when there is no value.
    pub fn with(mut self, key: &'static str, value: Option<impl ToString>) -> Call {
        self.query.extend(value.map(|v| (key, v.to_string())));
        self
    }

    /// Where a stream goes on.
    pub fn after(mut self, id: Option<String>) -> Call {
        self.last_event_id = id;
        self
    }

    /// How much longer than usual the answer may take.
    pub fn patient(mut self, more: Duration) -> Call {
        self.patience += more;
        self
    }
}

/// A success.
#[derive(Debug)]
pub struct Answer {
    /// As it came.
    pub raw: Vec<u8>,
    pub document: Value,
}

impl Answer {
    /// What several answers come to, as one document.
    pub fn made_here(document: Value) -> Answer {
        Answer { raw: document.to_string().into_bytes(), document }
    }
}

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

/// An answer, bit by bit.
pub struct Bytes<'a> {
    response: Response,
    place: &'a Place,
}

impl Bytes<'_> {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        let chunk = self.response.chunk().await.map_err(|e| self.place.explain(&e))?;
        Ok(chunk.map(|c| c.to_vec()))
    }
}
