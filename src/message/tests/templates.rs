//! Templates: refused when they cannot work, and no message is lost when one fails.

use crate::domain::delivery::Format;
use crate::message::tests::{Story, check_template, render, render_checked};
use crate::message::{TemplateProblem, or_built_in};

fn wrong(text: &str) -> TemplateProblem {
    check_template(text).expect_err(text)
}

#[test]
fn a_template_makes_the_whole_body_of_a_webhook() {
    let story = Story::new();
    let alarm = story.alarm("incident.step");
    let template =
        r#"{"text": {{ (level|upper ~ " " ~ subject)|tojson }}, "n": {{ incident.number }}, "l": {{ labels|tojson }}}"#;
    check_template(template).unwrap();
    assert_eq!(
        render(Format::Document, Some(template), &alarm).text,
        r#"{"text": "URGENT Twilio credentials refused", "n": 417, "l": {"channel": "sms", "level": "urgent", "name": "twilio", "source": "heartbeat", "type": "probe"}}"#
    );
}

#[test]
fn quotes_and_line_breaks_of_a_subject_cannot_break_the_json_of_a_template() {
    let story = Story::new();
    let mut one = story.one_shot();
    one.subject = "a \"b\"\n</script> 'c' & {{ body }}";
    let text = render(Format::Document, Some(r#"{"s": {{ subject|tojson }}}"#), &one).text;
    let back: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(back["s"], one.subject);
    assert_eq!(render(Format::Document, Some("{{ subject }}"), &one).text, one.subject, "nothing is escaped by itself");
}

#[test]
fn what_may_be_absent_can_be_asked_for() {
    let story = Story::new();
    let template = "{% if incident %}#{{ incident.number }} step {{ incident.step }}{% else %}{{ text }}{% endif %}{% if url %} {{ url }}{% endif %}{{ labels.team|default('') }}";
    check_template(template).unwrap();
    assert_eq!(render(Format::Chat, Some(template), &story.alarm("incident.step")).text, "#417 step 1");
    assert_eq!(
        render(Format::Chat, Some(template), &story.one_shot()).text,
        "URGENT prague-1: Twilio credentials refused. 401 Authenticate"
    );
}

#[test]
fn f57_a_failing_template_leaves_the_built_in_text_and_is_told() {
    let story = Story::new();
    let one = story.one_shot();
    for (template, part) in [
        ("line one\n {{ labels.team }}", "line 2, column"),
        ("{{ incident.number }}", "undefined"),
        ("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "it runs for too long"),
        ("{{ 'x' * 300000 }}", "the text is longer than 262144 bytes"),
        ("{{ 'x' * 9223372036854775807 }}", "repeated string is too large"),
    ] {
        let checked = render_checked(Format::Sms, Some(template), &one);
        assert_eq!(
            checked.rendered.text, "URGENT prague-1: Twilio credentials refused. 401 Authenticate",
            "{template}"
        );
        let words = checked.failure.expect(template).to_string();
        assert!(words.contains(part) && words.starts_with("line "), "{template}: {words}");
        assert!(!words.contains("401 Authenticate"), "the message's own words stay out of the error: {words}");
    }
    assert_eq!(render_checked(Format::Sms, Some("{{ subject }}"), &one).failure, None);
    assert_eq!(render_checked(Format::Sms, None, &one).failure, None);
}

#[test]
fn the_text_of_a_template_keeps_the_rules_of_its_medium() {
    let story = Story::new();
    let one = story.one_shot();
    let text = |format, template: &str| render(format, Some(template), &one);
    assert_eq!(text(Format::Sms, "a\n\n{{ '\\u001b' }}[31mb\u{202e}c").text, "a [31mbc");
    assert!(text(Format::Sms, "{{ 'x' * 5000 }}").text.len() <= 1600);
    assert_eq!(text(Format::Speech, "a\nb").text, "a b");
    let mail = text(Format::Mail, "{{ body }}\n\n\n\nend");
    assert_eq!(mail.text, "401 Authenticate\n\nend\n");
    assert_eq!(mail.subject, "[URGENT] Twilio credentials refused", "the subject line stays ours");
}

#[test]
fn a_template_reads_nothing_from_the_host() {
    for template in ["{% include '/etc/passwd' %}", "{% extends 'x' %}", "{% import 'x' as x %}"] {
        assert!(check_template(template).is_err(), "{template}");
    }
    assert!(check_template("{{ debug() }}").is_err());
}

#[test]
fn f57_a_broken_template_is_refused_with_its_place() {
    let problem = wrong("{\n  \"text\": {{ subjct|tojson }}\n}");
    assert_eq!((problem.line, problem.column), (2, 14));
    assert!(
        problem
            .message
            .starts_with("there is no variable \"subjct\"; there are ack, annotations, at, attachments, body,"),
        "{problem:?}"
    );
    assert_eq!((wrong("é {{ nope }}").line, wrong("é {{ nope }}").column), (1, 6));
    assert_eq!(wrong("{{ incident.nummer }}").column, 4);
    let problem = wrong("one\ntwo {{ subject");
    assert_eq!(problem.line, 2);
    assert!(problem.message.starts_with("syntax error: "), "{problem:?}");
    let problem = wrong("one\n{{ subject|jsonify }}");
    assert_eq!(problem.line, 2);
    assert!(problem.message.contains("jsonify"), "{problem:?}");
    assert!(wrong("{{ 5 is funny }}").message.contains("funny"));
    assert!(wrong("{{ now() }}").message.contains("now"));
    for well in [
        "",
        "plain {text}",
        "{{ labels.any }} {{ annotations['x'] }}",
        "{% for k in labels %}{{ k }}{% endfor %}",
        "{{ range(3)|join }}",
    ] {
        assert_eq!(check_template(well), Ok(()), "{well}");
    }
}

#[test]
fn f05_a_template_that_panics_is_one_that_fails() {
    let story = Story::new();
    let alarm = story.alarm("incident.step");
    let made = or_built_in(|| panic!("as a filter might"), Format::Chat, &alarm);
    assert_eq!(made.rendered, render_checked(Format::Chat, None, &alarm).rendered);
    assert!(made.failure.unwrap().to_string().contains("failed inside"));
}
