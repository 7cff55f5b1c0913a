//! Text that is safe to print, and how it stands out.

use crate::ctl::screen::escape::escape;

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
    pub(super) fn code(self) -> &'static str {
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
    pub(super) text: String,
    pub(super) ink: Ink,
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
    pub(super) fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: AsRef<str>> From<T> for Piece {
    fn from(text: T) -> Piece {
        Piece::new(Ink::Plain, text)
    }
}
