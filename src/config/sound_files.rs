//! Whether the sound files decode: asked of `stentor-player --check FILE`, so that a decoder that
//! crashes takes down nothing else.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundVerdict {
    Good,
    /// Why it cannot be played.
    Bad(String),
    /// Why nobody could tell.
    NotChecked(String),
}

/// Decodes a sound file, without a sound. It blocks: call a load that has one from a thread of
/// its own.
pub trait SoundCheck {
    fn check(&self, file: &Path) -> SoundVerdict;
}

/// The real one.
#[derive(Clone, Debug)]
pub struct Player {
    program: PathBuf,
}

const NAME: &str = "stentor-player";
/// A minute of music decodes in well under a second.
const DEADLINE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Player {
    /// The player beside this program, else the one in PATH.
    pub fn beside_this_program() -> Self {
        let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(NAME)));
        Player { program: beside.filter(|p| p.is_file()).unwrap_or_else(|| PathBuf::from(NAME)) }
    }

    pub fn at(program: impl Into<PathBuf>) -> Self {
        Player { program: program.into() }
    }
}

impl SoundCheck for Player {
    /// Exit 0 is good; otherwise what it says on standard error is the reason.
    fn check(&self, file: &Path) -> SoundVerdict {
        let spawned = Command::new(&self.program)
            .arg("--check")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(why) => {
                return SoundVerdict::NotChecked(format!("{} cannot be started: {why}", self.program.display()));
            }
        };
        let stderr = child.stderr.take();
        let words = std::thread::spawn(move || stderr.map(first_line).unwrap_or_default());
        for _ in 0..DEADLINE.as_millis() / LOOK_EVERY.as_millis() {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(LOOK_EVERY),
                Ok(Some(status)) if status.success() => return SoundVerdict::Good,
                Ok(Some(status)) => {
                    let words = words.join().unwrap_or_default();
                    let why = if words.is_empty() { format!("the player ended with {status}") } else { words };
                    return SoundVerdict::Bad(why);
                }
                Err(why) => return SoundVerdict::NotChecked(why.to_string()),
            }
        }
        // Nobody waits for the reading thread: it ends with the child's last holder of the pipe.
        let _ = child.kill();
        let _ = child.wait();
        SoundVerdict::Bad(format!("the player had not decoded it after {} s", DEADLINE.as_secs()))
    }
}

/// Reads to the end, so that the player never blocks on a full pipe, and keeps the first line.
fn first_line(mut from: impl std::io::Read) -> String {
    let mut text = Vec::new();
    let _ = std::io::Read::by_ref(&mut from).take(64 * 1024).read_to_end(&mut text);
    let _ = std::io::copy(&mut from, &mut std::io::sink());
    String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned()
}
