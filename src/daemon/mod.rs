//! The supervisor: start-up and shutdown in order, tasks with restart policies, signals, systemd,
//! reload.
//!
//! Exit: 0 stopped as asked, 1 failed while running, 2 usage, 75 state directory in use or
//! unusable, 78 bad configuration.

mod args;
mod chronicle;
mod deadman;
mod doors;
mod files;
mod keeping;
mod links;
mod logging;
mod opening;
mod progress;
mod reload;
mod signals;
mod starts;
mod store;
mod supervise;
mod systemd;
mod tasks;
mod threads;
mod watcher;
mod written;

pub use args::Args;

use crate::config;
use crate::settings::ProcessEnvironment;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Why the daemon ended, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Stopped = 0,
    Failed = 1,
    StateDir = 75,
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The command line's definition, for man pages.
pub fn command() -> clap::Command {
    Args::command()
}

/// stentord, from its arguments to its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    signals::shield();
    let mut args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are printed on standard output and are no error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    crate::net::install_provider();
    if args.check {
        return check(&args);
    }
    // As status and the log name it, wherever we were started.
    args.config = std::path::absolute(&args.config).unwrap_or(args.config);
    logging::start(args.log);
    files::raise();
    let exit = run(args);
    logging::finish();
    exit.into()
}

fn run(args: Args) -> Exit {
    let opening = match opening::open(&args) {
        Ok(opening) => opening,
        Err(lines) => {
            for line in lines {
                tracing::error!(problem = %line, "the config is refused, and no good one is kept");
            }
            return Exit::Config;
        }
    };
    let runtime = match threads::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no threads can be started");
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(supervise::run(args, opening));
    // A blocked name lookup or file must not hold the end up.
    runtime.shutdown_background();
    exit
}

/// `stentord --check`
fn check(args: &Args) -> ExitCode {
    let options = config::LoadOptions::default();
    let report = config::check::report(&args.config, &ProcessEnvironment, &options);
    complain(report.render_text().trim_end());
    if report.ok { Exit::Stopped.into() } else { Exit::Config.into() }
}

/// To whoever started us.
fn complain(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}
