//! Templates by name: what a request may ask of one, and what happens when one fails.

use super::asked::SendRequest;
use super::incident::Opening;
use super::plan::Planned;
use super::refusal::{Code, Refusal};
use super::request::own_labels;
use super::state::Templated;
use super::text::author;
use super::turn::{Turn, refuse};
use crate::config::ChannelConfig;
use crate::domain::Labels;
use crate::domain::event::EventKind;
use crate::domain::level::Level;
use crate::domain::time::Span;
use crate::message::sample::Sample;
use crate::message::{Author, Failure, Named, Why, render_by};
use std::collections::BTreeSet;

/// So long without a failure, and a text that is made, end the incident about it.
const QUIET: Span = Span::hours(1);
/// Vars of one request, and bytes of one.
const VARS: usize = 64;
const LONGEST: usize = 4096;

impl Turn<'_> {
    /// What the request wants to be said with. A subject that it leaves out is the template's.
    ///
    /// # Errors
    /// There is no such template, or its vars are not those that were given.
    pub fn templated(
        &self,
        request: &mut SendRequest,
        level: Level,
        kind_of: &str,
    ) -> Result<Option<Templated>, Refusal> {
        let Some(name) = request.template.take() else {
            return match request.vars.is_empty() {
                true => Ok(None),
                false => refuse(Refusal::field("vars", "vars are for a template; name one")),
            };
        };
        let Some(template) = self.config.templates.get(&name) else {
            let known: Vec<&str> = self.config.templates.keys().map(String::as_str).collect();
            let message = format!("there is no template {name:?}; there are {}", known.join(", "));
            return refuse(Refusal { field: Some("template".into()), ..Refusal::new(Code::NotFound, message) });
        };
        check_vars(template, &request.vars)?;
        let templated = Templated { name, vars: std::mem::take(&mut request.vars) };
        if request.subject.trim().is_empty() {
            let sample = self.sample(request, level, kind_of, &templated);
            request.subject = match template.subject(&sample.context()) {
                Some(Ok(subject)) => subject,
                Some(Err(failure)) => return refuse(self.cannot(&templated, "subject", &failure)),
                None => String::new(),
            };
        }
        Ok(Some(templated))
    }

    /// Makes each text once, so that whoever asks hears what is wrong with it.
    ///
    /// # Errors
    /// A text of the template cannot be made of this message.
    pub fn try_texts(
        &self,
        request: &SendRequest,
        level: Level,
        kind_of: &str,
        templated: &Templated,
        planned: &[Planned],
    ) -> Result<(), Refusal> {
        let sample = self.sample(request, level, kind_of, templated);
        let channels = planned.iter().filter(|p| p.skip.is_none()).flat_map(|p| self.chain(&p.channel));
        let channels: BTreeSet<String> = channels.collect();
        for channel in channels.iter().filter_map(|name| self.config.channels.get(name)) {
            if let Some(failure) = self.try_text(channel, &sample, level, templated) {
                return refuse(self.cannot(templated, &channel.name, &failure));
            }
        }
        Ok(())
    }

    fn try_text(&self, channel: &ChannelConfig, sample: &Sample, level: Level, asked: &Templated) -> Option<Failure> {
        match author(self.config, channel, Some(asked), level) {
            // Only what was asked for is the asker's business.
            Author::Named(chosen) if chosen.name == asked.name => {
                render_by(&Author::Named(chosen), channel.format(), &sample.context()).failure
            }
            _ => None,
        }
    }

    /// The message as it would be.
    fn sample(&self, request: &SendRequest, level: Level, kind_of: &str, templated: &Templated) -> Sample {
        Sample {
            from: self.config.daemon.name.clone(),
            subject: request.subject.clone(),
            body: request.body.clone(),
            labels: own_labels(request).over(request.labels.clone(), level, kind_of),
            vars: templated.vars.clone(),
            zone: self.config.daemon.timezone.clone(),
            ..Sample::of("notification", level)
        }
    }

    fn cannot(&self, templated: &Templated, part: &str, failure: &Failure) -> Refusal {
        let Templated { name, vars } = templated;
        let named = self.config.templates.get(name).map(|t| t.vars().0).unwrap_or_default();
        let missing: Vec<&str> = named.into_iter().filter(|var| !vars.contains_key(var)).collect();
        if failure.why == Why::Absent && !missing.is_empty() {
            return Refusal::field("vars", format!("template {name} needs {}: {failure}", missing.join(", ")));
        }
        let field = if part == "subject" && failure.why == Why::Absent { "subject" } else { "template" };
        Refusal::field(field, format!("template {name} makes no text of this message ({part}): {failure}"))
    }

    /// The built-in text has gone out in its place; one incident a template says so.
    pub fn template_failed(&mut self, template: String, words: String) {
        self.emit(EventKind::TemplateFailed { template: template.clone(), words: words.clone() });
        if self.state.live_incident(&format!("self/{template}")).is_none() {
            let subject = format!("The text {template} fails; the built-in one goes out");
            let body = format!("{words}\nIt ends when the text in the config is another, or works for an hour.");
            self.open(Opening::about_self(&template, Level::Normal, subject, body));
        }
    }

    /// A text was made; after a while without a failure it is over.
    pub fn template_works(&mut self, template: &str) {
        let Some(failed) = self.state.failing_templates.get(template) else { return };
        if self.now - *failed >= QUIET {
            self.end_self_incident(template, "its text is made again");
        }
    }

    /// Incidents about texts that are others now, or gone.
    pub fn end_failing(&mut self, changed: &[String], all: bool) {
        let of = |fingerprint: &str| {
            let template = fingerprint.strip_prefix("self/")?;
            entry_of(template).map(|entry| (template.to_owned(), entry.to_owned()))
        };
        let open: Vec<_> = self.state.live_incidents().filter_map(|i| of(&i.fingerprint)).collect();
        for (template, entry) in open {
            if all || changed.contains(&entry) {
                self.end_self_incident(&template, "its text was changed");
            }
        }
    }
}

/// `channels.hook` of `channels.hook.body`, `templates.outage`: what a reload names.
pub fn entry_of(template: &str) -> Option<&str> {
    template
        .strip_suffix(".body")
        .filter(|t| t.starts_with("channels."))
        .or_else(|| Some(template).filter(|t| t.starts_with("templates.")))
}

fn check_vars(template: &Named, vars: &Labels) -> Result<(), Refusal> {
    let (named, any) = template.vars();
    if vars.len() > VARS {
        return refuse(Refusal::field("vars", format!("{} vars; at most {VARS} are taken", vars.len())));
    }
    for (name, value) in vars {
        if !any && !named.contains(name) {
            let there = if named.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", named.iter().copied().collect::<Vec<_>>().join(", "))
            };
            return refuse(Refusal::field(
                "vars",
                format!("template {} has no var {name:?}; {there}", template.name()),
            ));
        }
        if value.len() > LONGEST {
            return refuse(Refusal::field("vars", format!("var {name:?}: a value has at most {LONGEST} bytes")));
        }
    }
    Ok(())
}
