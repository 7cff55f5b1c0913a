//! The command line: the one definition that help, man pages and completions are made from, and
//! which command does what was asked.
#![allow(rustdoc::broken_intra_doc_links, reason = "these texts are for a terminal, where [brackets] are no links")]

use crate::ctl::commands::*;
use crate::ctl::global::Global;
use crate::ctl::session::{Outcome, Session};
use clap::{CommandFactory, Parser, Subcommand};

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

#[derive(Debug, Default, Subcommand)]
pub enum Command {
    /// The whole picture on one screen
    #[default]
    Status,
    /// Send one notification; it never escalates and opens nothing
    Send(Box<send::Send>),
    /// Send what events ask for that a bus brings, one a line
    Requests(requests::Requests),
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
    /// Test settings, connection, template and retry of every channel; with --send a real message
    Selftest(selftest::Selftest),
    /// Dead letters: what no way could deliver
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Hold alarms back for a while
    #[command(subcommand)]
    Silence(silence::Silence),
    /// Text messages: who wrote, what was said, one more
    #[command(subcommand)]
    Sms(sms::Sms),
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
    /// Texts by name, and what they make
    #[command(subcommand)]
    Template(template::Template),
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

/// Does what was asked.
///
/// # Errors
/// Whatever kept it from being done; the session prints it.
pub async fn run(asked: Option<Command>, session: &mut Session<'_>) -> Outcome {
    match asked.unwrap_or_default() {
        Command::Status => status::run(session).await,
        Command::Send(send) => send.run(session).await,
        Command::Requests(requests) => requests.run(session).await,
        Command::Page(open) => open.run(session).await,
        Command::Incidents(incidents) => incidents.run(session).await,
        Command::Ack(ack) => ack.run(session).await,
        Command::Unack(unack) => unack.run(session).await,
        Command::Resolve(resolve) => resolve.run(session).await,
        Command::Escalate(escalate) => escalate.run(session).await,
        Command::Snooze(snooze) => snooze.run(session).await,
        Command::Deliveries(deliveries) => deliveries.run(session).await,
        Command::Dlq(dlq) => dlq.run(session).await,
        Command::Heartbeats(heartbeats) => heartbeats.run(session).await,
        Command::Ping(ping) => ping.run(session).await,
        Command::Watches(watches) => watches.run(session).await,
        Command::Metric(metric) => metric.run(session).await,
        Command::Fomo(fomo) => fomo.run(session).await,
        Command::Channels(channels) => channels.run(session).await,
        Command::Test(test) => test.run(session).await,
        Command::Selftest(selftest) => selftest.run(session).await,
        Command::Silence(silence) => silence.run(session).await,
        Command::Sms(sms) => sms.run(session).await,
        Command::Ledger(ledger) => ledger.run(session).await,
        Command::Explain(explain) => explain.run(session).await,
        Command::Reload => reload::run(session).await,
        Command::CheckConfig(check) => check.run(session),
        Command::Template(template) => template.run(session).await,
        Command::Events(events) => events.run(session).await,
        Command::Sound(sound) => sound.run(session).await,
        Command::Completions(completions) => completions.run(session, &mut command()),
        Command::Version => meta::version(session),
        Command::Who(_) => unsupported::refuse("who"),
        Command::Rehearse(_) => unsupported::refuse("rehearse"),
    }
}
