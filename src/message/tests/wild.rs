//! Whatever strangers send: no panic, no control character, no SMS that a provider refuses.

use crate::domain::delivery::Format;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::message::segments;
use crate::message::tests::{Story, check_template, render};
use proptest::prelude::*;

const KINDS: [&str; 7] = [
    "notification",
    "test",
    "incident.opened",
    "incident.step",
    "incident.reminder",
    "incident.acknowledged",
    "incident.resolved",
];

proptest! {
    #[test]
    fn f51_any_message_becomes_a_harmless_text(
        (from, subject, body) in any::<(String, String, String)>(),
        (key, value, by) in any::<(String, String, String)>(),
        (link, reply, template) in any::<(Option<String>, Option<String>, Option<String>)>(),
        (number, at, opened, lasted) in any::<(u64, i64, i64, i64)>(),
        (kind, level, with_incident) in (0usize..7, 0usize..4, any::<bool>()),
        repeat in 1usize..200,
    ) {
        let mut story = Story::new();
        story.labels.insert(key.clone(), value.clone());
        story.annotations.insert(key, value);
        let subject = subject.repeat(repeat);
        let mut context = story.alarm(KINDS[kind]);
        (context.from, context.subject, context.body, context.level) = (&from, &subject, &body, Level::ALL[level]);
        (context.link, context.reply, context.at) = (link, reply, Timestamp(at));
        (context.keys, context.possibly_duplicate) = (true, true);
        if let Some(about) = &mut context.incident {
            (about.number, about.by) = (number, Some(by.as_str()));
            (about.opened_at, about.lasted) = (Timestamp(opened), Some(Span(lasted)));
            about.since = Timestamp(opened);
        }
        if !with_incident {
            context.incident = None;
        }
        for template in [None, template.as_deref()] {
            for format in [Format::Mail, Format::Sms, Format::Speech, Format::Chat, Format::Document, Format::Alertmanager, Format::None] {
                let rendered = render(format, template, &context);
                prop_assert!(!rendered.subject.chars().any(char::is_control), "{:?}", rendered.subject);
                prop_assert!(rendered.subject.chars().count() < 300);
                if matches!(format, Format::Document | Format::Alertmanager) && template.is_some() {
                    continue;
                }
                let lines = matches!(format, Format::Mail | Format::Chat);
                prop_assert!(!rendered.text.chars().any(|c| c.is_control() && !(lines && c == '\n')), "{format:?} {:?}", rendered.text);
                match format {
                    Format::Sms => prop_assert!(rendered.text.encode_utf16().count() <= 1600),
                    Format::Speech => prop_assert!(rendered.text.chars().count() <= 1000),
                    Format::Chat => prop_assert!(rendered.text.chars().count() <= 40_000),
                    Format::Document | Format::Alertmanager => prop_assert!(serde_json::from_str::<serde_json::Value>(&rendered.text).is_ok()),
                    Format::Mail | Format::None => {}
                }
            }
        }
    }

    #[test]
    fn an_sms_of_any_alarm_begins_with_level_and_number(subject in any::<String>(), number in 1u64..1_000_000) {
        let story = Story::new();
        let mut context = story.alarm("incident.opened");
        context.subject = &subject;
        context.incident.as_mut().unwrap().number = number;
        let text = render(Format::Sms, None, &context).text;
        prop_assert!(text.starts_with(&format!("URGENT #{number} prague-1:")), "{}", text);
        prop_assert!(segments::size(&text).units <= 160, "{}", text);
    }

    #[test]
    fn checking_a_template_never_panics(text in any::<String>(), inside in "[-a-z0-9 .|()'%{}]{0,30}") {
        let _ = (check_template(&text), check_template(&format!("{{{{ {inside} }}}}")), check_template(&format!("{{% {inside} %}}")));
    }
}
