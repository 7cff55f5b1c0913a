//! One reading of a config: its files, its problems, and what its placeholders stood for.

use crate::settings::placeholder::{self, Environment, Resolved};
use crate::settings::problem::Problem;
use crate::settings::source::{Place, SourceFile};
use crate::settings::tree::{self, Tree};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What every [`crate::settings::Table`] of one config shares.
pub struct Reading<'e> {
    environment: &'e dyn Environment,
    /// Placeholders that are not set count as present.
    without_secrets: bool,
    files: Vec<SourceFile>,
    found: RefCell<Found>,
}

#[derive(Default)]
struct Found {
    errors: BTreeSet<(Place, String, String)>,
    warnings: BTreeSet<(Place, String, String)>,
    /// Where secrets stand in the files.
    secrets: BTreeSet<Place>,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl<'e> Reading<'e> {
    pub fn new(environment: &'e dyn Environment, without_secrets: bool) -> Self {
        Reading { environment, without_secrets, files: Vec::new(), found: RefCell::default() }
    }

    /// Reads one more file. `None` when its form is wrong; the mistakes are then among the errors.
    pub fn parse(&mut self, name: &str, text: &str) -> Option<Tree> {
        let file = self.files.len();
        self.files.push(SourceFile::new(name, text));
        match tree::parse(text, file) {
            Ok(tree) => Some(tree),
            Err(mistakes) => {
                for (place, words) in mistakes {
                    let hint = match words.starts_with("duplicate key") {
                        true => "it is written above already: keep one of the two",
                        false => "look for a quote, a bracket or a = that is missing, here or above",
                    };
                    self.error_at(place, format!("this is not TOML: {words}"), hint);
                }
                None
            }
        }
    }

    /// Reads one more file that ought to be UTF-8.
    pub fn parse_bytes(&mut self, name: &str, bytes: &[u8]) -> Option<Tree> {
        let text = self.utf8(name, bytes)?;
        self.parse(name, text)
    }

    fn utf8<'b>(&mut self, name: &str, bytes: &'b [u8]) -> Option<&'b str> {
        let why = match std::str::from_utf8(bytes) {
            Ok(text) => return Some(text),
            Err(why) => why,
        };
        let file = self.files.len();
        self.files.push(SourceFile::new(name, String::from_utf8_lossy(&bytes[..why.valid_up_to()])));
        let start = why.valid_up_to();
        self.error_at(Place { file, start, end: start }, "this is not UTF-8", "save the file as UTF-8");
        None
    }

    /// One more file that is a text and nothing else, and ought to be UTF-8: where it stands, and what
    /// it says.
    pub fn text_bytes<'b>(&mut self, name: &str, bytes: &'b [u8]) -> Option<(Place, &'b str)> {
        let file = self.files.len();
        let text = self.utf8(name, bytes)?;
        self.files.push(SourceFile::new(name, text));
        Some((Place { file, start: 0, end: text.len() }, text))
    }

    /// As much of a file as can be understood; mistakes are kept to itself.
    pub fn parse_leniently(&mut self, name: &str, text: &str) -> Tree {
        let file = self.files.len();
        self.files.push(SourceFile::new(name, text));
        tree::parse_leniently(text, file)
    }

    pub fn without_secrets(&self) -> bool {
        self.without_secrets
    }

    pub fn error_at(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.found.borrow_mut().errors.insert((place, message.into(), hint.into()));
    }

    pub fn warning_at(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.found.borrow_mut().warnings.insert((place, message.into(), hint.into()));
    }

    /// `stentor.toml, line 12`, to point at a second place in a message.
    pub fn line_of(&self, place: Place) -> String {
        let Some(file) = self.files.get(place.file) else { return String::new() };
        format!("{}, line {}", file.name(), file.line_and_column(place.start).0)
    }

    /// A place inside a value that holds this text as it is written; `None` where escapes or
    /// placeholders make it another.
    pub fn inside(&self, value: Place, text: &str, offset: usize) -> Option<Place> {
        let begin = value.start + self.files.get(value.file)?.part(value)?.find(text)?;
        Some(Place { start: begin + offset, ..value })
    }

    /// How many errors there are so far.
    pub fn error_count(&self) -> usize {
        self.found.borrow().errors.len()
    }

    /// In the order of the files and lines.
    pub fn errors(&self) -> Vec<Problem> {
        self.found.borrow().errors.iter().map(|found| self.problem(found)).collect()
    }

    /// In the order of the files and lines.
    pub fn warnings(&self) -> Vec<Problem> {
        self.found.borrow().warnings.iter().map(|found| self.problem(found)).collect()
    }

    /// Where secrets stand in the files.
    pub fn secrets(&self) -> BTreeSet<Place> {
        self.found.borrow().secrets.clone()
    }

    pub(in crate::settings) fn note_secret(&self, place: Place) {
        self.found.borrow_mut().secrets.insert(place);
    }

    pub(in crate::settings) fn resolve(&self, text: &str) -> Result<Resolved, String> {
        Ok(placeholder::resolve(&placeholder::parts(text)?, self.environment))
    }

    fn problem(&self, (place, message, hint): &(Place, String, String)) -> Problem {
        let (message, hint) = (message.clone(), hint.clone());
        match self.files.get(place.file) {
            None => Problem { file: String::new(), line: 0, column: 0, message, hint },
            Some(file) => {
                let (line, column) = file.line_and_column(place.start);
                Problem { file: file.name().to_owned(), line, column, message, hint }
            }
        }
    }
}
