//! Columns that stand under each other.

use crate::ctl::fields::plain;
use crate::ctl::screen::page::Screen;
use crate::ctl::screen::piece::{Ink, Piece};
use serde_json::Value;
use std::io;

/// Rows of pieces under a head; the last column is as wide as it likes.
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Piece>>,
}

impl Table {
    pub fn new(head: &[&'static str]) -> Table {
        Table { head: head.to_vec(), rows: vec![] }
    }

    pub fn row(&mut self, cells: Vec<Piece>) {
        self.rows.push(cells);
    }

    /// Prints it, or one line that says that there is nothing.
    pub fn print(&self, screen: &mut Screen<'_>, nothing: &str) -> io::Result<()> {
        if self.rows.is_empty() {
            return screen.line(nothing);
        }
        let head: Vec<Piece> = self.head.iter().map(|h| Piece::new(Ink::Dim, h)).collect();
        let rows = || std::iter::once(&head).chain(&self.rows);
        let widths: Vec<usize> = (0..self.head.len())
            .map(|i| rows().filter_map(|r| r.get(i)).map(Piece::width).max().unwrap_or(0))
            .collect();
        rows().try_for_each(|row| screen.columns(row, &widths))
    }
}

impl Screen<'_> {
    /// Names and what they hold, under each other.
    pub fn fields(&mut self, fields: &[(&str, String)]) -> io::Result<()> {
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        fields.iter().try_for_each(|(name, value)| {
            self.pieces(&[Piece::new(Ink::Dim, format!("  {name:<width$}  ")), value.into()])
        })
    }

    /// Under a list that goes on: how to see the rest.
    pub fn more(&mut self, document: &Value) -> io::Result<()> {
        match plain(document, "next_cursor") {
            Some(cursor) => self.pieces(&[Piece::new(Ink::Dim, format!("more: --cursor {cursor}"))]),
            None => Ok(()),
        }
    }

    /// One line of cells, padded to these widths but for the last one that has something, two blanks
    /// between.
    fn columns(&mut self, cells: &[Piece], widths: &[usize]) -> io::Result<()> {
        let filled = cells.iter().rposition(|cell| cell.width() > 0).map_or(0, |last| last + 1);
        let cells = &cells[..filled];
        for (i, cell) in cells.iter().enumerate() {
            self.put(cell)?;
            if i + 1 < cells.len() {
                let width = widths.get(i).copied().unwrap_or(0).max(cell.width());
                self.raw(" ".repeat(width - cell.width() + 2).as_bytes())?;
            }
        }
        self.raw(b"\n")
    }
}
