//! Templates for the eyes of whoever writes them: which there are, and what one makes of a sample.

use crate::channel::KINDS;
use crate::config::model::Config;
use crate::domain::Labels;
use crate::domain::delivery::Format;
use crate::domain::level::Level;
use crate::message::sample::{OCCASIONS, Sample};
use crate::message::segments::{self, Encoding};
use crate::message::{Author, Named, render_by};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is to be rendered; what is not said is a sample's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    pub channel: Option<String>,
    /// mail, sms, speech, chat or body.
    pub medium: Option<String>,
    pub level: Option<String>,
    /// A `kind` of the webhook's document; incident.opened, or notification where there are vars.
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub body: Option<String>,
    pub labels: Labels,
    pub vars: Labels,
}

/// Why nothing was rendered.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The request's; `None`: there is no such template.
    pub field: Option<&'static str>,
    pub message: String,
}

fn wrong(field: &'static str, message: String) -> Wrong {
    Wrong { field: Some(field), message }
}

const MEDIA: [(&str, Format); 5] = [
    ("mail", Format::Mail),
    ("sms", Format::Sms),
    ("speech", Format::Speech),
    ("chat", Format::Chat),
    ("body", Format::Document),
];

/// `{"templates": [...], "next_cursor": null}`.
pub fn list(config: &Config) -> Value {
    let rows: Vec<Value> = config.templates.values().map(|template| row(config, template)).collect();
    json!({ "templates": rows, "next_cursor": null })
}

fn row(config: &Config, template: &Named) -> Value {
    let texts = template.texts().map(|(level, key, text)| json!({ "key": key, "level": level, "text": text.source() }));
    let name = Some(template.name());
    let channels = config.channels.values().filter(|c| c.template.as_deref() == name);
    let levels = config.levels.iter().filter(|(_, terms)| terms.template.as_deref() == name);
    let used = channels.map(|c| format!("channels.{}", c.name)).chain(levels.map(|(l, _)| format!("levels.{l}")));
    json!({
        "name": template.name(),
        "built_in": template.is_built_in(),
        "texts": texts.collect::<Vec<_>>(),
        "vars": template.vars().0,
        "used_by": used.collect::<Vec<_>>(),
    })
}

/// What the template makes: `{"template", "level", "kind", "texts": [...]}`.
///
/// # Errors
/// A name that nothing has, or a var that the template does not have.
pub fn render(config: &Config, name: &str, wanted: Wanted) -> Result<Value, Wrong> {
    let Some(template) = config.templates.get(name) else {
        let known: Vec<&str> = config.templates.keys().map(String::as_str).collect();
        let message = format!("there is no template {name:?}; there are {}", known.join(", "));
        return Err(Wrong { field: None, message });
    };
    let level = match &wanted.level {
        None => Level::Urgent,
        Some(word) => Level::parse(word).ok_or_else(|| wrong("level", format!("{word:?} is not a level")))?,
    };
    let ways = ways(config, template, &wanted)?;
    let sample = sample(config, template, wanted, level)?;
    let texts: Vec<Value> = ways.iter().filter_map(|way| way.text(template, &sample)).collect();
    Ok(json!({ "template": name, "level": level, "kind": sample.occasion, "texts": texts }))
}

fn sample(config: &Config, template: &Named, wanted: Wanted, level: Level) -> Result<Sample, Wrong> {
    let (named, any) = template.vars();
    if let Some(name) = wanted.vars.keys().find(|name| !any && !named.contains(name)) {
        let named: Vec<&str> = named.iter().copied().collect();
        let there = if named.is_empty() { "it has none".to_owned() } else { format!("it has {}", named.join(", ")) };
        return Err(wrong("vars", format!("template {} has no var {name:?}; {there}", template.name())));
    }
    let usual = if named.is_empty() { "incident.opened" } else { "notification" };
    let kind = wanted.kind.as_deref().unwrap_or(usual);
    let Some(occasion) =
        OCCASIONS.iter().find(|occasion| **occasion == kind || occasion.ends_with(&format!(".{kind}")))
    else {
        return Err(wrong("kind", format!("{kind:?} is no kind of message; there are {}", OCCASIONS.join(", "))));
    };
    let mut sample = Sample::of(occasion, level);
    sample.from.clone_from(&config.daemon.name);
    sample.zone = config.daemon.timezone.clone();
    sample.subject = wanted.subject.unwrap_or(sample.subject);
    sample.body = wanted.body.unwrap_or(sample.body);
    sample.labels.extend(owned(&wanted.labels));
    sample.vars = named.into_iter().map(|name| (name, format!("[{name}]"))).collect();
    sample.vars.extend(owned(&wanted.vars));
    Ok(sample)
}

fn owned(pairs: &Labels) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Where a text would go.
struct Way<'a> {
    medium: &'a str,
    kind: &'a str,
    format: Format,
    /// Asked for by name: then the built-in text is told, too.
    asked: bool,
}

fn ways<'a>(config: &'a Config, template: &'a Named, wanted: &Wanted) -> Result<Vec<Way<'a>>, Wrong> {
    if let Some(name) = &wanted.channel {
        let Some(channel) = config.channels.get(name) else {
            let known: Vec<&str> = config.channels.keys().map(String::as_str).collect();
            return Err(wrong("channel", format!("there is no channel {name:?}; there are {}", known.join(", "))));
        };
        if wanted.medium.is_some() {
            return Err(wrong("medium", "either a channel or a medium".to_owned()));
        }
        let Some((medium, format)) = MEDIA.iter().find(|(_, format)| *format == channel.format()) else {
            return Err(wrong("channel", format!("{name} has no text that a template could make")));
        };
        return Ok(vec![Way { medium, kind: channel.kind.name, format: *format, asked: true }]);
    }
    if let Some(word) = &wanted.medium {
        let word = if word == "voice" { "speech" } else { word };
        let Some((medium, format)) = MEDIA.iter().find(|(medium, _)| *medium == word) else {
            return Err(wrong("medium", format!("{word:?} is no medium; there are mail, sms, speech, chat, body")));
        };
        return Ok(vec![Way { medium, kind: "", format: *format, asked: true }]);
    }
    let media = MEDIA.iter().map(|(medium, format)| Way { medium, kind: "", format: *format, asked: false });
    let of_kinds = template.texts().filter_map(|(_, key, _)| KINDS.iter().find(|kind| kind.name == key));
    let of_kinds = of_kinds.map(|kind| Way { medium: kind.name, kind: kind.name, format: kind.format, asked: false });
    Ok(media.chain(of_kinds).collect())
}

impl Way<'_> {
    fn text(&self, template: &Named, sample: &Sample) -> Option<Value> {
        let chosen = template.find(sample.level, self.kind, self.format);
        if chosen.is_none() && !self.asked {
            return None;
        }
        let built_in = chosen.is_none();
        let author = chosen.map_or(Author::BuiltIn, Author::Named);
        let made = render_by(&author, self.format, &sample.context());
        let size = (self.format == Format::Sms).then(|| segments::size(&made.rendered.text));
        Some(json!({
            "medium": self.medium,
            "subject": Some(&made.rendered.subject).filter(|s| !s.is_empty()),
            "text": made.rendered.text,
            "html": Some(&made.rendered.html).filter(|s| !s.is_empty()),
            "built_in": built_in || made.failure.is_some(),
            "failure": made.failure.map(|failure| failure.to_string()),
            "characters": made.rendered.text.chars().count(),
            "encoding": size.map(|s| if s.encoding == Encoding::Gsm7 { "GSM-7" } else { "UCS-2" }),
            "segments": size.map(|s| s.segments),
        }))
    }
}
