//! Writes the man pages of the three programs to `docs/man` (or the folder given), from the definitions
//! that they themselves read their arguments by.

use std::path::PathBuf;
use stentor::channel::sound::player;
use stentor::{ctl, daemon};

fn main() -> std::io::Result<()> {
    let here = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let folder = std::env::args_os().nth(1).map_or_else(here, PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for program in [ctl::command(), daemon::command(), player::command()] {
        clap_mangen::generate_to(program, &folder)?;
    }
    Ok(())
}
