//! Where lines are written to.

use crate::ctl::screen::piece::{Ink, Piece};
use crate::domain::time::Timestamp;
use std::io::{self, Write};

/// Where the answer goes.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    pub(super) now: Timestamp,
}

impl<'a> Screen<'a> {
    pub fn new(out: &'a mut dyn Write, colour: bool, now: Timestamp) -> Self {
        Screen { out, colour, now }
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

    pub(super) fn put(&mut self, piece: &Piece) -> io::Result<()> {
        if self.colour && piece.ink != Ink::Plain {
            return write!(self.out, "{}{}\x1b[0m", piece.ink.code(), piece.text);
        }
        self.out.write_all(piece.text.as_bytes())
    }
}
