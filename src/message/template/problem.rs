//! What can be wrong with a template, and where in it.

use minijinja::{Error, ErrorKind};
use std::fmt;

/// What is wrong with a template, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// From 1; 0 when it is about the text as a whole.
    pub line: usize,
    /// From 1, in characters; 0 likewise.
    pub column: usize,
    /// In bytes from the template's beginning.
    pub offset: usize,
    pub message: String,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}, column {}: {}", self.column, self.message),
        }
    }
}

/// Why a template made no text of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub place: TemplateProblem,
    pub why: Why,
}

/// Whether it is about this message or about every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Something that this message does not have was asked for.
    Absent,
    /// It made a text without a letter.
    Empty,
    /// It does too much, too long, or what cannot be done.
    Other,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

/// About the template as a whole.
pub fn whole(why: Why, message: impl Into<String>) -> Failure {
    Failure { place: TemplateProblem { line: 0, column: 0, offset: 0, message: message.into() }, why }
}

/// Where this byte stands.
pub fn at(text: &str, offset: usize, message: String) -> TemplateProblem {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    TemplateProblem { line, column, offset: before.len(), message }
}

/// What minijinja says, without a word of the message's own.
pub fn of(text: &str, error: &Error, longest: usize) -> Failure {
    let range = error.range().filter(|range| text.get(range.clone()).is_some());
    let offset = range.as_ref().map(|r| r.start).or_else(|| error.line().map(|line| start_of(text, line)));
    let asked = range.and_then(|range| text.get(range)).filter(|asked| !asked.is_empty() && asked.len() <= 80);
    let message = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it runs for too long".to_owned(),
        (ErrorKind::WriteFailure, _) => format!("the text is longer than {longest} bytes"),
        (kind @ ErrorKind::UndefinedError, None) => {
            asked.map_or_else(|| kind.to_string(), |asked| format!("{kind}: {}", asked.trim()))
        }
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    let why = if error.kind() == ErrorKind::UndefinedError { Why::Absent } else { Why::Other };
    Failure { place: at(text, offset.unwrap_or(0), message), why }
}

fn start_of(text: &str, line: usize) -> usize {
    match line {
        0 | 1 => 0,
        _ => text.match_indices('\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    }
}
