//! The control command: what it asks the daemon, what it prints, how it exits.
//!
//! A thin client of the HTTP API (`docs/api.md`): nothing is decided here. One file for each command
//! under `commands` holds its flags, its request and its text for people. With `--json` the API's
//! answer is printed as it came. The only commands that need no daemon are `check-config`,
//! `completions`, `version` and those of the ledger with `--offline`.
//!
//! Everything foreign is escaped before it reaches a terminal (`screen`). Exit codes are the
//! contract of [`Exit`].

mod cli;
mod client;
mod commands;
mod fields;
mod global;
mod moment;
mod screen;
mod session;
mod trouble;

pub use cli::command;
pub use trouble::Exit;

use crate::domain::clock;
use clap::FromArgMatches;
use clap::error::ErrorKind;
use screen::Screen;
use session::{Form, Session};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use trouble::Trouble;

/// The whole of `stentorctl`: arguments in, exit code out.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    ExitCode::from(run(&args).code())
}

fn run(args: &[OsString]) -> Exit {
    let parsed = cli::command().try_get_matches_from(args).and_then(|m| cli::Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return misused(args, &error),
    };
    let mut out = io::stdout().lock();
    let colour = io::stdout().is_terminal() && wants_colour();
    let mut session = Session {
        global: &cli.global,
        form: Form::of(&cli.global),
        screen: Screen::new(&mut out, colour, clock::wall()),
        notes: &mut io::stderr(),
        on_terminal: io::stderr().is_terminal(),
    };
    let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(cli.command, &mut session)),
        Err(error) => Err(Trouble::Failed(format!("cannot start: {error}"))),
    };
    session.conclude(outcome)
}

/// As <https://no-color.org> has it: set and not empty means without.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Help and version are no misuse; everything else is, and with `--json` it is a document, too.
fn misused(args: &[OsString], error: &clap::Error) -> Exit {
    // Nobody is left to tell if this cannot be printed.
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Done;
    }
    if args.iter().skip(1).take_while(|a| *a != "--").any(|a| a == "--json") {
        let trouble = Trouble::Usage(match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing; --help lists them".into(),
            _ => session::first_paragraph(&error.to_string()),
        });
        let _ = writeln!(io::stdout(), "{}", String::from_utf8_lossy(&trouble.document()));
    }
    Exit::Usage
}
