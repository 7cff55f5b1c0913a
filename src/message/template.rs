//! Texts of the operator's own: minijinja, with the fields of the webhook's document as variables
//! and `text`, the built-in text.
//!
//! A variable that does not exist is an error, never an empty place; what may be absent (`url`,
//! `incident`) is null. Nothing is escaped by itself: inside JSON write `{{ subject|tojson }}`. A
//! template reads no file, cannot run for ever (fuel) and makes no more than [`LONGEST`] bytes.

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::message::context::{About, Context};
use crate::message::document;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// In bytes; the largest body that a webhook gets.
pub const LONGEST: usize = 256 * 1024;
/// Instructions; a text of this size needs a few thousand.
const FUEL: u64 = 200_000;

/// What is wrong with a template, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub message: String,
}

/// Says whether a template can work, as far as that can be known without a message: it is well
/// formed, and every variable, filter, test and function in it exists.
///
/// # Errors
/// The first problem, with its place.
pub fn check_template(text: &str) -> Result<(), TemplateProblem> {
    let env = environment();
    let template = env.template_from_str(text).map_err(|e| problem(text, &e))?;
    let known = variables();
    let globals: BTreeSet<&str> = env.globals().map(|(name, _)| name).collect();
    let mut unknown: Vec<String> = template
        .undeclared_variables(true)
        .into_iter()
        .filter(|path| !globals.contains(path.as_str()) && !is_known(&known, path))
        .collect();
    unknown.sort();
    if let Some(path) = unknown.first() {
        let (line, column) = place_of(text, path);
        let names: Vec<&str> = known.iter().map(String::as_str).filter(|name| !name.contains('.')).collect();
        let message = format!("there is no variable {path:?}; there are {}", names.join(", "));
        return Err(TemplateProblem { line, column, message });
    }
    for tree in samples() {
        if let Err(e) = render_tree(&env, text, &tree)
            && is_about_the_template(e.kind())
        {
            return Err(problem(text, &e));
        }
    }
    Ok(())
}

/// The template's text for this message.
///
/// # Errors
/// In words, with the line.
pub fn render(template: &str, context: &Context<'_>, text: &str) -> Result<String, String> {
    let mut tree = document::tree(context);
    tree["text"] = text.into();
    render_tree(&environment(), template, &tree).map_err(|e| {
        let place = problem(template, &e);
        format!("line {}, column {}: {}", place.line, place.column, place.message)
    })
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // Else an error would quote the values of the message.
    env.set_debug(false);
    env.remove_global("debug");
    env
}

fn render_tree(env: &Environment<'_>, template: &str, tree: &serde_json::Value) -> Result<String, Error> {
    let mut out = Bounded(Vec::new());
    // A template is config, and config must never take the engine down.
    let made = catch_unwind(AssertUnwindSafe(|| {
        env.template_from_str(template)?.render_captured_to(Value::from(Serde(tree)), &mut out).map(drop)
    }));
    made.unwrap_or_else(|_| Err(Error::new(ErrorKind::InvalidOperation, "it cannot be rendered")))?;
    String::from_utf8(out.0).map_err(|_| Error::new(ErrorKind::BadSerialization, "the text is not UTF-8"))
}

/// Collects no more than [`LONGEST`] bytes.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(std::io::Error::other(format!("the text is longer than {LONGEST} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn problem(text: &str, error: &Error) -> TemplateProblem {
    let column = error.range().and_then(|range| text.get(..range.start)).map(column_after);
    let (line, column) = (error.line().unwrap_or(1), column.unwrap_or(1));
    let message = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it runs for too long".to_owned(),
        (ErrorKind::WriteFailure, _) => format!("the text is longer than {LONGEST} bytes"),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    TemplateProblem { line, column, message }
}

fn column_after(before: &str) -> usize {
    before.chars().rev().take_while(|c| *c != '\n').count() + 1
}

/// Line and column of the first place inside a tag where this name stands.
fn place_of(text: &str, path: &str) -> (usize, usize) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let first = text.find(['{']).unwrap_or(0);
    let at = text
        .match_indices(path)
        .map(|(at, _)| at)
        .find(|at| *at >= first && !text[..*at].ends_with(is_part) && !text[at + path.len()..].starts_with(is_part))
        .unwrap_or(first);
    (text[..at].matches('\n').count() + 1, column_after(&text[..at]))
}

/// Top-level names, and those of what is inside `incident`.
fn variables() -> BTreeSet<String> {
    let [with_incident, _] = samples();
    let mut names = BTreeSet::new();
    for (name, value) in with_incident.as_object().into_iter().flatten() {
        names.insert(name.clone());
        if name == "incident" {
            names.extend(value.as_object().into_iter().flatten().map(|(inner, _)| format!("incident.{inner}")));
        }
    }
    names
}

/// Labels and annotations are the message's own: any name can be there.
fn is_known(known: &BTreeSet<String>, path: &str) -> bool {
    let top = path.split('.').next().unwrap_or_default();
    known.contains(path) || (known.contains(top) && top != "incident")
}

/// It will fail for every message, not only for one without a certain label.
fn is_about_the_template(kind: ErrorKind) -> bool {
    use ErrorKind::*;
    matches!(kind, UnknownFilter | UnknownTest | UnknownFunction | UnknownMethod | TooManyArguments | MissingArgument)
}

/// A message of an incident and one without.
fn samples() -> [serde_json::Value; 2] {
    let empty = Labels::new();
    let mut context = Context {
        from: "prague-1",
        kind: "incident.opened",
        level: Level::Urgent,
        kind_of: "message",
        subject: "a subject",
        body: "a body",
        labels: &empty,
        annotations: &empty,
        incident: Some(About {
            number: 417,
            id: "id".to_owned(),
            fingerprint: "fingerprint",
            status: "open",
            step: 1,
            round: 1,
            opened_at: Timestamp(0),
            since: Timestamp(0),
            by: None,
            no_longer_reported: false,
            lasted: None,
        }),
        id: "id".to_owned(),
        delivery: "id".to_owned(),
        at: Timestamp(0),
        zone: jiff::tz::TimeZone::UTC,
        link: Some("https://alarm.example.org/i/417".to_owned()),
        reply: None,
        keys: false,
        possibly_duplicate: false,
        enclosures: Default::default(),
    };
    let tree = |context: &Context<'_>| {
        let mut tree = document::tree(context);
        tree["text"] = "a text".into();
        tree
    };
    let with = tree(&context);
    (context.incident, context.link) = (None, None);
    [with, tree(&context)]
}
