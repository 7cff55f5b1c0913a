//! Texts are compared to the letter: they are what people read at 3 am.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alertmanager;
mod named;
mod segments;
mod templates;
mod texts;
mod wild;

use crate::domain::Labels;
use crate::domain::delivery::Format;
use crate::domain::event::Rendered;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::message::{About, Author, Checked, Context, Form, Template, TemplateProblem, render_by};
use jiff::tz::TimeZone;

/// Nothing of a message but what a test gives it.
struct Story {
    labels: Labels,
    annotations: Labels,
    vars: Labels,
}

impl Story {
    fn new() -> Story {
        let labels =
            [("level", "urgent"), ("source", "heartbeat"), ("name", "twilio"), ("type", "probe"), ("channel", "sms")];
        Story { labels: map(&labels), annotations: Labels::new(), vars: Labels::new() }
    }

    /// Incident 417, opened 02:41 in Prague, told at 02:47.
    fn alarm(&self, kind: &'static str) -> Context<'_> {
        Context {
            kind,
            incident: Some(About {
                number: 417,
                id: "01M7V90VPG0000000000000001".to_owned(),
                fingerprint: "heartbeat/twilio",
                status: "open",
                step: 1,
                round: 1,
                opened_at: Timestamp::parse("2026-11-20T02:46:00+01:00").unwrap(),
                since: Timestamp::parse("2026-11-20T02:41:00+01:00").unwrap(),
                by: None,
                no_longer_reported: false,
                lasted: None,
            }),
            ..self.one_shot()
        }
    }

    fn notice(&self, kind: &'static str, by: &'static str, lasted: Option<Span>) -> Context<'_> {
        let mut context = self.alarm(kind);
        if let Some(about) = &mut context.incident {
            about.by = Some(by);
            about.lasted = lasted;
        }
        context
    }

    fn one_shot(&self) -> Context<'_> {
        Context {
            from: "prague-1",
            kind: "notification",
            level: Level::Urgent,
            kind_of: "probe",
            subject: "Twilio credentials refused",
            body: "401 Authenticate",
            labels: &self.labels,
            annotations: &self.annotations,
            vars: &self.vars,
            incident: None,
            id: "01M7V90VPG0000000000000002".to_owned(),
            delivery: "01M7V90VPG0000000000000003".to_owned(),
            at: Timestamp::parse("2026-11-20T02:47:03.120+01:00").unwrap(),
            zone: TimeZone::get("Europe/Prague").unwrap(),
            link: None,
            reply: None,
            keys: false,
            possibly_duplicate: false,
            enclosures: Default::default(),
        }
    }
}

fn map(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// Whether a channel's own body can work.
fn check_template(text: &str) -> Result<(), TemplateProblem> {
    Template::compile(Form::Raw, text).map(drop)
}

/// By a channel's own body, if there is one and it can work.
fn render_checked(format: Format, template: Option<&str>, context: &Context<'_>) -> Checked {
    let template = template.and_then(|text| Template::compile(Form::Raw, text).ok());
    render_by(&template.as_ref().map_or(Author::BuiltIn, Author::Body), format, context)
}

fn render(format: Format, template: Option<&str>, context: &Context<'_>) -> Rendered {
    render_checked(format, template, context).rendered
}
