//! A template by name: its texts for forms, kinds of channel and levels, and which of them makes what.

use crate::domain::delivery::Format;
use crate::domain::event::Rendered;
use crate::domain::level::Level;
use crate::message::context::Context;
use crate::message::medium::{Checked, built_in, finished};
use crate::message::phrase::Says;
use crate::message::template::{Failure, Form, Template, Why, tree, whole};
use crate::message::{clean, sms};
use std::collections::{BTreeMap, BTreeSet};

/// The keys of texts, beside the kinds of channel.
pub const KEYS: &[(&str, Form)] = &[
    ("subject", Form::Subject),
    ("text", Form::Plain),
    ("mail", Form::Plain),
    ("html", Form::Html),
    ("sms", Form::Plain),
    ("speech", Form::Plain),
    ("chat", Form::Plain),
    ("body", Form::Body),
];

/// What comes with stentor, by name; a template of the same name takes its place.
const BUILT_IN: &[(&str, &str, &str)] = &[("html", "html", include_str!("built_in/mail.html"))];

/// Letters of a mail's subject line.
const SUBJECT: usize = 250;

/// A template: one text or more.
#[derive(Debug)]
pub struct Named {
    name: String,
    built_in: bool,
    /// By level (none: every level that has none of its own) and key.
    texts: BTreeMap<(Option<Level>, String), Template>,
}

impl Named {
    pub fn new(name: &str) -> Named {
        Named { name: name.to_owned(), built_in: false, texts: BTreeMap::new() }
    }

    /// Those that come with stentor.
    pub fn built_in() -> Vec<Named> {
        let form = |key: &str| KEYS.iter().find(|(name, _)| *name == key).map_or(Form::Plain, |(_, form)| *form);
        let one = |(name, key, source): &(&str, &str, &str)| {
            let mut named = Named { built_in: true, ..Named::new(name) };
            // A test compiles them all.
            if let Ok(text) = Template::compile(form(key), source) {
                named.add(None, key, text);
            }
            named
        };
        BUILT_IN.iter().map(one).collect()
    }

    /// Adds a text. `key` is one of [`KEYS`] or a kind of channel.
    pub fn add(&mut self, level: Option<Level>, key: &str, text: Template) {
        self.texts.insert((level, key.to_owned()), text);
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// It comes with stentor.
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// Level, key and text of each.
    pub fn texts(&self) -> impl Iterator<Item = (Option<Level>, &str, &Template)> {
        self.texts.iter().map(|((level, key), template)| (*level, key.as_str(), template))
    }

    /// The `vars` that its texts name, and whether others may be given, too.
    pub fn vars(&self) -> (BTreeSet<&str>, bool) {
        let named = self.texts.values().filter_map(Template::vars).flatten().map(String::as_str).collect();
        (named, self.texts.values().any(|t| t.vars().is_none()))
    }

    /// What of it a channel of this kind sends at this level; `None`: nothing, others make it.
    pub fn find(&self, level: Level, kind: &str, format: Format) -> Option<Chosen<'_>> {
        let keys: &[&str] = match format {
            Format::Mail => &[kind, "mail", "text"],
            Format::Sms => &[kind, "sms", "text"],
            Format::Speech => &[kind, "speech", "text"],
            Format::Chat => &[kind, "chat", "text"],
            Format::Document => &[kind, "body"],
            Format::Alertmanager | Format::None => &[],
        };
        let is_body = |(_, text): &(&str, &Template)| (text.form() == Form::Body) == (format == Format::Document);
        let text = self.pick(level, keys).filter(is_body);
        let for_mail = |key: &str| self.pick(level, &[key]).filter(|_| format == Format::Mail).map(|(_, t)| t);
        let (subject, html) = (for_mail("subject"), for_mail("html"));
        if text.is_none() && subject.is_none() && html.is_none() {
            return None;
        }
        let key = match text {
            Some((key, _)) if key == kind => format!("{} for {kind}", self.name),
            _ => self.name.clone(),
        };
        Some(Chosen { name: &self.name, key, subject, text: text.map(|(_, t)| t), html })
    }

    fn pick<'k>(&self, level: Level, keys: &[&'k str]) -> Option<(&'k str, &Template)> {
        let of = |level: Option<Level>| {
            keys.iter().find_map(move |key| Some((*key, self.texts.get(&(level, (*key).to_owned()))?)))
        };
        of(Some(level)).or_else(|| of(None))
    }

    /// The subject for a message that brings none.
    ///
    /// # Errors
    /// Its text fails, or asks for a subject itself.
    pub fn subject(&self, context: &Context<'_>) -> Option<Result<String, Failure>> {
        let (_, template) = self.pick(context.level, &["subject"])?;
        let mut tree = tree(context, "");
        if let Some(fields) = tree.as_object_mut() {
            fields.remove("subject");
        }
        Some(template.render(&tree).and_then(|text| filled(clean::short(&clean::line(&text), SUBJECT))))
    }
}

/// What one template makes for one sort of channel.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// The template's.
    pub name: &'a str,
    /// Names the text among others of its format.
    pub key: String,
    subject: Option<&'a Template>,
    text: Option<&'a Template>,
    html: Option<&'a Template>,
}

impl Chosen<'_> {
    /// The finished text; the built-in one, whole, when any part of it fails.
    pub fn render(&self, format: Format, context: &Context<'_>) -> Checked {
        let built_in = built_in(format, context);
        let text = if format == Format::Document { sms::text(context) } else { built_in.text.clone() };
        match self.parts(format, context, &built_in, &tree(context, text.trim_end())) {
            Ok(rendered) => Checked { rendered, failure: None },
            Err(failure) => Checked { rendered: built_in, failure: Some(failure) },
        }
    }

    fn parts(
        &self,
        format: Format,
        context: &Context<'_>,
        built_in: &Rendered,
        tree: &serde_json::Value,
    ) -> Result<Rendered, Failure> {
        let made = |template: Option<&Template>, otherwise: &str, finish: &dyn Fn(String) -> String| match template {
            Some(template) => filled(finish(template.render(tree)?)),
            None => Ok(otherwise.to_owned()),
        };
        let line = |text: String| clean::short(&clean::line(&text), SUBJECT);
        let test = Says::of(context) == Says::Test;
        let marked = |text: String, mark: &str| if test { with_mark(text, mark) } else { text };
        Ok(Rendered {
            subject: marked(made(self.subject, &built_in.subject, &line)?, "[TEST] "),
            text: made(self.text, &built_in.text, &|text| match format {
                Format::Document => text,
                Format::Mail => finished(format, text),
                _ => finished(format, marked(text, "Test: ")),
            })?,
            html: made(self.html, "", &|text| clean::block(&text))?,
            is_object: false,
        })
    }
}

/// A test is never taken for an alarm.
fn with_mark(text: String, mark: &str) -> String {
    if text.is_empty() || text.to_lowercase().contains("test") { text } else { format!("{mark}{text}") }
}

/// Nobody is told nothing.
fn filled(text: String) -> Result<String, Failure> {
    match text.trim().is_empty() {
        true => Err(whole(Why::Empty, "the text is empty")),
        false => Ok(text),
    }
}
