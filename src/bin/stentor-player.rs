//! Plays sounds for stentord; see `stentor::channel::sound::player`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stentor::channel::sound::player::run(std::env::args_os())
}
