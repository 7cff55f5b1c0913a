//! The built-in texts.

use crate::domain::delivery::Format;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::message::tests::{Story, map, render};
use crate::message::{Context, segments};

fn sms(context: &Context<'_>) -> String {
    render(Format::Sms, None, context).text
}
fn spoken(context: &Context<'_>) -> String {
    render(Format::Speech, None, context).text
}
fn mail(context: &Context<'_>) -> (String, String) {
    let mail = render(Format::Mail, None, context);
    (mail.subject, mail.text)
}

#[test]
fn sms_of_an_alarm() {
    let story = Story::new();
    let mut alarm = story.alarm("incident.step");
    assert_eq!(sms(&alarm), "URGENT #417 prague-1: Twilio credentials refused since 02:41");
    alarm.link = Some("https://a.example.org/k/9f3".into());
    assert_eq!(
        sms(&alarm),
        "URGENT #417 prague-1: Twilio credentials refused since 02:41. Ack: https://a.example.org/k/9f3"
    );
    alarm.reply = Some("417a".into());
    assert_eq!(
        sms(&alarm),
        "URGENT #417 prague-1: Twilio credentials refused since 02:41. Ack: https://a.example.org/k/9f3 or reply 417a"
    );
    alarm.link = None;
    assert_eq!(sms(&alarm), "URGENT #417 prague-1: Twilio credentials refused since 02:41. Ack: reply 417a");
    alarm.kind = "incident.reminder";
    assert_eq!(
        sms(&alarm),
        "URGENT #417 prague-1: Twilio credentials refused since 02:41, not acknowledged. Ack: reply 417a"
    );
}

#[test]
fn sms_tells_the_time_in_the_zone_of_its_reader() {
    let story = Story::new();
    let mut alarm = story.alarm("incident.opened");
    alarm.zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    assert_eq!(sms(&alarm), "URGENT #417 prague-1: Twilio credentials refused since 20:41");
    alarm.at = Timestamp::parse("2026-11-21T09:00:00-05:00").unwrap();
    assert_eq!(sms(&alarm), "URGENT #417 prague-1: Twilio credentials refused since 19 Nov 20:41");
}

#[test]
fn sms_notices() {
    let story = Story::new();
    let ack = story.notice("incident.acknowledged", "bob", None);
    assert_eq!(sms(&ack), "ACK #417 by bob, prague-1: Twilio credentials refused");
    let resolved = story.notice("incident.resolved", "heartbeat twilio", Some(Span::secs(12 * 60 + 34)));
    assert_eq!(sms(&resolved), "RESOLVED #417 after 12m, prague-1: Twilio credentials refused");
    let mut gone = story.notice("incident.resolved", "its source", Some(Span::secs(65 * 60)));
    gone.incident.as_mut().unwrap().no_longer_reported = true;
    gone.link = Some("https://a.example.org/k/9f3".into());
    assert_eq!(sms(&gone), "NO LONGER REPORTED #417 after 1h5m, prague-1: Twilio credentials refused");
}

#[test]
fn sms_of_a_one_shot_says_what_its_sender_wrote() {
    let story = Story::new();
    let mut one = Context { level: Level::High, ..story.one_shot() };
    assert_eq!(sms(&one), "HIGH prague-1: Twilio credentials refused. 401 Authenticate");
    one.subject = "Disk full!";
    one.body = "/var is at\n\t98 %\u{1b}[31m";
    assert_eq!(sms(&one), "HIGH prague-1: Disk full! /var is at 98 % [31m");
    let long = "x".repeat(160);
    one.body = &long;
    assert_eq!(sms(&one), format!("HIGH prague-1: Disk full! {long}"), "in two parts");
    let longest = "x".repeat(1600);
    one.body = &longest;
    assert!(sms(&one).len() == 1600 && sms(&one).ends_with("x..."), "a text is cut, and never fails for its length");
    one.kind = "test";
    one.body = &long;
    assert_eq!(sms(&one), "TEST prague-1: Disk full!", "the body does not fit, the subject stays whole");
    one.kind = "notification";
    let fits = "x".repeat(160 - "HIGH prague-1: Disk full! ".len());
    one.body = &fits;
    assert_eq!(sms(&one).len(), 160);
    one.body = "";
    assert_eq!(sms(&one), "HIGH prague-1: Disk full!");
    one.kind = "test";
    assert_eq!(sms(&one), "TEST prague-1: Disk full!");
}

