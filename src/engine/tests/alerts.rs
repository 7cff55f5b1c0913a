//! Alerts from outside: reported again and again, over, no longer reported.

use super::world::*;
use crate::domain::Labels;
use crate::domain::event::EventKind;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{AlertReport, Ask, Code, IncidentStatus, Read, Reports};
use serde_json::json;

fn pairs(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Another number for other labels is all that the engine asks for.
fn alert(severity: &str) -> AlertReport {
    AlertReport {
        fingerprint: 7 + severity.len() as u64,
        labels: pairs(&[("alertname", "DiskFull"), ("instance", "db-1"), ("severity", severity)]),
        annotations: pairs(&[("summary", "db-1 is full"), ("description", "/var is at 98 %")]),
        starts_at: None,
        ends_at: None,
        generator_url: String::new(),
    }
}

impl World {
    fn report(&mut self, alerts: Vec<AlertReport>) {
        self.does(Ask::Report(Reports { alerts, urgent: false }));
    }

    /// Its end, as Prometheus says it.
    fn over(&mut self, severity: &str) {
        let ends_at = Some(self.wall() - Span::secs(1));
        self.report(vec![AlertReport { ends_at, ..alert(severity) }]);
    }

    fn subject(&self, n: u64) -> &str {
        &self.incident(n).content.subject
    }
}

/// What comes by itself leaves the reserve to those who call for help.
#[test]
fn f49_alerts_fill_no_more_than_what_is_theirs() {
    let mut w = World::calm();
    w.channel("mail", Says::Never);
    let numbered = |n: u64, severity: &str| {
        let labels = pairs(&[("alertname", "DiskFull"), ("instance", &format!("db-{n}")), ("severity", severity)]);
        Ask::Report(Reports { alerts: vec![AlertReport { fingerprint: n, labels, ..alert("") }], urgent: false })
    };
    let taken = (0..5_000).take_while(|n| w.tries(numbered(*n, "info")).is_ok()).count();
    assert_eq!((taken, w.engine.state.pending()), (4_000, 4_000));
    assert_eq!(w.fails(numbered(9_000, "warning")).code, Code::RateLimited);
    w.does(numbered(9_001, "critical"));
    w.open("urgent");
    w.untold();
}

#[test]
fn reported_every_minute_for_twenty_it_is_one_incident() {
    let mut w = World::calm();
    w.report(vec![alert("error")]);
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    for minute in 1..20 {
        w.quiet_until(&format!("{minute}m"));
        w.report(vec![alert("error")]);
    }
    w.quiet_until("19m1s");
    assert_eq!((w.incident(1).count, w.incident(1).level.as_str()), (20, "high"));
    assert_eq!(w.engine.state.incidents.len(), 1);
    w.run_until(Span::mins(20));
    w.over("error");
    w.at("20m").notice("resolved", "ops@example.org", "mail").notice("resolved", "", "ops-slack").nothing_else();
    assert_eq!(w.incident(1).because.as_deref(), Some("its source says that it is over"));
    for minute in 21..36 {
        w.run_until(Span::mins(minute));
        w.over("error");
    }
    w.quiet_until("2h");
    assert_eq!(w.engine.state.incidents.len(), 1, "an end that is told again ends nothing more");
}

#[test]
fn after_its_end_it_is_a_new_one() {
    let mut w = World::calm();
    w.report(vec![alert("info")]);
    w.at("0m").rings("ops@example.org", "mail");
    w.quiet_until("1m");
    w.over("info");
    w.at("1m").notice("resolved", "ops@example.org", "mail");
    w.quiet_until("2m");
    w.report(vec![alert("info")]);
    w.at("2m").rings("ops@example.org", "mail");
    assert_eq!((w.incident(1).status, w.incident(2).status), (IncidentStatus::Resolved, IncidentStatus::Open));
    w.at("7m").notice("resolved", "ops@example.org", "mail");
}

#[test]
fn one_without_an_end_is_no_longer_reported_after_five_minutes_and_says_so() {
    let mut w = World::calm();
    w.report(vec![alert("info")]);
    w.at("0m").rings("ops@example.org", "mail");
    w.quiet_until("4m");
    w.report(vec![alert("info")]);
    w.quiet_until("8m59s");
    w.run_until(Span::mins(9));
    let notice = w.untold().remove(0);
    assert_eq!((notice.at, notice.text.as_str()), (Span::mins(9), "[NO LONGER REPORTED #1 after 9m] db-1 is full"));
    assert_eq!(w.incident(1).because.as_deref(), Some("no longer reported"));
    w.quiet_until("1h");
}

#[test]
fn one_with_an_end_in_the_future_is_believed_until_then() {
    let mut w = World::calm();
    let ends_at = Some(w.wall() + Span::hours(2));
    w.report(vec![AlertReport { ends_at, ..alert("info") }]);
    w.at("0m").rings("ops@example.org", "mail");
    w.quiet_until("1h59m");
    w.at("2h").notice("resolved", "ops@example.org", "mail");
}

#[test]
fn f52_whatever_the_order_nothing_calls_after_the_end() {
    let mut w = World::calm();
    w.over("critical");
    assert!(w.engine.state.incidents.is_empty(), "an end of what never began opens nothing");
    // All in one request: it begins, is there twice, and is over.
    let over = AlertReport { ends_at: Some(w.wall()), ..alert("critical") };
    w.report(vec![alert("critical"), alert("critical"), over]);
    assert_eq!((w.incident(1).status, w.incident(1).count), (IncidentStatus::Resolved, 2));
    w.quiet_until("1d");
}

#[test]
fn f52_the_policy_stops_at_the_end() {
    let mut w = World::calm();
    w.report(vec![AlertReport { ends_at: Some(w.wall() + Span::hours(9)), ..alert("critical") }]);
    w.at("0m").posts("siren").posts("ops-slack");
    w.quiet_until("4m");
    w.over("critical");
    w.at("4m").notice("resolved", "", "ops-slack").nothing_else();
    assert!(w.sounding().is_empty());
    w.quiet_until("1d");
}

#[test]
fn f52_times_far_away_do_no_harm() {
    let mut w = World::calm();
    for (fingerprint, starts_at) in [(1, "1970-01-01T00:00:00Z"), (2, "2999-01-01T00:00:00Z")] {
        let starts_at = Some(Timestamp::parse(starts_at).unwrap());
        w.report(vec![AlertReport { fingerprint, starts_at, ..alert("info") }]);
    }
    w.at("0m").rings("ops@example.org", "mail").rings("ops@example.org", "mail").nothing_else();
    w.quiet_until("4m59s");
    w.at("5m").notice("resolved", "ops@example.org", "mail").notice("resolved", "ops@example.org", "mail");
}

#[test]
fn a_level_that_nobody_says_is_the_other_one_counted_and_told() {
    let mut w = World::calm();
    w.report(vec![alert("sev-1")]);
    w.untold();
    assert_eq!(w.incident(1).level.as_str(), "normal");
    let body = "/var is at 98 %\n\n(Level normal, because severity \"sev-1\" is no level that is known.)";
    assert_eq!(w.incident(1).content.body, body);
    let mut bare = alert("12345678");
    bare.labels.remove("severity");
    bare.annotations = Labels::new();
    w.report(vec![bare]);
    w.untold();
    assert_eq!(w.incident(2).content.body, "(Level normal, because the alert has no label severity.)");
    assert_eq!(w.subject(2), "DiskFull");
    let unrated = w.count(|e| matches!(e, EventKind::AlertReported(report) if report.unrated));
    assert_eq!(unrated, 2);
}

#[test]
fn reserved_names_are_the_alerts_and_ours_stand_beside_them() {
    let mut w = World::calm();
    let own = pairs(&[("level", "3"), ("name", "x"), ("type", "disk"), ("stentor_name", "y"), ("severity", "info")]);
    w.report(vec![AlertReport { labels: own.clone(), ..alert("info") }]);
    w.untold();
    let ours = pairs(&[("stentor_level", "low"), ("source", "alert")]);
    let all: Labels = own.iter().chain(&ours).collect();
    assert_eq!((w.incident(1).labels.as_ref(), &*w.incident(1).kind_of), (&all, "disk"));
    let page = w.read(Read::Alerts { after: None });
    assert_eq!(page["alerts"][0]["labels"], json!(own), "as they were sent");
}

#[test]
fn a_silence_on_its_labels_holds_it() {
    let mut w = World::calm();
    w.silence("instance=db-1", "1h");
    w.report(vec![AlertReport { ends_at: Some(w.wall() + Span::hours(9)), ..alert("info") }]);
    w.quiet_until("59m");
    let page = w.read(Read::Alerts { after: None });
    assert_eq!(page["alerts"][0]["status"]["state"], "suppressed");
    assert_eq!(page["alerts"][0]["status"]["silencedBy"].as_array().unwrap().len(), 1);
    w.at("1h").rings("ops@example.org", "mail");
}

#[test]
fn what_is_told_next_is_what_was_reported_last() {
    let mut w = World::calm();
    let ends_at = Some(w.wall() + Span::hours(9));
    w.report(vec![AlertReport { ends_at, ..alert("critical") }]);
    w.at("0m").posts("siren").posts("ops-slack");
    let annotations = pairs(&[("summary", "db-1 is at 99 %")]);
    w.report(vec![AlertReport { ends_at, annotations: annotations.clone(), ..alert("critical") }]);
    w.quiet_until("4m59s");
    w.run_until(Span::mins(5));
    let text = w.untold().remove(0).text;
    assert!(text.contains("db-1 is at 99 %"), "{text}");
    assert_eq!(w.incident(1).content.annotations, annotations);
    w.ack(1, "bob");
    w.untold();
}

#[test]
fn what_it_says_at_its_end_is_what_the_notice_says() {
    let mut w = World::calm();
    w.report(vec![alert("warning")]);
    w.untold();
    let annotations = pairs(&[("summary", "db-1 has room again")]);
    let ends_at = Some(w.wall() - Span::secs(1));
    w.report(vec![AlertReport { ends_at, annotations, ..alert("warning") }]);
    let told = w.untold();
    assert!(!told.is_empty() && told.iter().all(|t| t.text.contains("db-1 has room again")), "{told:?}");
    assert_eq!(w.incident(1).status, IncidentStatus::Resolved);
    // Whoever says no more than that it is over takes nothing back.
    w.report(vec![alert("warning")]);
    w.untold();
    let said = w.incident(2).content.annotations.clone();
    w.report(vec![AlertReport { ends_at, annotations: Labels::new(), ..alert("warning") }]);
    w.untold();
    assert_eq!(w.incident(2).content.annotations, said);
}

#[test]
fn down_or_deaf_it_waits_for_the_sources() {
    let mut w = World::calm();
    w.report(vec![alert("info")]);
    w.at("0m").rings("ops@example.org", "mail");
    w.quiet_until("3m");
    w.down_for("3m");
    w.quiet_until("7m");
    w.report(vec![alert("info")]);
    assert_eq!((w.incident(1).status, w.incident(1).count), (IncidentStatus::Open, 2), "it outlived the restart");
    w.quiet_until("11m");
    w.engine.set_emergency(true);
    w.quiet_until("20m");
    w.engine.set_emergency(false);
    w.does(Ask::StorageTroubled { part: "journal".into(), words: "well".into(), well: true });
    w.quiet_until("24m59s");
    w.at("25m").notice("resolved", "ops@example.org", "mail");
}

#[test]
fn after_a_night_without_stentor_the_sources_get_their_time() {
    let mut w = World::calm();
    w.report(vec![alert("info")]);
    w.at("0m").rings("ops@example.org", "mail");
    w.down_for("8h");
    w.quiet_until("8h4m59s");
    w.at("8h5m").notice("resolved", "ops@example.org", "mail");
}

#[test]
fn an_acknowledgement_stays_and_a_resolution_by_hand_does_not_last() {
    let mut w = World::calm();
    w.report(vec![alert("error")]);
    w.ack(1, "alice");
    w.untold();
    w.run_for("1m");
    w.report(vec![alert("error")]);
    assert_eq!(w.incident(1).status, IncidentStatus::Acknowledged);
    let answer = w.does(Ask::Resolve { id: "1".into(), note: None });
    let still = "its source still reports the alert, and opens a new incident if it goes on";
    assert_eq!(answer["incidents"][0]["still_broken"], still);
    w.untold();
    w.report(vec![alert("error")]);
    w.at("1m").rings("ops@example.org", "mail").posts("ops-slack");
    assert_eq!(w.incident(2).status, IncidentStatus::Open);
    w.over("error");
    w.untold();
}

#[test]
fn a_reload_that_rates_it_higher_raises_it_with_the_next_report() {
    let mut w = World::calm();
    let ends_at = Some(w.wall() + Span::hours(9));
    w.report(vec![AlertReport { ends_at, ..alert("info") }]);
    w.at("0m").rings("ops@example.org", "mail");
    w.reload(&calm().replace("info = \"low\"", "info = \"high\""));
    w.report(vec![AlertReport { ends_at, ..alert("info") }]);
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    assert_eq!((w.incident(1).level.as_str(), w.incident(1).labels.get("level").unwrap()), ("high", "high"));
    w.ack(1, "bob");
    w.untold();
}

#[test]
fn pages_of_two_hundred_go_through_all_of_them_by_fingerprint() {
    let mut w = World::calm();
    w.silence("source=alert", "9h");
    let report = |n: u64| AlertReport { fingerprint: n * 31 % 450, ends_at: None, ..alert("info") };
    w.report((0..450).map(report).collect());
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = w.read(Read::Alerts { after });
        let rows = page["alerts"].as_array().unwrap();
        assert!(rows.len() <= 200);
        seen.extend(rows.iter().map(|row| row["fingerprint"].as_str().unwrap().to_owned()));
        after = page["next_cursor"].as_u64();
        if after.is_none() {
            break;
        }
    }
    let wanted: Vec<String> = (0..450).map(|n| format!("{n:016x}")).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn its_words_are_in_memory_once_also_after_a_restart() {
    use std::sync::Arc;
    let shared = |w: &World| {
        let state = &w.engine.state;
        let (i, n) = (w.incident(1), state.notifications.values().next().unwrap());
        Arc::ptr_eq(&i.labels, &n.labels) && Arc::ptr_eq(&i.content, &n.content)
    };
    let mut w = World::calm();
    w.report(vec![AlertReport { ends_at: Some(w.wall() + Span::hours(9)), ..alert("info") }]);
    w.at("0m").rings("ops@example.org", "mail");
    assert!(shared(&w), "as decided");
    w.down_for("1s");
    assert!(shared(&w), "from the journal");
    w.restart_from_snapshot();
    assert!(shared(&w), "from a snapshot");
}
