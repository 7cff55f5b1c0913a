//! A program of the operator's: it gets the message on its standard input, and its exit code says
//! how it ended.
//!
//! The input is the JSON document that a webhook gets. No shell is between: the first of `command`
//! is the program, the others are its arguments, and nothing of a message ever becomes one. It runs
//! in `/`, in a process group of its own, with PATH, HOME, LANG, TZ and what `env` gives it. At the
//! deadline the whole group is killed. The first line that it writes is kept; of each of its outputs
//! 64 KiB are read and the rest is thrown away.
//!
//! | exit code (sysexits.h) | |
//! | --- | --- |
//! | 0 | delivered |
//! | 65, 67, 68 | the message or its recipient is at fault; never tried again |
//! | 69, 75, any other | not now: tried again |
//! | 77 | refused credentials |
//! | 78 | its own configuration is wrong |
//!
//! Settings: `command` (`["/usr/local/bin/tell", "--now"]`), `env` (`{ TOKEN = "..." }`, the values
//! are secrets), `body` (a template in place of the document), `timeout`.

use crate::channel::http::{self, scrub};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass, cut};
use crate::domain::secret::Secret;
use crate::settings::Table;
use futures_util::future::{BoxFuture, join};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

pub const KIND: Kind = Kind { name: "command", sort: Sort::Fixed, provider: "command", format: Format::Document, read };

/// Of each output.
const KEPT: usize = 64 * 1024;
/// What a program gets of our environment.
const PASSED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// A child of its may keep its outputs open; after its own end they are read no longer than this.
const AFTERWARDS: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    env: BTreeMap<String, Secret>,
    limit: Duration,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let command = table.texts("command");
    let env = table.secret_map("env").unwrap_or_default();
    let limit = http::timeout(table).to_std();
    // The template is the message floor's; here it is only a key that is known.
    table.known(&["body"]);
    let written = table.has("command");
    let mut words = command.unwrap_or_default().into_iter();
    let Some(path) = words.next().filter(|path| !path.is_empty()) else {
        if table.simulated() {
            return Some(Arc::new(Program { path: PathBuf::new(), arguments: Vec::new(), env, limit }));
        }
        let said = if written { "command is empty" } else { "command is missing" };
        table.error("command", said, "write command = [\"/usr/local/bin/tell\"]");
        return None;
    };
    let program = Program { path: PathBuf::from(&path), arguments: words.collect(), env, limit };
    if !program.path.is_absolute() {
        table.error(
            "command",
            format!("{path:?} is not an absolute path"),
            "write command = [\"/usr/local/bin/tell\"]",
        );
        return None;
    }
    if let Err(why) = program.runnable() {
        table.warning("command", why, "this channel fails until the program is there");
    }
    Some(Arc::new(program))
}

/// How a program ended, and what it said.
struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
}

/// Kills the whole group, unless the program has ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // An error means that nobody is left.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Program {
    /// Whether there is a file that may be run; runs nothing.
    fn runnable(&self) -> Result<(), String> {
        let path = self.path.display();
        let about = std::fs::metadata(&self.path).map_err(|e| format!("{path}: {e}"))?;
        if about.is_file() && about.permissions().mode() & 0o111 != 0 {
            Ok(())
        } else {
            Err(format!("{path} is not a program that can be run"))
        }
    }

    async fn run(&self, input: &str) -> Result<Ended, Failure> {
        let ours = PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut child = Command::new(&self.path)
            .args(&self.arguments)
            .env_clear()
            .envs(ours)
            .envs(self.env.iter().map(|(name, value)| (name, value.reveal())))
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| self.not_started(&e))?;
        let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let heard = tokio::spawn(join(beginning(stdout), beginning(stderr)));
        let tell = async {
            if let Some(mut stdin) = stdin {
                // A program need not listen.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let ((), status) = timeout(self.limit, join(tell, child.wait())).await.map_err(|_| stalled())?;
        let status = status.map_err(|e| lost(format!("its end was not seen: {e}")))?;
        let (out, err) = timeout(AFTERWARDS, heard).await.ok().and_then(Result::ok).unwrap_or_default();
        group.0 = None;
        Ok(Ended { status, out: self.clean(out), err: self.clean(err) })
    }

    /// It may say its secrets back.
    fn clean(&self, said: Vec<u8>) -> String {
        let secrets: Vec<Secret> = self.env.values().filter(|s| s.reveal().len() >= 4).cloned().collect();
        String::from_utf8_lossy(&scrub(said, &secrets)).into_owned()
    }

    fn not_started(&self, error: &io::Error) -> Failure {
        let blame = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Blame::Account,
            _ => Blame::Channel,
        };
        let words = format!("{} cannot be started: {error}", self.path.display());
        Failure::new(FailureClass::ProviderError, blame, words)
    }
}

async fn beginning(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return kept };
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..n.min(room)]);
    }
    kept
}

fn stalled() -> Failure {
    let words = "it did not end in time and was killed";
    Failure::new(FailureClass::Timeout, Blame::Channel, words).unknown()
}

fn lost(words: String) -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Channel, words).unknown()
}

fn judge(ended: &Ended) -> Result<AttemptResult, Failure> {
    use FailureClass::{AuthError, ProviderError, ValidationError};
    let first = |said: &str| said.lines().map(str::trim).find(|line| !line.is_empty()).map(|line| cut(line, 200));
    let Some(code) = ended.status.code() else {
        let signal = ended.status.signal().unwrap_or_default();
        return Err(lost(format!("it was ended by signal {signal}")));
    };
    if code == 0 {
        let detail = first(&ended.out).unwrap_or_else(|| "the program ended well".into());
        return Ok(AttemptResult::Delivered { provider_id: None, detail });
    }
    let words = first(&ended.err).or_else(|| first(&ended.out)).unwrap_or_else(|| format!("exit code {code}"));
    let (class, blame) = match code {
        65 | 67 | 68 => (ValidationError, Blame::Message),
        77 => (AuthError, Blame::Account),
        78 => (ProviderError, Blame::Account),
        _ => (ProviderError, Blame::Channel),
    };
    Err(Failure::new(class, blame, words).code(code))
}

impl Channel for Program {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.run(&out.text.text).await.and_then(|ended| judge(&ended))) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            match self.runnable() {
                Ok(()) => Ok("the program is there; whether it works shows only when a message is sent".into()),
                Err(why) => Err(Failure::new(FailureClass::ProviderError, Blame::Account, why)),
            }
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let mut lines: Vec<String> = self.env.keys().map(|name| format!("{name}=[secret]")).collect();
        let path = self.path.display().to_string();
        let words = std::iter::once(&path).chain(&self.arguments).map(|word| format!("{word:?}"));
        lines.push(words.collect::<Vec<_>>().join(" "));
        format!("{}\n\n{}", lines.join("\n"), out.text.text)
    }
}
