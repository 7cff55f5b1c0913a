//! The journal of systemd, with fields, in its native protocol
//! (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>): one datagram for each event, `NAME=value` a line; a value
//! of several lines has its length before it.
//!
//! journald takes nothing while it is stopped or its disk is full, and a send waits for it: so the
//! sending has a thread of its own, see [`Lines`].

use super::lines::Lines;
use std::fmt::{Debug, Write};
use std::io;
use std::os::unix::net::UnixDatagram;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

const SOCKET: &str = "/run/systemd/journal/socket";
/// A datagram has a bound; a longer value is cut.
const LONGEST: usize = 32 << 10;

/// Hands every event to journald.
pub struct Journald {
    lines: Lines,
}

impl Journald {
    /// # Errors
    /// When nobody listens there.
    pub fn open() -> io::Result<Journald> {
        let socket = UnixDatagram::unbound()?;
        // One that is busy is there.
        socket.set_nonblocking(true)?;
        match socket.send_to(&[], SOCKET) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => socket.set_nonblocking(false)?,
        }
        Ok(Journald { lines: Lines::to(move |entry| socket.send_to(entry, SOCKET).map(drop)) })
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let mut entry = Entry::default();
        entry.put("PRIORITY", priority(about.level()));
        entry.put("SYSLOG_IDENTIFIER", "stentord");
        entry.put("TARGET", about.target());
        event.record(&mut entry);
        self.lines.put(&entry.0);
    }
}

/// As syslog counts them.
fn priority(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "5",
        Level::DEBUG => "6",
        Level::TRACE => "7",
    }
}

/// One entry, as it is sent.
#[derive(Default)]
struct Entry(Vec<u8>);

impl Entry {
    fn put(&mut self, name: &str, value: &str) {
        let value = &value.as_bytes()[..value.floor_char_boundary(LONGEST)];
        self.0.extend_from_slice(name.as_bytes());
        if value.contains(&b'\n') {
            self.0.push(b'\n');
            self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            self.0.push(b'=');
        }
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.put("MESSAGE", value),
            name => self.put(&own_name(name), value),
        }
    }
}

/// `incident` is `STENTOR_INCIDENT`. Names have capitals, digits and underscores.
fn own_name(name: &str) -> String {
    let capital = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    "STENTOR_".chars().chain(name.chars().map(capital)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_several_lines_has_its_length_before_it() {
        let mut entry = Entry::default();
        entry.put("PRIORITY", "3");
        entry.put("MESSAGE", "one\nPRIORITY=0");
        entry.put(&own_name("queue.oldest"), "7");
        assert_eq!(entry.0, b"PRIORITY=3\nMESSAGE\n\x0e\0\0\0\0\0\0\0one\nPRIORITY=0\nSTENTOR_QUEUE_OLDEST=7\n");
    }

    #[test]
    fn a_long_value_is_cut_between_two_characters() {
        let mut entry = Entry::default();
        entry.put("MESSAGE", &"ü".repeat(LONGEST));
        let text = String::from_utf8(entry.0).unwrap();
        assert!(text.len() <= LONGEST + 9 && text.ends_with("ü\n"), "{} bytes", text.len());
    }
}
