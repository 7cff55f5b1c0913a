//! Texts of the operator's own: minijinja, compiled once, when the config is read.
//!
//! A variable that does not exist is an error, never an empty place; what may be absent (`url`,
//! `incident`, `ack`) is null. A template reads no file, includes nothing, cannot run for ever
//! (fuel), and makes no more bytes than its form has room for.

mod environment;
mod problem;
mod variables;

pub(super) use problem::whole;
pub use problem::{Failure, TemplateProblem, Why};
pub use variables::tree;

use crate::domain::level::Level;
use crate::message::sample::Sample;
use environment::Escape;
use minijinja::Environment;
use minijinja::ErrorKind::{
    MissingArgument, TooManyArguments, UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// In bytes; the largest body that a webhook gets.
pub const LONGEST: usize = 256 * 1024;

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The subject line of a mail.
    Subject,
    /// Plain text for people: mail, chat, SMS, a call.
    Plain,
    /// The HTML part of a mail.
    Html,
    /// The JSON that a webhook or a program gets.
    Body,
    /// A channel's own `body`, in which nothing is escaped.
    Raw,
}

impl Form {
    fn escape(self) -> Escape {
        match self {
            Form::Subject | Form::Plain => Escape::Plain,
            Form::Html => Escape::Html,
            Form::Body => Escape::Json,
            Form::Raw => Escape::Raw,
        }
    }

    fn longest(self) -> usize {
        match self {
            Form::Subject => 4 * 1024,
            Form::Plain | Form::Html => 64 * 1024,
            Form::Body | Form::Raw => LONGEST,
        }
    }
}

/// One text, ready to be made.
pub struct Template {
    form: Form,
    source: String,
    env: Environment<'static>,
    /// The `vars` that it names; `None` when it takes them as a whole.
    vars: Option<BTreeSet<String>>,
}

impl Template {
    /// Compiles it, and says whether it can work as far as that can be known without a message: it is
    /// well formed, and every variable, filter, test and function in it exists.
    ///
    /// # Errors
    /// The first problem, with its place.
    pub fn compile(form: Form, source: &str) -> Result<Template, TemplateProblem> {
        let longest = form.longest();
        let env =
            environment::environment(form.escape(), source).map_err(|e| problem::of(source, &e, longest).place)?;
        let (asked, known) = (environment::asked(&env), variables::known());
        if let Some(path) = asked.iter().find(|path| !variables::is_known(&known, path)) {
            let names: Vec<&str> = known.iter().map(String::as_str).filter(|name| !name.contains('.')).collect();
            let message = format!("there is no variable {path:?}; there are {}", names.join(", "));
            return Err(problem::at(source, place_of(source, path), message));
        }
        for kind in ["incident.opened", "notification"] {
            let tree = tree(&Sample::of(kind, Level::Urgent).context(), "a text");
            if let Err(e) = environment::render(&env, &tree, longest)
                && is_about_the_template(e.kind())
            {
                return Err(problem::of(source, &e, longest).place);
            }
        }
        let vars = asked.iter().filter(|path| *path == "vars" || path.starts_with("vars."));
        let vars = vars.map(|path| path.strip_prefix("vars.").map(str::to_owned)).collect();
        Ok(Template { form, source: source.to_owned(), env, vars })
    }

    pub fn form(&self) -> Form {
        self.form
    }

    /// As it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The `vars` that it names; `None` when it takes them as a whole.
    pub fn vars(&self) -> Option<&BTreeSet<String>> {
        self.vars.as_ref()
    }

    /// The text of this message, see `tree`; not yet as its medium wants it.
    ///
    /// # Errors
    /// Why there is none, with the place, and without a word of the message.
    pub fn render(&self, tree: &Value) -> Result<String, Failure> {
        let longest = self.form.longest();
        let text = environment::render(&self.env, tree, longest).map_err(|e| problem::of(&self.source, &e, longest))?;
        if self.form == Form::Body
            && self.source.trim_start().starts_with(['{', '['])
            && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err()
        {
            return Err(whole(
                Why::Other,
                "the text is no JSON; write \"{{ subject }}\" in quotes, or {{ subject|tojson }} without",
            ));
        }
        Ok(text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("form", &self.form).field("source", &self.source).finish_non_exhaustive()
    }
}

/// The first place inside a tag where this name stands.
fn place_of(text: &str, path: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let first = text.find(['{']).unwrap_or(0);
    text.match_indices(path)
        .map(|(at, _)| at)
        .find(|at| *at >= first && !text[..*at].ends_with(is_part) && !text[at + path.len()..].starts_with(is_part))
        .unwrap_or(first)
}

/// It will fail for every message, not only for one without a certain label.
fn is_about_the_template(kind: minijinja::ErrorKind) -> bool {
    matches!(kind, UnknownFilter | UnknownTest | UnknownFunction | UnknownMethod | TooManyArguments | MissingArgument)
}
