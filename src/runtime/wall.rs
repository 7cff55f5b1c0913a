//! A word to everybody who is logged in on this host, by `wall`.

use crate::domain::time::Span;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Tests disturb nobody.
const PROGRAM: &str = if cfg!(test) { "cat" } else { "wall" };
const DEADLINE: Span = Span::secs(5);

/// Says it, or logs why that cannot be done.
pub(super) async fn say(words: String) {
    match tokio::time::timeout(DEADLINE.to_std(), run(&words)).await {
        Ok(Ok(())) => tracing::error!(%words, "told to everybody who is logged in"),
        Ok(Err(reason)) => tracing::error!(%words, %reason, "nobody who is logged in could be told"),
        Err(_) => tracing::error!(%words, reason = "wall does not end", "nobody who is logged in could be told"),
    }
}

async fn run(words: &str) -> Result<(), String> {
    let mut command = Command::new(PROGRAM);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("{PROGRAM}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(format!("{words}\n").as_bytes()).await.map_err(|error| error.to_string())?;
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{PROGRAM} ended with {status}")) }
}
