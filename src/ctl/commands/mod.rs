//! One file for each command: its flags, its request, its text for people.

pub mod channels;
pub mod check_config;
pub mod deliveries;
pub mod events;
pub mod explain;
pub mod fomo;
pub mod heartbeats;
pub mod incidents;
pub mod ledger;
pub mod meta;
mod problems;
pub mod reload;
mod results;
pub mod send;
pub mod silence;
pub mod sound;
mod status;
pub mod unsupported;
mod values;
pub mod watches;

use crate::ctl::cli::Command;
use crate::ctl::session::{Outcome, Session};

/// Does what was asked.
///
/// # Errors
/// Whatever kept it from being done; the session prints it.
pub async fn run(command: Command, session: &mut Session<'_>) -> Outcome {
    match command {
        Command::Status => status::run(session).await,
        Command::Send(send) => send.run(session).await,
        Command::Page(open) => open.run(session).await,
        Command::Incidents(incidents) => incidents.run(session).await,
        Command::Ack(ack) => ack.run(session).await,
        Command::Unack(unack) => unack.run(session).await,
        Command::Resolve(resolve) => resolve.run(session).await,
        Command::Escalate(escalate) => escalate.run(session).await,
        Command::Snooze(snooze) => snooze.run(session).await,
        Command::Deliveries(deliveries) => deliveries.run(session).await,
        Command::Heartbeats(heartbeats) => heartbeats.run(session).await,
        Command::Ping(ping) => ping.run(session).await,
        Command::Watches(watches) => watches.run(session).await,
        Command::Metric(metric) => metric.run(session).await,
        Command::Fomo(fomo) => fomo.run(session).await,
        Command::Channels(channels) => channels.run(session).await,
        Command::Test(test) => test.run(session).await,
        Command::Silence(silence) => silence.run(session).await,
        Command::Ledger(ledger) => ledger.run(session).await,
        Command::Explain(explain) => explain.run(session).await,
        Command::Reload => reload::run(session).await,
        Command::CheckConfig(check) => check.run(session),
        Command::Events(events) => events.run(session).await,
        Command::Sound(sound) => sound.run(session).await,
        Command::Completions(completions) => completions.run(session),
        Command::Version => meta::version(session),
        Command::Selftest(_) => unsupported::refuse("selftest"),
        Command::Dlq(_) => unsupported::refuse("dlq"),
        Command::Who(_) => unsupported::refuse("who"),
        Command::Rehearse(_) => unsupported::refuse("rehearse"),
    }
}
