//! Text for people: lines and tables, coloured only where that was found to be wanted.
//!
//! The one rule: what comes from outside passes [`escape`] on its way into a [`Piece`], so that no
//! alert can move the cursor, recolour the screen or turn a line around.

mod escape;
mod table;
mod when;

pub use escape::escape;
pub use table::Table;
pub use when::age;

use crate::domain::time::Timestamp;
use jiff::tz::TimeZone;
use std::io::{self, Write};

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    #[default]
    Plain,
    Bold,
    Dim,
    Good,
    Warn,
    Bad,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Bold => "\x1b[1m",
            Ink::Dim => "\x1b[2m",
            Ink::Good => "\x1b[32m",
            Ink::Warn => "\x1b[33m",
            Ink::Bad => "\x1b[1;31m",
        }
    }

    /// By a status word of a channel, delivery, heartbeat, watch, incident or level.
    pub fn of_status(word: &str) -> Ink {
        match word {
            "ok" | "delivered" | "sent" | "simulated" | "resolved" => Ink::Good,
            "degraded" | "suspect" | "acknowledged" | "waiting" | "backoff" | "unknown" | "high" | "late" => Ink::Warn,
            "failing" | "dead" | "expired" | "failed" | "breached" | "open" | "urgent" => Ink::Bad,
            _ => Ink::Plain,
        }
    }
}

/// A text that is safe to print, with its ink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    text: String,
    ink: Ink,
}

impl Piece {
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Piece {
        Piece { text: escape(text.as_ref()), ink }
    }

    /// A status word in its own ink.
    pub fn status(word: impl AsRef<str>) -> Piece {
        Piece::new(Ink::of_status(word.as_ref()), word)
    }

    /// In letters, as far as a terminal shows one letter in one cell.
    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: AsRef<str>> From<T> for Piece {
    fn from(text: T) -> Piece {
        Piece::new(Ink::Plain, text)
    }
}

/// Where the answer goes.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    zone: TimeZone,
    now: Timestamp,
}

impl<'a> Screen<'a> {
    pub fn new(out: &'a mut dyn Write, colour: bool, zone: TimeZone, now: Timestamp) -> Self {
        Screen { out, colour, zone, now }
    }

    /// One line of text.
    pub fn line(&mut self, piece: impl Into<Piece>) -> io::Result<()> {
        self.pieces(&[piece.into()])
    }

    /// One line made of several pieces; blanks between them are the pieces' own.
    pub fn pieces(&mut self, pieces: &[Piece]) -> io::Result<()> {
        for piece in pieces {
            self.put(piece)?;
        }
        self.out.write_all(b"\n")
    }

    /// A text of several lines, each with this before it.
    pub fn paragraph(&mut self, before: &str, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|l| self.line(format!("{before}{}", l.trim_end())))
    }

    /// A JSON document as it came, ended by one line end.
    pub fn document(&mut self, raw: &[u8]) -> io::Result<()> {
        self.out.write_all(raw.trim_ascii_end())?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    /// Bytes as they are: an export, a completion script.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// For streams: what was written is to be seen now.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn put(&mut self, piece: &Piece) -> io::Result<()> {
        if self.colour && piece.ink != Ink::Plain {
            return write!(self.out, "{}{}\x1b[0m", piece.ink.code(), piece.text);
        }
        self.out.write_all(piece.text.as_bytes())
    }
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
