//! One request and its answer.

use crate::net::Method;
use serde_json::Value;
use std::time::Duration;

/// For whatever the daemon answers from its memory.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request, by its path under `/api/v1/`.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) method: Method,
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) last_event_id: Option<String>,
    pub(super) patience: Duration,
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
