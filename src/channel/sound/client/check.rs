//! Whether a sound file decodes, found out by a process of its own.

use crate::channel::sound::client::launch::Launch;
use crate::channel::sound::player::{BAD, GOOD, UNKNOWN};
use std::io::Read;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

/// For the whole file to be decoded.
const WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Blocks, at most ten seconds. `Ok(None)` when it cannot be known: there is no player, or one
/// without sound; else what the file is.
///
/// # Errors
/// What is wrong with the file.
pub fn check(launch: &Launch, file: &Path) -> Result<Option<String>, String> {
    let Some(mut child) = launch.check(file).ok().and_then(|mut command| command.spawn().ok()) else {
        return Ok(None);
    };
    let Some(status) = wait(&mut child) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("does not decode within {} s", WITHIN.as_secs()));
    };
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(GOOD) => Ok(Some(without_name(&read(child.stdout), file))),
        Some(UNKNOWN) => Ok(None),
        Some(BAD) => Err(without_name(&read(child.stderr), file)),
        _ => Err(format!("makes the decoder fail ({status})")),
    }
}

/// `None` when it takes too long. What it writes is one line, so its pipes never fill.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..WITHIN.as_millis() / LOOK_EVERY.as_millis() {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        sleep(LOOK_EVERY);
    }
    None
}

fn read(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(4_096).read_to_string(&mut text);
    }
    text
}

fn without_name(said: &str, file: &Path) -> String {
    let said = said.trim();
    said.strip_prefix(&format!("{}: ", file.display())).unwrap_or(said).to_owned()
}
