//! Where lines are written to.

use crate::ctl::screen::piece::{Ink, Piece};
use crate::domain::time::Timestamp;
use std::io::{self, Write};

/// A line that would be longer is continued on the next one; a terminal of usual width wraps no more
/// than once, and what stands together stays together.
const WIDTH: usize = 120;
/// Between items that stand in a row.
const GAP: &str = "   ";

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

    /// Items in a row behind a label, on as many lines as they need; further lines begin under the first
    /// item.
    pub fn row(&mut self, label: &Piece, items: &[Vec<Piece>]) -> io::Result<()> {
        let begin = label.width();
        let mut at = begin;
        self.put(label)?;
        for (i, item) in items.iter().enumerate() {
            let width: usize = item.iter().map(Piece::width).sum();
            if i > 0 && at + GAP.len() + width > WIDTH {
                write!(self.out, "\n{}", " ".repeat(begin))?;
                at = begin;
            } else if i > 0 {
                self.out.write_all(GAP.as_bytes())?;
                at += GAP.len();
            }
            item.iter().try_for_each(|piece| self.put(piece))?;
            at += width;
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
