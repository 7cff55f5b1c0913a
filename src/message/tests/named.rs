//! Templates by name: which text is whose, what is escaped where, and that nothing a stranger says or
//! an operator writes ends in silence, in another document, or in no end.

use crate::domain::delivery::Format;
use crate::domain::event::Rendered;
use crate::domain::level::Level;
use crate::message::sample::{OCCASIONS, Sample};
use crate::message::tests::{Story, map};
use crate::message::{Author, Checked, Context, Form, KEYS, Named, Template, Why, render, render_by, segments};
use proptest::prelude::*;

/// `sms = ...`, `urgent.sms = ...`, `slack = ...`.
fn named(texts: &[(&str, &str)]) -> Named {
    let mut template = Named::new("outage");
    for (key, source) in texts {
        let (level, key) = match key.split_once('.') {
            Some((level, key)) => (Level::parse(level), key),
            None => (None, *key),
        };
        let form = KEYS.iter().find(|(name, _)| *name == key).map_or(Form::Plain, |(_, form)| *form);
        template.add(level, key, Template::compile(form, source).unwrap_or_else(|e| panic!("{source}: {e}")));
    }
    template
}

fn make(template: &Named, format: Format, context: &Context<'_>) -> Checked {
    render_by(&Author::Named(template.find(context.level, "", format).unwrap()), format, context)
}

fn text(key: &str, format: Format, source: &str, context: &Context<'_>) -> String {
    let made = make(&named(&[(key, source)]), format, context);
    assert_eq!(made.failure, None, "{source}");
    made.rendered.text
}

#[test]
fn the_nearest_text_is_taken() {
    let story = Story::new();
    let template = named(&[
        ("text", "any"),
        ("sms", "sms"),
        ("slack", "slack"),
        ("urgent.sms", "urgent sms"),
        ("high.text", "high any"),
        ("body", "{}"),
    ]);
    let made = |level, kind, format| {
        let mut context = story.one_shot();
        context.level = level;
        let chosen = template.find(level, kind, format)?;
        let key = chosen.key.clone();
        Some((render_by(&Author::Named(chosen), format, &context).rendered.text.trim_end().to_owned(), key))
    };
    for (level, kind, format, right, key) in [
        (Level::Urgent, "twilio-sms", Format::Sms, "urgent sms", "outage"),
        (Level::Low, "twilio-sms", Format::Sms, "sms", "outage"),
        (Level::High, "twilio-sms", Format::Sms, "high any", "outage"),
        (Level::Low, "slack", Format::Chat, "slack", "outage for slack"),
        (Level::Low, "teams", Format::Chat, "any", "outage"),
        (Level::Low, "smtp", Format::Mail, "any", "outage"),
        (Level::Low, "twilio-voice", Format::Speech, "any", "outage"),
        (Level::Low, "webhook", Format::Document, "{}", "outage"),
    ] {
        assert_eq!(made(level, kind, format), Some((right.to_owned(), key.to_owned())), "{level} {kind}");
    }
    assert_eq!(made(Level::Low, "sound", Format::None), None);
    assert_eq!(made(Level::Low, "webhook", Format::Alertmanager), None);
    assert!(named(&[("sms", "x")]).find(Level::Low, "slack", Format::Chat).is_none(), "others make it");
}

#[test]
fn a_mail_has_the_parts_that_the_template_has_and_the_built_in_others() {
    let story = Story::new();
    let alarm = story.alarm("incident.opened");
    let built_in = render(Format::Mail, &alarm);
    let only_html = make(&named(&[("html", "<b>{{ subject }}</b>")]), Format::Mail, &alarm).rendered;
    assert_eq!(only_html, Rendered { html: "<b>Twilio credentials refused</b>".into(), ..built_in.clone() });
    let only_subject = make(&named(&[("subject", "{{ tag }}: {{ subject }}")]), Format::Mail, &alarm).rendered;
    assert_eq!(
        only_subject,
        Rendered { subject: "URGENT #417: Twilio credentials refused".into(), ..built_in.clone() }
    );
    let plain = make(&named(&[("text", "{{ text }}\n-- ops")]), Format::Mail, &alarm).rendered;
    assert_eq!(plain.text, format!("{}\n-- ops\n", built_in.text.trim_end()));
}

