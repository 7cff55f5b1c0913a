//! Templates by name: whose text it is, what is refused at the door, and what happens at 3 am when one
//! fails.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::engine::{Ask, Code, Refusal, SendRequest};

/// Two texts, a chat, a mail and a webhook; a level that has a template, a channel that has one.
const WAYS: &str = r##"
[channels.sms]
kind     = "twilio-sms"
to       = ["alice"]
fallback = "sms-two"
[channels.sms-two]
kind     = "telnyx-sms"
[channels.chat]
kind     = "slack"
[channels.mail]
kind     = "smtp"
to       = ["alice"]
template = "of-mail"
[channels.hook]
kind     = "webhook"
body     = '{"own": {{ subject|tojson }}}'
[people.alice]
phone = "+15550100"
email = "alice@example.org"
[levels.low]
channels = ["sms"]
[levels.normal]
channels = ["chat"]
[levels.high]
channels = ["sms", "chat", "mail", "hook"]
template = "of-level"
[templates.of-level]
text = "level: {{ tag }} {{ subject }}"
[templates.of-mail]
subject = "mail: {{ subject }}"
html = "<b>{{ subject }}</b>"
[templates.asked]
sms  = "{{ vars.host }} is {{ vars.state|default('down') }}"
body = '{"host": "{{ vars.host }}"}'
[templates.titled]
subject = "{{ vars.host }} is full"
sms = "{{ tag }} {{ subject }}"
[templates.incidents]
sms = "#{{ incident.number }}"
[templates.wants-subject]
subject = "! {{ subject }}"
"##;

/// Finished texts in the order in which they were made: channel, and what it says.
fn texts(w: &World) -> Vec<(String, String)> {
    let events = w.frames.iter().flat_map(|f| &f.events);
    let made = events.filter_map(|e| match &e.head {
        EventKind::AttemptStarted { channel, .. } => {
            let text = e.payload.as_ref()?.text.as_ref()?;
            Some((channel.clone(), format!("{}|{}|{}", text.subject, text.text.trim_end(), text.html)))
        }
        _ => None,
    });
    made.collect()
}

fn last(w: &World, channel: &str) -> String {
    texts(w).into_iter().rev().find(|(c, _)| c == channel).unwrap_or_else(|| panic!("nothing by {channel}")).1
}

fn ask(
    w: &mut World,
    template: &str,
    vars: &[(&str, &str)],
    channels: &[&str],
    subject: &str,
) -> crate::engine::Answer {
    w.try_send(|r| {
        r.subject = subject.into();
        r.template = Some(template.into());
        r.vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        r.channels = names(channels);
    })
}

fn failed(w: &World) -> usize {
    w.count(|e| matches!(e, EventKind::TemplateFailed { .. }))
}

#[test]
fn the_requests_template_then_the_channels_then_the_levels_then_the_built_in_text() {
    let mut w = World::with(WAYS);
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms", "chat", "mail", "hook"])));
    assert_eq!(last(&w, "sms"), "|level: HIGH x|");
    assert_eq!(last(&w, "chat"), "|level: HIGH x|");
    let mail = last(&w, "mail");
    assert!(mail.starts_with("mail: x|x\n") && mail.ends_with("|<b>x</b>"), "the rest is built in: {mail}");
    assert_eq!(last(&w, "hook"), "|{\"own\": \"x\"}|", "the level's has no body");

    ask(&mut w, "asked", &[("host", "db1")], &["sms", "hook", "chat"], "y").unwrap();
    assert_eq!(last(&w, "sms"), "|db1 is down|");
    assert_eq!(last(&w, "hook"), "|{\"host\": \"db1\"}|");
    assert!(last(&w, "chat").contains("NORMAL"), "what it has no text for is said as usual: {}", last(&w, "chat"));
    w.send(|r| r.channels = names(&["sms"]));
    assert_eq!(last(&w, "sms"), "|NORMAL stentor: x|".replace("stentor", &w.config().daemon.name));
    assert_eq!(failed(&w), 0);
    w.untold();
}

