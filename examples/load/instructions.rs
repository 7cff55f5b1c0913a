//! Instructions for each alert in user space, by valgrind: unlike times they are the same on a busy machine.
//!
//! The profiles stay under `--dir` as `stentor-instructions-1` (and `-64`), for callgrind_annotate.

use super::alerts;
use super::daemon::{Daemon, Place};
use super::sink::Sink;
use super::table::Table;
use super::{Args, Failed};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::sleep;

/// Connections, code and channels are warm after so many.
const WARM: u64 = 300;
/// For the history to take in the rest.
const REST: Duration = Duration::from_secs(4);

pub async fn measure(place: &Place, sink: &Sink, args: &Args, table: &mut Table) -> Result<(), Failed> {
    for each in [1, 64] {
        let out = args.dir.join(format!("stentor-instructions-{each}"));
        let under = ["valgrind", "--tool=callgrind", "--separate-threads=no"].map(str::to_owned).to_vec();
        let under = [under, vec![format!("--callgrind-out-file={}", out.display())]].concat();
        let place = place.under(under);
        let daemon = Daemon::start(&place, sink, args.slots).await?;
        alerts::burst(daemon.taker(), sink, WARM, each).await?;
        sleep(REST).await;
        control(&["--zero"], &daemon).await?;
        alerts::burst(daemon.taker(), sink, args.burst, each).await?;
        sleep(REST).await;
        control(&["--dump"], &daemon).await?;
        let counted = total(&PathBuf::from(format!("{}.1", out.display())))?;
        table.row(format!("instructions for each alert, {each} a POST"), format!("{}", counted / args.burst));
        daemon.kill().await?;
    }
    Ok(())
}

async fn control(words: &[&str], daemon: &Daemon) -> Result<(), Failed> {
    let done = Command::new("callgrind_control").args(words).arg(daemon.taker().pid.to_string()).output().await?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into()) }
}

fn total(profile: &Path) -> Result<u64, Failed> {
    let text = std::fs::read_to_string(profile)?;
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    Ok(line.ok_or("valgrind wrote no total")?.trim().parse()?)
}
