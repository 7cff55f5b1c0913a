//! One player process: its three ends, its last words, and its death.

use crate::channel::sound::client::launch::Launch;
use crate::channel::sound::protocol::{Answer, Ask};
use crate::domain::failure::cut;
use std::collections::VecDeque;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// For a line to be taken, and for a death to be told.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of its standard error, to say why it died.
const KEPT_LINES: usize = 6;

/// A player that was started and has not ended, as far as we know. It is killed when dropped.
pub(super) struct Running {
    child: Child,
    stdin: ChildStdin,
    answers: mpsc::Receiver<Answer>,
    said: Said,
    /// Ends with its standard error.
    listener: JoinHandle<()>,
}

/// The last lines of its standard error: libasound is talkative, and no operator wants to read it
/// until something is wrong.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<VecDeque<String>>>);

impl Running {
    pub(super) fn start(launch: &Launch) -> Result<Running, String> {
        let mut command = launch.serve()?;
        // A Ctrl-C in our terminal is ours to handle; the player ends when we close its input.
        command.process_group(0);
        let name = command.get_program().to_string_lossy().into_owned();
        let broken = |e: std::io::Error| format!("{name} cannot be started: {e}");
        let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(broken)?;
        let no_pipe = || format!("{name} cannot be started: no pipe to it");
        let stdin = child.stdin.take().ok_or_else(no_pipe)?;
        let stdout = child.stdout.take().ok_or_else(no_pipe)?;
        let stderr = child.stderr.take().ok_or_else(no_pipe)?;
        let said = Said::default();
        let listener = tokio::spawn(listen(stderr, said.clone()));
        Ok(Running { child, stdin, answers: read_answers(stdout), said, listener })
    }

    /// The process id, while it lives.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<(), String> {
        let mut line = serde_json::to_vec(ask).map_err(|e| e.to_string())?;
        line.push(b'\n');
        match timeout(PATIENCE, self.stdin.write_all(&line)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(e.to_string()),
            Err(_) => Err("it reads nothing".to_owned()),
        }
    }

    /// Its next answer; `None` when it has closed its output, which it does only by dying.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }

    /// An answer that has come already.
    pub(super) fn answer_at_hand(&mut self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }

    /// What it said lately, as the end of a sentence; may be empty.
    pub(super) fn last_words(&self) -> String {
        self.said.last_words()
    }

    /// Kills it if it still lives, and says how it ended.
    pub(super) async fn end(mut self) -> String {
        let ended = match timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => how(status),
            _ => {
                self.kill();
                return "did not end by itself and was killed".to_owned();
            }
        };
        let _ = timeout(PATIENCE, &mut self.listener).await;
        format!("{ended}{}", self.said.last_words())
    }

    /// At once, without waiting for it: a process in an uninterruptible wait dies when it can.
    pub(super) fn kill(mut self) {
        let _ = self.child.start_kill();
        tokio::spawn(async move { self.child.wait().await });
    }
}

fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("died of signal {signal}"),
        (_, Some(code)) => format!("ended with exit code {code}"),
        _ => "ended".to_owned(),
    }
}

fn read_answers(stdout: impl AsyncRead + Unpin + Send + 'static) -> mpsc::Receiver<Answer> {
    let (to, from) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(answer) => {
                    if to.send(answer).await.is_err() {
                        return;
                    }
                }
                Err(e) => tracing::debug!("the sound player wrote a line that is no answer: {e}"),
            }
        }
    });
    from
}

async fn listen(stderr: impl AsyncRead + Unpin, said: Said) {
    let mut lines = BufReader::new(stderr).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        said.add(&String::from_utf8_lossy(&line));
    }
}

impl Said {
    fn add(&self, line: &str) {
        tracing::debug!("sound player: {line}");
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(cut(line.trim(), 160));
    }

    fn last_words(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.back() {
            Some(last) => format!("; its last words: {last}"),
            None => String::new(),
        }
    }
}
