//! The command line of stentord, the one definition that its man page is made from too.
#![allow(rustdoc::broken_intra_doc_links, reason = "these texts are for a terminal, where [brackets] are no links")]

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// The alarm daemon: probes the ways to reach people, watches thresholds, escalates until somebody
/// acknowledges. Runs in the foreground.
#[derive(Clone, Debug, Parser)]
#[command(name = "stentord", version)]
pub struct Args {
    /// The config file; conf.d/*.toml beside it is read too
    #[arg(long, env = "STENTOR_CONFIG", default_value = "/etc/stentor/stentor.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Check the config and exit: 0 good, 78 not
    #[arg(long)]
    pub check: bool,
    /// Where the ledger lies, instead of [daemon] state_dir
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The control socket, instead of [daemon] socket
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// How to log to standard error, where not started by systemd
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}
