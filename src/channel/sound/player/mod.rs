//! `stentor-player`: the only process that touches the sound device, so that a driver that hangs
//! or a libasound that aborts takes nothing else along.
//!
//! It opens the device only while something sounds, and believes nothing: files are read whole
//! and decoded here, in a process without network, secrets or state. What it is asked, and what
//! it answers, is in `protocol.rs` beside it. Without the cargo feature `sound` it is
//! built all the same and says why it is mute.

#[cfg(feature = "sound")]
mod clip;
#[cfg(feature = "sound")]
mod device;
#[cfg(feature = "sound")]
mod mixer;
#[cfg(not(feature = "sound"))]
mod mute;
#[cfg(feature = "sound")]
mod room;
mod serve;
#[cfg(feature = "sound")]
mod synth;
#[cfg(feature = "sound")]
mod voice;

#[cfg(feature = "sound")]
use clip::check;
#[cfg(not(feature = "sound"))]
use mute::{Room, check};
#[cfg(feature = "sound")]
use room::Room;

use clap::{ArgGroup, CommandFactory, Parser};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `--check`: the file decodes to its end.
pub const GOOD: u8 = 0;
/// `--check`: it does not, or cannot be read; `--serve`: the line to stentord broke.
pub const BAD: u8 = 1;
/// `--check`: cannot be known, this player was built without sound.
pub const UNKNOWN: u8 = 3;

/// Plays sounds for stentord, or checks that a file can be played.
#[derive(Debug, Parser)]
#[command(name = "stentor-player", version, group = ArgGroup::new("work").required(true))]
pub struct Arguments {
    /// Play what standard input asks for, one JSON document a line; ends with its input
    #[arg(long, group = "work")]
    pub serve: bool,
    /// The ALSA device to play on
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub device: String,
    /// The ALSA device to play on where the first one cannot be opened
    #[arg(long, value_name = "NAME")]
    pub fallback_device: Option<String>,
    /// Decode FILE to its end; 0: a sound, 1: not, 3: built without sound
    #[arg(long, value_name = "FILE", group = "work")]
    pub check: Option<PathBuf>,
}

/// The definition of its arguments, for the man page.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// All of `stentor-player`, from its arguments to its exit code (2: wrong arguments).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Help and version are "errors", too; where they cannot be written nothing can.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    ExitCode::from(match &arguments.check {
        Some(file) => check_and_say(file),
        None => {
            let devices = std::iter::once(arguments.device.clone()).chain(arguments.fallback_device.clone());
            serve::serve(Room::new(devices.collect()))
        }
    })
}

/// Why a file is refused: it is bad, or nothing can be said.
#[derive(Debug)]
enum Refused {
    #[cfg_attr(not(feature = "sound"), expect(dead_code, reason = "without decoders no file is known to be bad"))]
    Bad(String),
    #[cfg_attr(feature = "sound", expect(dead_code, reason = "with sound every file can be judged"))]
    Unknown(String),
}

fn check_and_say(file: &Path) -> u8 {
    let (line, code) = match check(file) {
        Ok(what) => {
            let _ = writeln!(io::stdout(), "{}: {what}", file.display());
            return GOOD;
        }
        Err(Refused::Bad(why)) => (why, BAD),
        Err(Refused::Unknown(why)) => (why, UNKNOWN),
    };
    let _ = writeln!(io::stderr(), "{}: {line}", file.display());
    code
}