#[test]
fn a_text_is_made_once_for_retries_and_fallbacks_of_the_same_medium() {
    let mut w = World::with(WAYS);
    w.channel("sms", provider());
    ask(&mut w, "asked", &[("host", "db1")], &["sms"], "y").unwrap();
    w.all_until("5m");
    let made: Vec<(String, String)> = texts(&w);
    assert_eq!(made, [("sms".to_owned(), "|db1 is down|".to_owned())], "the second way reuses it");
    assert_eq!(w.status("sms", "alice"), "sent");
}

#[test]
fn a_subject_that_is_left_out_is_the_templates() {
    let mut w = World::with(WAYS);
    let answer = ask(&mut w, "titled", &[("host", "db1")], &["sms"], "").unwrap();
    assert_eq!(answer["subject"], "db1 is full");
    assert_eq!(last(&w, "sms"), "|NORMAL db1 is full|");
    ask(&mut w, "titled", &[("host", "db1")], &["sms"], "mine").unwrap();
    assert_eq!(last(&w, "sms"), "|NORMAL mine|");
    w.untold();
}

#[test]
fn f57_what_a_request_cannot_be_said_with_is_refused_before_anything_is_recorded() {
    let mut w = World::with(WAYS);
    let before = w.count(|_| true);
    for (template, vars, subject, code, field, part) in [
        ("askd", &[][..], "x", Code::NotFound, "template", "there is no template \"askd\"; there are asked, html,"),
        ("asked", &[], "x", Code::ValidationError, "vars", "template asked needs host, state: line 1, column 4"),
        ("asked", &[("hots", "db1")], "x", Code::ValidationError, "vars", "no var \"hots\"; it has host, state"),
        ("incidents", &[], "x", Code::ValidationError, "template", "incident.number"),
        ("titled", &[], "", Code::ValidationError, "vars", "needs host"),
        ("wants-subject", &[], "", Code::ValidationError, "subject", "subject"),
        ("asked", &[("host", "db1")], "", Code::ValidationError, "subject", "a subject is needed"),
    ] {
        let Refusal { code: was, message, field: of, .. } = ask(&mut w, template, vars, &["sms"], subject).unwrap_err();
        assert_eq!((was, of.as_deref()), (code, Some(field)), "{template}: {message}");
        assert!(message.contains(part), "{template}: {message}");
    }
    let refusal = w.try_send(|r| r.vars = [("a".to_owned(), "b".to_owned())].into()).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("vars"));
    assert_eq!(w.count(|_| true), before, "nothing is recorded");
    assert!(texts(&w).is_empty());
}

#[test]
fn an_idempotency_key_with_other_vars_is_another_message() {
    let mut w = World::with(WAYS);
    let send = |w: &mut World, host: &str| {
        let request = SendRequest {
            subject: "x".into(),
            template: Some("asked".into()),
            vars: [("host".to_owned(), host.to_owned())].into(),
            channels: names(&["sms"]),
            idempotency_key: Some("k".into()),
            ..SendRequest::default()
        };
        w.tries(Ask::Send(request))
    };
    let first = send(&mut w, "db1").unwrap();
    assert_eq!(send(&mut w, "db1").unwrap()["id"], first["id"]);
    assert_eq!(send(&mut w, "db2").unwrap_err().code, Code::Conflict);
    w.untold();
}

const FAILING: &str = "[templates.of-level]\ntext = \"level: {{ tag }} {{ labels.team }}\"";

fn failing() -> String {
    WAYS.replace("[templates.of-level]\ntext = \"level: {{ tag }} {{ subject }}\"", FAILING)
}