#[test]
fn the_words_that_built_in_texts_are_made_of_are_there() {
    let story = Story::new();
    let source =
        "{{ tag }}|{{ time }}|{{ since }}|{{ incident.by }}|{{ incident.lasted }}|{{ from }}|{{ ack }}|{{ url }}";
    let mut alarm = story.alarm("incident.step");
    assert_eq!(
        text("sms", Format::Sms, source, &alarm),
        "URGENT #417|02:47|02:41|||prague-1||",
        "what is absent is nothing"
    );
    alarm.link = Some("https://a.example/417".into());
    assert!(text("sms", Format::Sms, source, &alarm).ends_with("|Ack: https://a.example/417|https://a.example/417"));
    let over = story.notice("incident.resolved", "bob", Some(crate::domain::time::Span::mins(12)));
    assert_eq!(text("sms", Format::Sms, source, &over), "RESOLVED #417 after 12m|02:47|02:41|bob|12m|prague-1||");
    let mut story = Story::new();
    story.vars = map(&[("host", "db1")]);
    assert_eq!(text("sms", Format::Sms, "{{ vars.host }} {{ level }}", &story.one_shot()), "db1 urgent");
}

#[test]
fn a_test_is_never_taken_for_an_alarm() {
    let story = Story::new();
    let mut test = story.one_shot();
    test.kind = "test";
    let made = |key, format| make(&named(&[(key, "{{ level }} {{ subject }}")]), format, &test).rendered;
    assert_eq!(made("sms", Format::Sms).text, "Test: urgent Twilio credentials refused");
    assert_eq!(made("speech", Format::Speech).text, "Test: urgent Twilio credentials refused");
    assert_eq!(made("subject", Format::Mail).subject, "[TEST] urgent Twilio credentials refused");
    assert!(made("mail", Format::Mail).subject.starts_with("[TEST]"));
    assert_eq!(text("sms", Format::Sms, "{{ tag }} {{ subject }}", &test), "TEST Twilio credentials refused");
}

#[test]
fn f57_a_text_by_name_that_fails_is_the_built_in_one_as_a_whole() {
    let story = Story::new();
    let alarm = story.alarm("incident.opened");
    for (source, why, part) in [
        ("one\n{{ labels.team }}", Why::Absent, "line 2, column 4: undefined value: labels.team"),
        ("{% if not incident %}x{% endif %} \u{200b}", Why::Empty, "the text is empty"),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            Why::Other,
            "it runs for too long",
        ),
        ("{{ 'x' * 300000 }}", Why::Other, "the text is longer than 65536 bytes"),
        ("{{ 1 / 0 }}", Why::Other, "line 1"),
    ] {
        let made = make(&named(&[("subject", "{{ tag }}"), ("text", source)]), Format::Mail, &alarm);
        assert_eq!(made.rendered, render(Format::Mail, &alarm), "{source}");
        let failure = made.failure.unwrap();
        assert_eq!(failure.why, why, "{source}: {failure}");
        assert!(failure.to_string().contains(part), "{source}: {failure}");
        assert!(!failure.to_string().contains("Authenticate"), "no word of the message: {failure}");
    }
    let made = make(&named(&[("body", "{\"a\": {{ subject }}}")]), Format::Document, &alarm);
    assert!(made.failure.unwrap().to_string().contains("no JSON"));
    assert_eq!(made.rendered, render(Format::Document, &alarm));
}

#[test]
fn f57_a_text_by_name_reads_nothing_and_includes_nothing() {
    for source in ["{% include '/etc/passwd' %}", "{% extends 'x' %}", "{% import 'x' as x %}", "{{ debug() }}"] {
        assert!(Template::compile(Form::Plain, source).is_err(), "{source}");
    }
    for source in ["{{ subject|safe }}", "{{ subject|tojson }}"] {
        let problem = Template::compile(Form::Html, source).unwrap_err();
        assert!(problem.message.contains("filter"), "strangers' words are always escaped: {problem}");
    }
}

#[test]
fn f51_escaping_cannot_be_switched_off() {
    let mut story = Story::new();
    story.labels = map(&[("x", "<script>alert(1)</script>\" onclick=\"x")]);
    let one = story.one_shot();
    for source in [
        "{{ labels.x }}",
        "{% autoescape false %}{{ labels.x }}{% endautoescape %}",
        "{% set y %}{{ labels.x }}{% endset %}{{ y }}",
        "{{ [labels.x, labels.x]|join('') }}",
        "{{ labels.x ~ '' }}",
        "{{ labels }}",
        "{{ labels.x|e|upper }}",
        "{{ labels.x|replace('(', '<b>') }}",
        "<a title=\"{{ labels.x }}\">x</a>",
    ] {
        let made = make(&named(&[("html", source)]), Format::Mail, &one);
        assert_eq!(made.failure, None, "{source}");
        let html = made.rendered.html.to_lowercase();
        assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("\" onclick"), "{source}: {html}");
    }
}