#[test]
fn a_long_subject_is_cut_by_letters_and_the_way_to_acknowledge_stays() {
    let story = Story::new();
    let long = "disk of the database server is full ".repeat(20);
    let mut one = Context { kind: "test", level: Level::Low, subject: &long, ..story.one_shot() };
    let text = sms(&one);
    assert!(
        segments::fits_one(&text) && text.ends_with("...") && text.starts_with("TEST prague-1: disk of the database")
    );
    let euros = "€".repeat(200);
    one.subject = &euros;
    assert_eq!(sms(&one), format!("TEST prague-1: {}...", "€".repeat(71)));
    let czech = "příliš žluťoučký kůň úpěl ďábelské ódy ".repeat(9);
    one.subject = &czech;
    let text = sms(&one);
    assert!(text.starts_with("TEST prague-1: příliš žluťoučký kůň") && text.ends_with("..."), "{text}");
    assert!(segments::size(&text).units <= 160);
    let mut alarm = story.alarm("incident.step");
    alarm.subject = &long;
    alarm.link = Some("https://a.example.org/k/9f3".into());
    let text = sms(&alarm);
    assert!(text.ends_with("... since 02:41. Ack: https://a.example.org/k/9f3"), "{text}");
    assert_eq!(text.find(". Ack:").unwrap(), 160);
}

#[test]
fn the_first_sixty_letters_tell_level_number_and_what_even_from_a_long_name() {
    let story = Story::new();
    let mut alarm = story.alarm("incident.step");
    alarm.from = "alarm-host-number-17.datacentre-of-prague.internal.example.org";
    assert_eq!(&sms(&alarm)[..60], "URGENT #417 alarm-host-number-17.dat: Twilio credentials ref");
}

#[test]
fn the_built_in_sms_stays_in_the_cheap_alphabet() {
    let story = Story::new();
    let long = "disk full ".repeat(50);
    for kind in
        ["incident.opened", "incident.reminder", "incident.acknowledged", "incident.resolved", "notification", "test"]
    {
        let mut context = story.notice(kind, "bob", Some(Span::mins(3)));
        context.subject = &long;
        context.reply = Some("417a".into());
        assert_eq!(segments::size(&sms(&context)).encoding, segments::Encoding::Gsm7, "{}", sms(&context));
        context.incident = None;
        assert_eq!(segments::size(&sms(&context)).encoding, segments::Encoding::Gsm7, "{}", sms(&context));
    }
}

#[test]
fn a_call_says_the_number_digit_by_digit_and_the_time_as_people_do() {
    let story = Story::new();
    let mut alarm = story.alarm("incident.step");
    assert_eq!(
        spoken(&alarm),
        "Urgent alarm four one seven from prague-1. Twilio credentials refused since two forty-one."
    );
    alarm.keys = true;
    assert_eq!(
        spoken(&alarm),
        "Urgent alarm four one seven from prague-1. Twilio credentials refused since two forty-one. Press 4 to acknowledge."
    );
    alarm.keys = false;
    alarm.kind = "incident.reminder";
    assert_eq!(
        spoken(&alarm),
        "Urgent alarm four one seven from prague-1, still not acknowledged. Twilio credentials refused since two forty-one."
    );
    for (opened, said) in [
        ("2026-11-20T00:00:00+01:00", "midnight"),
        ("2026-11-20T00:01:00+01:00", "one minute past midnight"),
        ("2026-11-20T00:41:00+01:00", "forty-one minutes past midnight"),
        ("2026-11-20T02:00:00+01:00", "two o'clock"),
        ("2026-11-20T02:05:00+01:00", "two oh five"),
        ("2026-11-20T12:00:00+01:00", "twelve o'clock"),
        ("2026-11-20T14:00:00+01:00", "fourteen hundred"),
        ("2026-11-20T21:30:00+01:00", "twenty-one thirty"),
        ("2026-11-19T02:41:00+01:00", "November nineteen, two forty-one"),
    ] {
        let mut alarm = story.alarm("incident.opened");
        alarm.at = Timestamp::parse("2026-11-20T22:00:00+01:00").unwrap();
        let about = alarm.incident.as_mut().unwrap();
        about.since = Timestamp::parse(opened).unwrap();
        about.number = 1090;
        assert_eq!(
            spoken(&alarm),
            format!("Urgent alarm one zero nine zero from prague-1. Twilio credentials refused since {said}.")
        );
    }
}

