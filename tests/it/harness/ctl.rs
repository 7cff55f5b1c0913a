//! stentorctl: what it is asked, its exit code and what it prints.

use super::{Home, LONGEST};
use serde_json::Value;
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub const STENTORCTL: &str = env!("CARGO_BIN_EXE_stentorctl");

/// What came of one command.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Said {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The one document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not one JSON document ({e}): {self:?}"))
    }
}

impl Home {
    /// stentorctl as a command, at this daemon, as ourselves.
    pub fn stentorctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(STENTORCTL);
        command.env_clear().env("STENTOR_SOCKET", self.socket()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// As people use it.
    pub async fn ctl_text(&self, arguments: &[&str]) -> Said {
        run(&mut self.stentorctl(arguments)).await
    }

    /// As scripts use it, with `--json`.
    pub async fn ctl(&self, arguments: &[&str]) -> Said {
        run(self.stentorctl(arguments).arg("--json")).await
    }

    /// The document, when it went well.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> impl Future<Output = Value> {
        self.exits(0, arguments)
    }

    /// The document, when it exits with this code.
    #[track_caller]
    pub fn exits(&self, code: i32, arguments: &[&str]) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let said = self.ctl(arguments).await;
            assert_eq!(said.code, code, "{arguments:?} at {caller}: {said:?}");
            said.json()
        }
    }

    pub async fn status(&self) -> Value {
        self.ctl(&["status"]).await.json()
    }

    /// The rows of the ledger that are of these kinds, oldest first.
    pub async fn ledger(&self, kinds: &[&str]) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("&kind={kind}")).collect();
            let from = cursor.as_str().map_or(String::new(), |c| format!("&cursor={c}"));
            let path = format!("/api/v1/ledger?limit=200{}{from}", kinds.concat());
            let (status, page) = self.request("GET", &path, "").await;
            assert_eq!(status, 200, "{page}");
            rows.extend(page["entries"].as_array().unwrap().iter().cloned());
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                return rows;
            }
        }
    }
}

/// Runs it to its end.
pub async fn run(command: &mut Command) -> Said {
    let output = tokio::time::timeout(LONGEST * 2, command.output()).await;
    Said::of(output.unwrap_or_else(|_| panic!("{command:?} does not end")).unwrap())
}

/// Runs it to its end, with this on its standard input.
pub async fn run_with_input(command: &mut Command, input: &str) -> Said {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    Said::of(child.wait_with_output().await.unwrap())
}