#[test]
fn the_templates_that_come_with_stentor_work_for_every_message() {
    let built_in = Named::built_in();
    assert!(!built_in.is_empty());
    for template in &built_in {
        assert!(template.texts().count() > 0, "{} does not compile", template.name());
        for occasion in OCCASIONS {
            for level in Level::ALL {
                let sample = Sample::of(occasion, level);
                let made = make(template, Format::Mail, &sample.context());
                assert_eq!(made.failure, None, "{} {occasion} {level}", template.name());
                let html = made.rendered.html;
                assert!(html.contains("Twilio credentials refused") && html.contains("</html>"), "{html}");
            }
        }
    }
}

/// What strangers say.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[<>&\"'/\\\\{}\\r\\n\\t\u{1b}\u{202e}%a-z ]{0,40}",
        Just("\"}, \"admin\": true, \"x\": \"".to_owned()),
        Just("</td></table><script>x</script>".to_owned()),
        Just("a\r\nBcc: all@example.org".to_owned()),
    ]
}

/// Pieces of templates, right and wrong.
fn source() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        Just("{{ subject }}".to_owned()),
        Just("{% for k, v in labels|items %}{{ k }}={{ v }}{% endfor %}".to_owned()),
        Just("{% for a in range(99999) %}{{ a * subject }}".to_owned()),
        Just("{% endfor %}".to_owned()),
        Just("{% if incident %}".to_owned()),
        Just("{% endif %}".to_owned()),
        "\\{\\{ [-a-z0-9 .|()'%*~\\[\\]]{0,30} \\}\\}",
        "\\{% [-a-z0-9 .|()'%=]{0,30} %\\}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn f51_what_strangers_say_stays_what_they_said(subject in words(), body in words(), label in words(), var in words()) {
        let mut story = Story::new();
        story.labels.insert("x".into(), label.clone());
        story.vars.insert("v".into(), var.clone());
        let mut alarm = story.alarm("incident.opened");
        (alarm.subject, alarm.body) = (&subject, &body);

        let json = "{\"s\": \"{{ subject }}\", \"b\": {{ body|tojson }}, \"l\": \"{{ labels.x }}\", \"v\": \"{{ vars.v }}\", \"n\": {{ incident.number }}}";
        let made = text("body", Format::Document, json, &alarm);
        let back: serde_json::Value = serde_json::from_str(&made).unwrap();
        prop_assert_eq!(&back, &serde_json::json!({ "s": subject, "b": body, "l": label, "v": var, "n": 417 }));

        let html = named(&[("html", "<p>{{ subject }}</p><td title=\"{{ labels.x }}\">{{ vars.v }}</td>"), ("subject", "x {{ subject }} {{ labels.x }}")]);
        let mail = make(&html, Format::Mail, &alarm).rendered;
        prop_assert_eq!(mail.html.matches('<').count(), 4, "{}", mail.html);
        prop_assert_eq!(mail.html.matches('"').count(), 2, "{}", mail.html);
        prop_assert!(!mail.subject.chars().any(char::is_control), "{:?}", mail.subject);

        for (key, format) in [("sms", Format::Sms), ("speech", Format::Speech), ("chat", Format::Chat)] {
            let made = text(key, format, "x {{ subject }} {{ body }} {{ labels.x }} {{ vars.v }}", &alarm);
            let bad = |c: char| (c.is_control() && !(format == Format::Chat && c == '\n')) || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!made.chars().any(bad), "{key} {made:?}");
        }
        let sms = text("sms", Format::Sms, "{{ subject * 200 }}x", &alarm);
        prop_assert!(sms.encode_utf16().count() <= 1600 && segments::size(&sms).segments <= 25);
    }

    #[test]
    fn f57_no_template_ends_in_a_panic_or_without_an_end(source in source(), key in 0usize..8, occasion in 0usize..7) {
        let (key, form) = KEYS[key];
        let Ok(template) = Template::compile(form, &source) else { return Ok(()) };
        let mut named = Named::new("x");
        named.add(None, key, template);
        let sample = Sample::of(OCCASIONS[occasion], Level::High);
        for format in [Format::Mail, Format::Sms, Format::Speech, Format::Chat, Format::Document] {
            let Some(chosen) = named.find(Level::High, "", format) else { continue };
            let made = render_by(&Author::Named(chosen), format, &sample.context());
            prop_assert!(!made.rendered.text.trim().is_empty(), "nobody is told nothing");
            prop_assert!(made.rendered.text.len() <= 300_000 && made.rendered.html.len() <= 300_000);
            if made.failure.is_some() {
                prop_assert_eq!(made.rendered, render(format, &sample.context()));
            }
        }
    }
}