#[test]
fn other_calls() {
    let story = Story::new();
    let mut one = Context { level: Level::High, keys: true, ..story.one_shot() };
    assert_eq!(spoken(&one), "High message from prague-1. Twilio credentials refused. 401 Authenticate.");
    one.kind = "test";
    assert_eq!(spoken(&one), "Test message from prague-1. Twilio credentials refused. 401 Authenticate.");
    let ack = story.notice("incident.acknowledged", "bob", None);
    assert_eq!(spoken(&ack), "Alarm four one seven from prague-1 was acknowledged by bob. Twilio credentials refused.");
    for (lasted, said) in [
        (Span::secs(12 * 60 + 34), "twelve minutes"),
        (Span::secs(1), "one second"),
        (Span::ZERO, "zero seconds"),
        (Span::secs(61 * 60), "one hour one minute"),
        (Span::hours(123 * 24), "123 days"),
    ] {
        let resolved = story.notice("incident.resolved", "heartbeat twilio", Some(lasted));
        assert_eq!(
            spoken(&resolved),
            format!("Alarm four one seven from prague-1 is resolved after {said}. Twilio credentials refused.")
        );
    }
}

#[test]
fn subjects_of_mail() {
    let story = Story::new();
    assert_eq!(mail(&story.alarm("incident.step")).0, "[URGENT #417] Twilio credentials refused");
    assert_eq!(
        mail(&story.alarm("incident.reminder")).0,
        "[URGENT #417] Twilio credentials refused (not acknowledged)"
    );
    assert_eq!(
        mail(&story.notice("incident.acknowledged", "bob", None)).0,
        "[ACK #417 by bob] Twilio credentials refused"
    );
    assert_eq!(
        mail(&story.notice("incident.resolved", "bob", Some(Span::mins(12)))).0,
        "[RESOLVED #417 after 12m] Twilio credentials refused"
    );
    let mut gone = story.notice("incident.resolved", "bob", Some(Span::mins(12)));
    gone.incident.as_mut().unwrap().no_longer_reported = true;
    assert_eq!(mail(&gone).0, "[NO LONGER REPORTED #417 after 12m] Twilio credentials refused");
    let mut one = Context { level: Level::High, subject: "line\r\nBcc: all@example.org", ..story.one_shot() };
    assert_eq!(mail(&one).0, "[HIGH] line Bcc: all@example.org", "no line break, no second header");
    one.kind = "test";
    assert_eq!(mail(&one).0, "[TEST] line Bcc: all@example.org");
}

#[test]
fn a_mail_holds_everything() {
    let mut story = Story::new();
    story.annotations = map(&[
        ("summary", "Twilio credentials refused"),
        ("runbook_url", "https://wiki.example.org/twilio"),
        // What the sentence and the labels say already.
        ("since", "2026-11-20T02:41:00.000+01:00"),
        ("channel", "sms"),
    ]);
    let mut alarm = story.alarm("incident.step");
    alarm.body = "401 Authenticate\r\n\r\n\r\n\tsecond line  ";
    alarm.link = Some("https://a.example.org/k/9f3".into());
    alarm.possibly_duplicate = true;
    assert_eq!(
        mail(&alarm).1,
        "Twilio credentials refused since 02:41.

401 Authenticate

    second line

Incident     #417, urgent, opened 2026-11-20 02:46:00 CET
From         prague-1, by heartbeat twilio
Sent         2026-11-20 02:47:03 CET
Step         1 of round 1
Labels       channel=sms
runbook_url  https://wiki.example.org/twilio
Delivery     01M7V90VPG0000000000000003

Ack: https://a.example.org/k/9f3

This may be a repeat: the answer to an earlier attempt was lost.
"
    );
}

#[test]
fn mails_of_notices_one_shots_and_tests() {
    let mut story = Story::new();
    story.labels = map(&[("source", "manual"), ("level", "high")]);
    let facts = "Incident  #417, urgent, opened 2026-11-20 02:46:00 CET\nFrom      prague-1\nSent      2026-11-20 02:47:03 CET\nDelivery  01M7V90VPG0000000000000003\n";
    let ack = story.notice("incident.acknowledged", "bob", None);
    assert_eq!(
        mail(&ack).1,
        format!(
            "Twilio credentials refused\n\nAcknowledged by bob at 02:47. It stays open until it is resolved.\n\n{facts}"
        )
    );
    let resolved = Context { body: "", ..story.notice("incident.resolved", "heartbeat twilio", Some(Span::mins(6))) };
    assert_eq!(
        mail(&resolved).1,
        format!("Twilio credentials refused\n\nResolved at 02:47, after 6m (heartbeat twilio).\n\n{facts}")
    );
    let facts = facts.replace("Incident  #417, urgent, opened 2026-11-20 02:46:00 CET", "Level     high");
    let mut one = Context { level: Level::High, ..story.one_shot() };
    assert_eq!(mail(&one).1, format!("Twilio credentials refused\n\n401 Authenticate\n\n{facts}"));
    one.kind = "test";
    one.body = "";
    assert_eq!(mail(&one).1, format!("Twilio credentials refused\n\nThis is a test.\n\n{facts}"));
}

