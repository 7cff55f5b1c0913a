//! A stand-in for the daemon: real HTTP on a real socket, canned answers, recorded requests; and the
//! real binary, run against it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use std::borrow::BorrowMut;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::process::Command;

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    /// `Null` without one.
    pub body: Value,
}

struct Canned {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
}

#[derive(Default)]
struct Book {
    answers: Mutex<HashMap<String, Vec<Canned>>>,
    seen: Mutex<Vec<Seen>>,
}

/// What stands where the daemon would; it ends with the test.
pub struct Standin {
    dir: TempDir,
    book: Arc<Book>,
}

impl Standin {
    pub fn start() -> Standin {
        let dir = tempfile::tempdir().unwrap();
        let book = Arc::new(Book::default());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let listener = UnixListener::bind(dir.path().join("control.sock")).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Standin { dir, book }
    }

    /// `on("GET /api/v1/status", 200, json!({...}))`. Several for one request are given one after the
    /// other, the last one for ever.
    pub fn on(&self, request: &str, status: u16, body: Value) -> &Standin {
        self.on_bytes(request, status, "application/json", body.to_string())
    }

    pub fn on_bytes(
        &self,
        request: &str,
        status: u16,
        content_type: &'static str,
        body: impl Into<Vec<u8>>,
    ) -> &Standin {
        let canned = Canned { status, content_type, body: body.into() };
        self.book.answers.lock().unwrap().entry(request.to_owned()).or_default().push(canned);
        self
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }

    /// All requests so far; forgets them.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.book.seen.lock().unwrap())
    }

    /// Runs the command to its end.
    pub async fn ctl(&self, args: &[&str]) -> Ran {
        run(self.command(args), None).await
    }

    pub async fn ctl_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        run(self.command(args), Some(input)).await
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = stentorctl(args);
        command.env("STENTOR_SOCKET", self.socket());
        command
    }
}

async fn answer(State(book): State<Arc<Book>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.unwrap();
    let key = format!("{} {}", parts.method, parts.uri.path());
    book.seen.lock().unwrap().push(Seen {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() },
    });
    let mut answers = book.answers.lock().unwrap();
    let response = Response::builder();
    let Some(queue) = answers.get_mut(&key) else {
        return response.status(500).body(Body::from(format!("the test has no answer for {key}"))).unwrap();
    };
    let Canned { status, content_type, body } = &queue[0];
    let made = response.status(*status).header("content-type", *content_type).body(Body::from(body.clone())).unwrap();
    if queue.len() > 1 {
        queue.remove(0);
    }
    made
}

/// The real binary with an environment of its own.
pub fn stentorctl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stentorctl"));
    command.args(args).env_clear().env("TZ", "UTC").kill_on_drop(true);
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output as one JSON document, and nothing beside it.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a command to its end.
pub async fn run(mut command: impl BorrowMut<Command>, input: Option<&[u8]>) -> Ran {
    let command = command.borrow_mut();
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // A command that refuses its arguments does not read.
        let _ = pipe.write_all(input).await;
    }
    child.wait_with_output().await.unwrap().into()
}
