//! The command line: the one definition that help, man pages and completions are made from.

use crate::ctl::commands::*;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

/// Asks and commands stentord, the alarm daemon
///
/// Without a command it prints the status on one screen. Exit codes: 0 done; 1 done, but the answer is bad news;
/// 2 usage or invalid input; 3 not found, or nobody to send to; 4 daemon not reachable; 5 not permitted; 6 try again.
#[derive(Debug, Parser)]
#[command(name = "stentorctl", version, infer_subcommands = false, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The definition, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The daemon's control socket
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "STENTOR_SOCKET",
        default_value = "/run/stentor/control.sock"
    )]
    pub socket: PathBuf,
    /// Ask over TCP instead of the socket
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// File with the token for --url
    #[arg(long, global = true, value_name = "FILE", requires = "url")]
    pub token_file: Option<PathBuf>,
    /// Print the API's JSON document (streams: one a line), errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Default, Subcommand)]
pub enum Command {
    /// The whole picture on one screen
    #[default]
    Status,
    /// Send one notification; it never escalates and opens nothing
    Send(send::Send),
    /// Open an incident, which escalates until somebody acknowledges
    Page(incidents::Open),
    /// List, show and open incidents
    #[command(subcommand)]
    Incidents(incidents::Incidents),
    /// Acknowledge: stops the calls, keeps the incident open
    Ack(incidents::Ack),
    /// Withdraw an acknowledgement; the escalation starts again
    Unack(incidents::Unack),
    /// Close an incident
    Resolve(incidents::Resolve),
    /// Take the next step of the policy now
    Escalate(incidents::Escalate),
    /// Acknowledge for a while; then the escalation starts again
    Snooze(incidents::Snooze),
    /// What was sent to whom, and how that ended
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// Checks that run on a schedule
    #[command(subcommand)]
    Heartbeats(heartbeats::Heartbeats),
    /// Tell a passive heartbeat that its job has run
    Ping(heartbeats::Ping),
    /// Rules over values
    #[command(subcommand)]
    Watches(watches::Watches),
    /// Set or get the value that a watch looks at
    #[command(subcommand)]
    Metric(watches::Metric),
    /// Remaining capacity of deals
    #[command(subcommand)]
    Fomo(fomo::Fomo),
    /// The ways out and how they are
    #[command(subcommand)]
    Channels(channels::Channels),
    /// Send a message marked [TEST]
    Test(channels::Test),
    /// Test connection, sending, template and retry of every channel (not yet supported)
    Selftest(unsupported::Selftest),
    /// Dead letters (not yet supported)
    #[command(subcommand)]
    Dlq(unsupported::Dlq),
    /// Hold alarms back for a while
    #[command(subcommand)]
    Silence(silence::Silence),
    /// The record of everything that happened
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Why an incident or delivery did what it did, step by step
    Explain(explain::Explain),
    /// Who would be told; sends nothing (not yet supported)
    Who(unsupported::Who),
    /// The timeline that would follow; sends nothing (not yet supported)
    Rehearse(unsupported::Rehearse),
    /// Read the config again
    Reload,
    /// Check a config file; needs no daemon
    CheckConfig(check_config::CheckConfig),
    /// What happens, as it happens
    Events(events::Events),
    /// What sounds on the host
    #[command(subcommand)]
    Sound(sound::Sound),
    /// Print the completions of a shell
    Completions(meta::Completions),
    /// Print the version
    Version,
}