#[test]
fn chats_are_a_few_lines() {
    let mut story = Story::new();
    story.annotations = map(&[("runbook_url", "https://wiki.example.org/twilio"), ("owner", "team-a")]);
    let mut alarm = story.alarm("incident.step");
    let chat = |context: &Context<'_>| render(Format::Chat, None, context).text;
    assert_eq!(
        chat(&alarm),
        "URGENT #417 prague-1: Twilio credentials refused since 02:41\n401 Authenticate\nrunbook_url: https://wiki.example.org/twilio"
    );
    alarm.link = Some("https://a.example.org/k/9f3".into());
    alarm.possibly_duplicate = true;
    alarm.body = "";
    assert_eq!(
        chat(&alarm),
        "URGENT #417 prague-1: Twilio credentials refused since 02:41\nrunbook_url: https://wiki.example.org/twilio\nAck: https://a.example.org/k/9f3\n(This may be a repeat: the answer to an earlier attempt was lost.)"
    );
    let ack = story.notice("incident.acknowledged", "bob", None);
    assert_eq!(chat(&ack), "ACK #417 by bob, prague-1: Twilio credentials refused");
}

#[test]
fn neither_sms_nor_call_ever_has_a_ulid() {
    let story = Story::new();
    for kind in
        ["notification", "test", "incident.opened", "incident.reminder", "incident.acknowledged", "incident.resolved"]
    {
        let mut context = story.notice(kind, "bob", Some(Span::mins(3)));
        context.possibly_duplicate = true;
        for text in [sms(&context), spoken(&context)] {
            assert!(!text.contains("01M7V"), "{text}");
            assert!(!text.contains("repeat"), "no room for it: {text}");
        }
    }
}

#[test]
fn a_webhook_gets_the_document_of_the_contract() {
    let mut story = Story::new();
    story.labels = map(&[("source", "heartbeat"), ("name", "twilio")]);
    let mut alarm = story.alarm("incident.opened");
    alarm.link = Some("https://alarm.example.org/i/417".into());
    alarm.kind_of = "heartbeat";
    alarm.body = "a \"body\"\nof two lines";
    assert_eq!(
        render(Format::Document, None, &alarm).text,
        concat!(
            r#"{"id":"01M7V90VPG0000000000000002","at":"2026-11-20T02:47:03.120+01:00","kind":"incident.opened","from":"prague-1","#,
            r#""level":"urgent","type":"heartbeat","subject":"Twilio credentials refused","body":"a \"body\"\nof two lines","#,
            r#""labels":{"name":"twilio","source":"heartbeat"},"url":"https://alarm.example.org/i/417","#,
            r#""incident":{"number":417,"id":"01M7V90VPG0000000000000001","fingerprint":"heartbeat/twilio","status":"open","step":1,"round":1},"#,
            r#""delivery":"01M7V90VPG0000000000000003"}"#
        )
    );
    story.annotations = map(&[("summary", "s")]);
    let one = Context { possibly_duplicate: true, ..story.one_shot() };
    assert_eq!(
        render(Format::Document, None, &one).text,
        concat!(
            r#"{"id":"01M7V90VPG0000000000000002","at":"2026-11-20T02:47:03.120+01:00","kind":"notification","from":"prague-1","#,
            r#""level":"urgent","type":"probe","subject":"Twilio credentials refused","body":"401 Authenticate","#,
            r#""labels":{"name":"twilio","source":"heartbeat"},"annotations":{"summary":"s"},"#,
            r#""delivery":"01M7V90VPG0000000000000003","possibly_duplicate":true}"#
        )
    );
}

#[test]
fn a_sound_has_no_text() {
    let rendered = render(Format::None, Some("{{ subject }}"), &Story::new().one_shot());
    assert_eq!((rendered.subject.as_str(), rendered.text.as_str()), ("", ""));
}
