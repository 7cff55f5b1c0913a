//! Writes the man pages of `stentorctl` to `docs/man` (or the folder given), from the definition that
//! the command itself reads its arguments by.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let here = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let folder = std::env::args_os().nth(1).map_or_else(here, PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(stentor::ctl::command(), folder)
}
