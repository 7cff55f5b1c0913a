//! The state as a snapshot has it: a line for what is single, then a line for each row of the large tables.
//!
//! Each line is a JSON document. Neither the writer nor the reader holds more than a line, and a state whose rows
//! stand in its first line, as older versions wrote them, is read as well.

use super::State;
use super::entity::{Delivery, Incident, Notification, Remembered};
use super::share::{share_names, shared};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};

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
        let mut line = Vec::new();
        let mut next = |line: &mut Vec<u8>| {
            line.clear();
            from.read_until(b'\n', line).map_err(|e| e.to_string())
        };
        next(&mut line)?;
        let mut state: State = serde_json::from_slice(&line).map_err(|e| e.to_string())?;
        state.share();
        let mut n = 1;
        while next(&mut line)? > 0 {
            n += 1;
            let row = serde_json::from_slice(&line).map_err(|e| format!("line {n}: {e}"))?;
            state.take_in(row);
        }
        Ok(state)
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

fn write_line(what: &impl Serialize, line: &mut Vec<u8>, out: &mut dyn Write) -> io::Result<()> {
    line.clear();
    serde_json::to_writer(&mut *line, what)?;
    line.push(b'\n');
    out.write_all(line)
}
