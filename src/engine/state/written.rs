//! The state as a snapshot has it: a line for what is single, then a line for each row of the large tables.
//!
//! Each line is a JSON document. Neither the writer nor the reader holds more than a few hundred of them, and a state whose rows
//! stand in its first line, as older versions wrote them, is read as well.

use super::State;
use super::entity::{Delivery, Incident, Notification};
use super::retire::Remembered;
use super::share::{share_names, shared};
use crate::domain::json;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

/// Bytes of lines that are parsed at a stretch, and by so many threads: a start waits for this.
const BATCH: usize = 256 << 10;
const PARSERS: usize = 2;

/// A row; what it belongs to comes before it.
#[derive(Serialize)]
enum Written<'a> {
    Incident(&'a Incident),
    Notification(&'a Notification),
    Delivery(&'a Delivery),
    Key(&'a str, &'a Remembered),
}

/// The same, read.
#[derive(Deserialize)]
enum Row {
    Incident(Incident),
    Notification(Notification),
    Delivery(Delivery),
    Key(String, Remembered),
}

impl State {
    /// Writes a state that is [`State::frozen`].
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        let (incidents, notifications) = (std::mem::take(&mut self.incidents), std::mem::take(&mut self.notifications));
        let (deliveries, keys) = (std::mem::take(&mut self.deliveries), std::mem::take(&mut self.idempotency));
        let mut line = Vec::new();
        write_line(&self, &mut line, out)?;
        let incidents = incidents.values().map(Written::Incident);
        let notifications = notifications.values().map(Written::Notification);
        let deliveries = deliveries.values().map(Written::Delivery);
        let keys = keys.iter().map(|(key, remembered)| Written::Key(key, remembered));
        for row in incidents.chain(notifications).chain(deliveries).chain(keys) {
            write_line(&row, &mut line, out)?;
        }
        Ok(())
    }

    /// Reads what [`State::write`] wrote, or an older version.
    ///
    /// # Errors
    /// A sentence, when it is no state.
    pub fn read(from: &mut dyn BufRead) -> Result<State, String> {
        let first = lines(from, 1)?;
        let mut state: State = serde_json::from_slice(&first).map_err(|e| e.to_string())?;
        state.share();
        std::thread::scope(|scope| {
            let mut parsers: Vec<Parser> = Vec::new();
            let mut under_way = VecDeque::new();
            for turn in 0.. {
                let batch = lines(from, BATCH)?;
                let ended = batch.is_empty();
                if !ended {
                    if parsers.len() < PARSERS {
                        parsers.push(Parser::start(scope));
                    }
                    let parser = turn % parsers.len();
                    // One that has ended says why when it is asked for the rows.
                    let _ = parsers[parser].lines.send(batch);
                    under_way.push_back(parser);
                }
                while under_way.len() > if ended { 0 } else { PARSERS } {
                    let Some(parser) = under_way.pop_front() else { break };
                    let rows = parsers[parser].rows.recv().map_err(|_| "reading its rows panicked".to_owned())??;
                    rows.into_iter().for_each(|row| state.take_in(row));
                }
                if ended {
                    break;
                }
            }
            Ok(state)
        })
    }

    fn take_in(&mut self, row: Row) {
        match row {
            Row::Incident(mut i) => {
                share_names(&mut self.names, &mut i);
                self.incidents.insert(i.id, i);
            }
            Row::Notification(mut n) => {
                if let Some(i) = n.origin.incident().and_then(|i| self.incidents.get(&i)) {
                    n.labels = shared(n.labels, Some(&i.labels));
                    n.content = shared(n.content, Some(&i.content));
                }
                self.notifications.insert(n.id, n);
            }
            Row::Delivery(d) => drop(self.deliveries.insert(d.id, d)),
            Row::Key(key, remembered) => drop(self.idempotency.insert(key, remembered)),
        }
    }
}

/// Whole lines, of so many bytes or a little more; none at the end.
fn lines(from: &mut dyn BufRead, bytes: usize) -> Result<Vec<u8>, String> {
    let mut lines = Vec::with_capacity(bytes);
    while lines.len() < bytes {
        if from.read_until(b'\n', &mut lines).map_err(|e| e.to_string())? == 0 {
            break;
        }
    }
    Ok(lines)
}

/// A thread that makes rows of lines, batch by batch in their order.
struct Parser {
    lines: Sender<Vec<u8>>,
    rows: Receiver<Result<Vec<Row>, String>>,
}

impl Parser {
    fn start<'scope>(scope: &'scope Scope<'scope, '_>) -> Parser {
        let ((lines, batches), (parsed, rows)) = (channel::<Vec<u8>>(), channel());
        scope.spawn(move || {
            for batch in batches {
                if parsed.send(parse(&batch)).is_err() {
                    break;
                }
            }
        });
        Parser { lines, rows }
    }
}

fn parse(lines: &[u8]) -> Result<Vec<Row>, String> {
    let row = |line| serde_json::from_slice(line).map_err(|e| format!("a row of it: {e}"));
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(row).collect()
}

fn write_line(what: &impl Serialize, line: &mut Vec<u8>, out: &mut dyn Write) -> io::Result<()> {
    line.clear();
    json::append(line, what)?;
    line.push(b'\n');
    out.write_all(line)
}
