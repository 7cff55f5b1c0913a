//! Of incidents, from their opening to their end.

use super::*;

pub(super) fn incidents() -> Vec<Event> {
    let mut all = vec![
        K::IncidentOpened {
            id: incident(),
            number: 417,
            fingerprint: s("heartbeat/twilio"),
            level: Level::Urgent,
            kind_of: s("probe"),
            labels: labels().into(),
            opened_by: s("heartbeat twilio"),
            base: EngineTime(T),
            policy: Some(s("page")),
            rounds: 4,
            channels: Some(vec![]),
            to: Some(vec![Who::Person(s("alice")), Who::Schedule(s("primary")), Who::Phone(s("+15550101"))]),
            about: Some(s("sms")),
            silenced_by: Some(s("5e1e9ce0-0000-4000-8000-000000000000")),
            once: true,
            tenant: Some(s("acme")),
            next: next(NextWhat::Step { round: 0, step: 0 }),
        }
        .with(words()),
        K::IncidentRepeated { id: incident() }.bare(),
        K::IncidentRaised {
            id: incident(),
            level: Level::Urgent,
            base: EngineTime(T),
            policy: Some(s("page")),
            rounds: 4,
            channels: Some(vec![s("sms")]),
            to: Some(vec![Who::Person(s("bob"))]),
            next: None,
        }
        .bare(),
        K::IncidentReminded { id: incident(), next: next(NextWhat::Reminder) }.bare(),
        K::IncidentReplanned { id: incident(), rounds: 5, next: next(NextWhat::Reminder) }.bare(),
        K::IncidentAcknowledged {
            id: incident(),
            by: s("bob"),
            via: s("command"),
            note: Some(s("on it")),
            next: next(NextWhat::Restart),
        }
        .bare(),
        K::IncidentUnacknowledged {
            id: incident(),
            by: s("bob"),
            because: s("asked"),
            base: EngineTime(T),
            next: next(NextWhat::Opening),
        }
        .bare(),
        K::IncidentSnoozed { id: incident(), by: s("bob"), until: EngineTime(T + 7) }.bare(),
        K::IncidentSilenced { id: incident(), silence: s("5e1e9ce0-0000-4000-8000-000000000000") }.bare(),
        K::IncidentUnsilenced { id: incident(), because: s("ended"), base: EngineTime(T), next: None }.bare(),
        K::IncidentResolved { id: incident(), by: s("heartbeat twilio"), because: s("passes again"), note: None }
            .bare(),
        K::AlertReported(AlertReported {
            id: incident(),
            starts_at: Timestamp(T),
            ends_at: Timestamp(T + 5),
            due: EngineTime(T + 5),
            generator_url: Some(s("http://prometheus.example.org/graph?g0.expr=up")),
            kept: vec![s("level")],
            unrated: true,
        })
        .with(words()),
        K::AlertsAwaited(AlertsAwaited { until: EngineTime(T + 6) }).bare(),
        K::SilenceAdded(SilenceAdded {
            id: s("5e1e9ce0-0000-4000-8000-000000000000"),
            matchers: vec![Matcher::parse("name=~\"twilio|smtp\"").unwrap(), Matcher::parse("level!=urgent").unwrap()],
            starts: EngineTime(T),
            ends: EngineTime(T + 8),
            comment: s("maintenance"),
            created_by: s("alice"),
        })
        .bare(),
        K::SilenceBegan { id: s("5e1e9ce0-0000-4000-8000-000000000000") }.bare(),
        K::SilenceExpired { id: s("5e1e9ce0-0000-4000-8000-000000000000"), by: s("alice") }.bare(),
    ];
    all.extend(nexts().into_iter().map(|what| {
        K::IncidentStepped {
            id: incident(),
            round: 1,
            step: 0,
            passed_over: vec![(0, 1), (0, 2)],
            saved: Span::mins(5),
            because: s("due"),
            next: next(what),
            reached_nobody: true,
        }
        .bare()
    }));
    all
}
