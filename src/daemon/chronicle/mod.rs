//! What happens, in the log: one line for each thing that somebody who reads the journal of the machine
//! would miss, with the incident, the delivery and the channel as fields.
//!
//! It follows what is durable and delays nothing: who lags is told how much was left out. Addresses are
//! not logged, and neither is what goes well as a matter of course (probes that pass; a delivery that
//! got out is told at debug: the ledger has each, and an alarm that is acknowledged was heard). What a
//! simulated channel would have sent is told: that is all that comes of it.

#[cfg(test)]
mod tests;
mod words;

use crate::domain::event::{EventKind, Frame};
use crate::domain::id::IncidentId;
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Read};
use crate::runtime::{Handle, Released};
use std::collections::{HashMap, HashSet};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::Level;
use ulid::Ulid;
use words::Told;

/// What the engine gets to name an incident from before the start.
const PATIENCE: Span = Span::secs(1);
/// Incidents and deliveries that are remembered, each.
const REMEMBERED: usize = 50_000;

/// Logs what becomes durable; ends with the loop.
pub async fn run(handle: Handle, mut frames: Receiver<Released>) -> Result<(), String> {
    let mut told = Told::new(tracing::enabled!(Level::DEBUG));
    loop {
        match frames.recv().await {
            Ok(released) => {
                learn_numbers(&mut told.numbers, &handle, &released.frame).await;
                released.frame.events.iter().filter_map(|event| told.line(event)).for_each(log);
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "so many decisions are not in the log"),
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    level: Level,
    /// By number.
    incident: Option<u64>,
    delivery: Option<String>,
    channel: Option<String>,
    words: String,
}

fn log(line: Line) {
    let Line { level, incident, delivery, channel, words } = line;
    // The level is a part of the place in the code.
    match level {
        Level::WARN => tracing::warn!(incident, delivery, channel, "{words}"),
        Level::INFO => tracing::info!(incident, delivery, channel, "{words}"),
        _ => tracing::debug!(incident, delivery, channel, "{words}"),
    }
}

/// Incidents that were opened before we began to listen.
async fn learn_numbers(numbers: &mut HashMap<IncidentId, u64>, handle: &Handle, frame: &Frame) {
    if numbers.len() > REMEMBERED {
        numbers.clear();
    }
    let unknown = unknown(numbers, frame);
    if unknown.is_empty() {
        return;
    }
    let asked = handle.ask(Caller::engine(), Ask::Read(Read::Numbers(unknown.clone())));
    let Ok(Ok(known)) = tokio::time::timeout(PATIENCE.to_std(), asked).await else { return };
    numbers.extend(unknown.into_iter().filter_map(|id| Some((IncidentId(id), known[id.to_string()].as_u64()?))));
}

/// Incidents that this frame speaks of, and whose numbers neither we nor it know.
fn unknown(numbers: &HashMap<IncidentId, u64>, frame: &Frame) -> Vec<Ulid> {
    let mut opened = HashSet::new();
    let mut unknown = Vec::new();
    for event in &frame.events {
        if let EventKind::IncidentOpened { id, .. } = &event.head {
            opened.insert(*id);
        } else if let Some(id) = words::incident_of(event) {
            let known = numbers.contains_key(&id) || opened.contains(&id);
            unknown.extend((!known).then_some(id.0));
        }
    }
    unknown
}
