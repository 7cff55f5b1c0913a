//! `[templates.NAME]`: texts by form, kind of channel and level, each compiled.

use crate::channel::Format;
use crate::config::options::LoadOptions;
use crate::config::read::entries::named;
use crate::config::read::levels::level_of;
use crate::domain::level::Level;
use crate::message::{Form, KEYS, Named, Template, TemplateProblem};
use crate::settings::Table;
use std::collections::BTreeMap;
use std::sync::Arc;

const HINT: &str = "write it as minijinja templates are: {{ subject }}, {% if url %}{{ url }}{% endif %}";

/// Those of the config, and those that come with stentor.
pub fn read(root: &mut Table<'_>, options: &LoadOptions<'_>) -> BTreeMap<String, Arc<Named>> {
    let built_in = Named::built_in().into_iter().map(|named| (named.name().to_owned(), Arc::new(named)));
    let mut templates: BTreeMap<_, _> = built_in.collect();
    for mut table in named(root, "templates") {
        let mut template = Named::new(table.name());
        texts(&mut table, None, &mut template, options);
        for mut of_level in table.named_tables("levels") {
            match level_of(&mut of_level) {
                Some(level) => texts(&mut of_level, Some(level), &mut template, options),
                None => of_level.ignore_unknown(),
            }
        }
        if table.keys().is_empty() {
            table.error("", "a template has a text", "write text = \"...\", or sms, html, speech, chat, body");
        }
        templates.insert(table.name().to_owned(), Arc::new(template));
    }
    templates
}

fn texts(table: &mut Table<'_>, level: Option<Level>, template: &mut Named, options: &LoadOptions<'_>) {
    for (key, form) in KEYS {
        text(table, level, template, key, *form);
    }
    for kind in options.kinds {
        let form = match kind.format {
            Format::None => continue,
            Format::Document | Format::Alertmanager => Form::Body,
            Format::Mail | Format::Sms | Format::Speech | Format::Chat => Form::Plain,
        };
        // Not every kind is to be told of to whoever mistypes a key.
        if table.has(kind.name) {
            text(table, level, template, kind.name, form);
        }
    }
}

fn text(table: &mut Table<'_>, level: Option<Level>, template: &mut Named, key: &str, form: Form) {
    let Some(source) = table.text(key) else { return };
    if source.trim().is_empty() {
        table.error(key, "it is empty", "leave it out for the built-in text");
    } else if let Some(text) = compile(table, key, form, &source) {
        template.add(level, key, text);
    }
}

/// Compiles the text under this key, and complains at the place in it.
pub fn compile(table: &mut Table<'_>, key: &str, form: Form, source: &str) -> Option<Template> {
    match Template::compile(form, source) {
        Ok(template) => Some(template),
        Err(problem) => {
            complain(table, key, source, &problem);
            None
        }
    }
}

fn complain(table: &mut Table<'_>, key: &str, source: &str, problem: &TemplateProblem) {
    let (message, hint) = problem.message.split_once("; ").unwrap_or((&problem.message, HINT));
    match table.reading().inside(table.place(key), source, problem.offset) {
        Some(place) => table.error_at(place, key, message, hint),
        None => table.error(key, format!("line {}, column {}: {message}", problem.line, problem.column), hint),
    }
}
