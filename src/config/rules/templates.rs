//! What each template makes of a message of each occasion: it works, people are told what happened,
//! and an SMS is not longer than it need be.

use crate::channel::Format;
use crate::config::rules::spot::Judge;
use crate::domain::level::Level;
use crate::message::sample::{OCCASIONS, Sample};
use crate::message::{Author, Checked, Failure, Form, Named, Template, Why, render_by, segments};
use crate::settings::{Place, suggestion};
use std::collections::BTreeSet;

/// The occasion on which a request's own template and vars can be there, and no other.
const ONE_SHOT: &str = "notification";

pub fn check(judge: &Judge<'_>) {
    let used = names(judge);
    for (name, template) in judge.config.templates.iter().filter(|(_, template)| !template.is_built_in()) {
        let (vars, _) = template.vars();
        // What only a request can name is never asked for an incident.
        let occasions = if vars.is_empty() || used.contains(name.as_str()) { &OCCASIONS[..] } else { &[ONE_SHOT] };
        for (level, key, text) in template.texts() {
            let trial = Trial { judge, template, level, key, text, used: used.contains(name.as_str()) };
            trial.run(text.form(), occasions);
        }
    }
}

/// The names that channels and levels use; complains where there is none.
fn names<'a>(judge: &Judge<'a>) -> BTreeSet<&'a str> {
    let channels = judge.config.channels.iter().map(|(name, c)| ("channels", name.as_str(), c.template.as_deref()));
    let levels = judge.written_levels().into_iter();
    let levels = levels.filter_map(|l| Some(("levels", l.as_str(), judge.config.levels.get(&l)?.template.as_deref())));
    let mut used = BTreeSet::new();
    for (collection, entry, template) in channels.chain(levels) {
        let Some(name) = template else { continue };
        used.insert(name);
        if !judge.config.templates.contains_key(name) && !judge.is_written(&["templates", name]) {
            let known = judge.config.templates.keys().map(String::as_str);
            let path = [collection, entry, "template"];
            judge.error(&path, format!("there is no template {name:?}"), suggestion(name, known));
        }
    }
    used
}

/// One text that is tried.
struct Trial<'a> {
    judge: &'a Judge<'a>,
    template: &'a Named,
    level: Option<Level>,
    key: &'a str,
    text: &'a Template,
    /// A channel or a level uses it, so there are messages without vars.
    used: bool,
}

/// What a text came to on one occasion.
struct Outcome<'a> {
    occasion: &'a str,
    level: Level,
    made: Checked,
}

impl Trial<'_> {
    fn run(&self, form: Form, occasions: &[&str]) {
        let levels = self.level.map_or(Level::ALL.to_vec(), |level| vec![level]);
        let pairs = levels.into_iter().flat_map(|level| occasions.iter().map(move |occasion| (level, *occasion)));
        let results: Vec<Outcome<'_>> =
            pairs.filter_map(|(level, occasion)| self.result(form, level, occasion)).collect();
        let failed = |why: Why| results.iter().find(|r| r.made.failure.as_ref().is_some_and(|f| f.why == why));
        if let Some(Outcome { occasion, made: Checked { failure: Some(failure), .. }, .. }) = failed(Why::Other) {
            let message = format!("{}: {} (a message of the kind {occasion})", self.shown(), failure.place.message);
            return self.judge.reading.error_at(self.place(failure), message, "see docs/templates.md");
        }
        for why in [Why::Absent, Why::Empty] {
            let Some(Outcome { made: Checked { failure: Some(failure), .. }, .. }) = failed(why) else { continue };
            let when: BTreeSet<&str> = results
                .iter()
                .filter(|r| r.made.failure.as_ref().is_some_and(|f| f.why == why))
                .map(|r| r.occasion)
                .collect();
            let when = when.into_iter().collect::<Vec<_>>().join(", ");
            self.judge.reading.warning_at(
                self.place(failure),
                format!("{}: {}; the built-in text goes out for {when}", self.shown(), failure.place.message),
                "write {{ labels.team|default('-') }}, {% if incident %}...{% endif %}, {% else %}{{ text }}",
            );
        }
        self.check_ends(form, &results);
        self.check_length(form, &results);
    }

    fn result<'b>(&self, form: Form, level: Level, occasion: &'b str) -> Option<Outcome<'b>> {
        let (format, kind) = self.channel(form);
        let chosen = self.template.find(level, kind, format)?;
        let mut sample = Sample::of(occasion, level);
        sample.from.clone_from(&self.judge.config.daemon.name);
        if occasion == ONE_SHOT && !self.used {
            sample.vars = self.template.vars().0.into_iter().map(|name| (name, format!("[{name}]"))).collect();
        }
        let made = render_by(&Author::Named(chosen), format, &sample.context());
        Some(Outcome { occasion, level, made })
    }

    /// A channel that this text is for: its form, and its kind where the text is for one alone.
    fn channel(&self, form: Form) -> (Format, &str) {
        let format = match (self.key, form) {
            (_, Form::Body | Form::Raw) => Format::Document,
            (_, Form::Subject | Form::Html) | ("mail", _) => Format::Mail,
            ("sms" | "text", _) => Format::Sms,
            ("speech", _) => Format::Speech,
            ("chat", _) => Format::Chat,
            (kind, Form::Plain) => {
                let of_kind = self.judge.config.channels.values().find(|c| c.kind.name == kind);
                of_kind.map_or(Format::Chat, |c| c.kind.format)
            }
        };
        (format, self.key)
    }

    /// The end of an alarm that reads like an alarm wakes somebody for nothing.
    fn check_ends(&self, form: Form, results: &[Outcome<'_>]) {
        let made = |kind: &str| {
            let one = results.iter().find(|r| r.occasion == kind && r.made.failure.is_none())?;
            Some(if form == Form::Subject { &one.made.rendered.subject } else { &one.made.rendered.text })
        };
        let same = made("incident.opened").is_some_and(|opened| Some(opened) == made("incident.resolved"));
        if same && matches!(form, Form::Plain | Form::Subject) {
            self.judge.warning(
                &self.path(),
                "the end of an incident reads like its beginning",
                "write {{ tag }}, which says URGENT #417 or RESOLVED #417, or ask {% if kind == \"incident.resolved\" %}",
            );
        }
    }

    fn check_length(&self, form: Form, results: &[Outcome<'_>]) {
        if self.channel(form).0 != Format::Sms {
            return;
        }
        let size = |r: &Outcome<'_>| segments::size(&r.made.rendered.text).segments;
        let made = results.iter().filter(|r| r.made.failure.is_none());
        let Some(longest) = made.max_by_key(|r| size(r)).filter(|r| size(r) > 1) else { return };
        self.judge.warning(
            &self.path(),
            format!(
                "as an SMS it takes {} segments (level {}, {}, a subject of 26 letters)",
                size(longest),
                longest.level,
                longest.occasion
            ),
            "write fewer letters, and only such as every phone has, or a text of its own under sms",
        );
    }

    fn place(&self, failure: &Failure) -> Place {
        self.judge.place_inside(&self.path(), self.text.source(), failure.place.offset)
    }

    fn shown(&self) -> String {
        self.judge.shown(&self.path())
    }

    fn path(&self) -> Vec<&str> {
        let name = self.template.name();
        match self.level {
            Some(level) => vec!["templates", name, "levels", level.as_str(), self.key],
            None => vec!["templates", name, self.key],
        }
    }
}