fn about_templates(w: &mut World) -> Vec<String> {
    let incidents = w.read(crate::engine::Read::Incidents { all: true });
    let incidents = incidents["incidents"].as_array().unwrap().clone();
    let ours = incidents.iter().filter(|i| i["fingerprint"].as_str().unwrap_or_default().starts_with("self/templates"));
    ours.map(|i| {
        format!(
            "{} {} {}",
            i["fingerprint"].as_str().unwrap(),
            i["level"].as_str().unwrap(),
            i["status"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn f57_at_three_in_the_morning_the_built_in_text_goes_out_and_one_incident_says_so() {
    let mut w = World::with(&failing());
    w.open("high");
    assert!(last(&w, "sms").contains("HIGH #1") && last(&w, "sms").contains("disk full"), "{}", last(&w, "sms"));
    w.open("high");
    w.send(|r| r.level = level("high"));
    w.all_until("5m");
    assert_eq!(about_templates(&mut w), ["self/templates.of-level normal open"]);
    let subject = last(&w, "chat");
    assert!(texts(&w).iter().any(|(c, t)| c == "chat" && t.contains("The text templates.of-level fails")), "{subject}");
    assert!(texts(&w).iter().all(|(_, text)| text.len() > 10), "nobody is told nothing: {:?}", texts(&w));
    assert!(failed(&w) >= 3, "each is recorded");
    assert_eq!(w.replayed().state.failing_templates.len(), 1);
}

#[test]
fn f57_the_incident_about_a_template_ends_when_its_text_is_another() {
    let mut w = World::with(&failing());
    w.open("high");
    w.all_until("5m");
    w.reload(&format!("{}\n[people.dora]\nemail = \"d@x.example\"", failing()));
    assert_eq!(about_templates(&mut w), ["self/templates.of-level normal open"], "it is the same text");
    w.reload(WAYS);
    w.all_until("6m");
    assert_eq!(about_templates(&mut w), ["self/templates.of-level normal resolved"]);
    assert!(w.replayed().state.failing_templates.is_empty());
}

#[test]
fn f57_the_incident_about_a_template_ends_when_it_works_for_an_hour() {
    let mut w = World::with(&failing());
    w.open("high");
    let works = |w: &mut World| {
        w.send(|r| {
            r.level = level("high");
            r.labels = [("team".to_owned(), "db".to_owned())].into();
        })
    };
    w.all_until("30m");
    works(&mut w);
    assert_eq!(about_templates(&mut w), ["self/templates.of-level normal open"], "too soon to believe");
    w.all_until("61m");
    works(&mut w);
    assert_eq!(about_templates(&mut w), ["self/templates.of-level normal resolved"]);
    w.untold();
}

#[test]
fn f57_an_incident_told_by_the_failing_template_itself_is_told_all_the_same() {
    let mut w = World::with(&failing().replace("[levels.normal]\n", "[levels.normal]\ntemplate = \"of-level\"\n"));
    w.open("high");
    w.all_until("5m");
    assert_eq!(about_templates(&mut w), ["self/templates.of-level normal open"]);
    assert!(texts(&w).iter().any(|(c, t)| c == "chat" && t.contains("The text templates.of-level fails")));
}

#[test]
fn f57_a_channels_own_body_that_fails_opens_one_too() {
    let mut w = World::with(&WAYS.replace("{{ subject|tojson }}}'", "{{ labels.team|tojson }}}'"));
    w.open("high");
    w.all_until("5m");
    assert!(last(&w, "hook").starts_with("|{\"id\":"), "{}", last(&w, "hook"));
    let name =
        |e: &EventKind| matches!(e, EventKind::TemplateFailed { template, .. } if template == "channels.hook.body");
    assert!(w.count(name) > 0);
    w.reload(WAYS);
    assert!(w.replayed().state.live_incident("self/channels.hook.body").is_none());
    w.untold();
}

#[test]
fn a_template_that_is_gone_leaves_what_the_channel_has() {
    let mut w = World::with(WAYS);
    w.try_send(|r| {
        r.template = Some("asked".into());
        r.vars = [("host".to_owned(), "db1".to_owned())].into();
        r.channels = names(&["sms"]);
        r.at = Some(crate::engine::TimeWord(w_plus_hour()));
    })
    .unwrap();
    let gone = WAYS.replace("[templates.asked]", "[templates.renamed]");
    w.reload(&gone);
    w.all_until("2h");
    assert!(last(&w, "sms").starts_with("|NORMAL "), "{}", last(&w, "sms"));
}

fn w_plus_hour() -> crate::domain::time::Timestamp {
    crate::domain::time::Timestamp::parse(NOON).unwrap() + span("1h")
}
