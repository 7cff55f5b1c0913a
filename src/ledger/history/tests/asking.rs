//! Questions, answered alike whether the events are in the store, in memory, or in both.

use super::*;

/// Asks with everything in the tail, with everything in the store, after a start, and with a half in
/// each.
async fn everywhere(check: impl AsyncFn(&History)) {
    let mut ledger = Ledger::new();
    let history = ledger.start(Vec::new());
    until("ready", || history.phase() == Phase::Ready);
    ledger.write(20).into_iter().for_each(|group| history.feed(group));
    check(&history).await;
    applied(&history, 140);
    check(&history).await;
    history.stop();
    let history = ledger.start(Vec::new());
    applied(&history, 140);
    check(&history).await;
    history.stop();

    let mut ledger = Ledger::new();
    ledger.write(10);
    let history = ledger.start(Vec::new());
    applied(&history, 70);
    ledger.write(10).into_iter().for_each(|group| history.feed(group));
    check(&history).await;
    history.stop();
}

#[tokio::test]
async fn pages_follow_each_other_in_both_directions() {
    everywhere(async |history| {
        let all = everything(history, EntryQuery { limit: 9, ..EntryQuery::default() }).await;
        assert_eq!(numbers(&all), (1..=140).rev().collect::<Vec<_>>());
        let oldest = EntryQuery { limit: 9, newest_first: false, ..EntryQuery::default() };
        assert_eq!(numbers(&everything(history, oldest).await), (1..=140).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn filters_take_what_fits_and_nothing_else() {
    everywhere(async |history| {
        let ask =
            async |query: EntryQuery| numbers(&everything(history, EntryQuery { newest_first: false, ..query }).await);
        let (incident, _, delivery) = ids(4);
        // The fifth story is events 29 to 35.
        let kinds = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let of_incident = EntryQuery { incident: Some(incident), ..EntryQuery::default() };
        assert_eq!(ask(of_incident.clone()).await, [29, 30, 31, 32, 34]);
        let attempts = EntryQuery { kinds: kinds(&["attempt_started", "delivery_ended"]), ..of_incident };
        assert_eq!(ask(attempts).await, [32, 34]);
        let of_delivery = EntryQuery { delivery: Some(delivery), ..EntryQuery::default() };
        assert_eq!(ask(of_delivery.clone()).await, [31, 32, 34]);
        let both = EntryQuery { incident: Some(ids(5).0), ..of_delivery };
        assert_eq!(ask(both).await, [0u64; 0]);
        let opened = EntryQuery { kinds: kinds(&["incident_opened"]), ..EntryQuery::default() };
        assert_eq!(ask(opened.clone()).await, (0..20).map(|n| 1 + 7 * n).collect::<Vec<_>>());
        let between = EntryQuery { since: Some(at(8)), until: Some(at(29)), ..opened.clone() };
        assert_eq!(ask(between).await, [8, 15, 22]);
        let numbered = EntryQuery { from_seq: 9, to_seq: 36, ..opened };
        assert_eq!(ask(numbered).await, [15, 22, 29, 36]);
        let none = EntryQuery { kinds: kinds(&["no_such_kind"]), ..EntryQuery::default() };
        assert_eq!(ask(none).await, [0u64; 0]);
        let outside = EntryQuery { from_seq: 141, ..EntryQuery::default() };
        assert_eq!(ask(outside).await, [0u64; 0]);
    })
    .await;
}

#[tokio::test]
async fn an_entry_has_all_its_event_had() {
    everywhere(async |history| {
        let query = EntryQuery { from_seq: 29, to_seq: 29, ..EntryQuery::default() };
        let entry = everything(history, query).await.remove(0);
        assert_eq!((entry.kind.as_str(), entry.by.as_str()), ("incident_opened", "tester"));
        assert_eq!(entry.event(), story(4, 29)[0].events[0]);
    })
    .await;
}

#[tokio::test]
async fn documents_and_counters_are_found() {
    everywhere(async |history| {
        let (_, notification, delivery) = ids(4);
        let json = format!(r#"{{"id":"{notification}","after":34}}"#);
        assert_eq!(history.document(DocumentKind::Notification, notification.0).await.unwrap(), Some(json.clone()));
        assert_eq!(history.notification_of(delivery.0).await.unwrap(), Some(json));
        assert_eq!(history.document(DocumentKind::Incident, notification.0).await.unwrap(), None);
        assert_eq!(history.incident(4).await.unwrap(), None);

        let query = DocumentQuery { kind: DocumentKind::Notification, before: None, limit: 8 };
        let mut found = Vec::new();
        let mut next = Some(query.clone());
        while let Some(query) = next {
            let page = history.documents(query.clone()).await.unwrap();
            found.extend(page.found.into_iter().map(|(id, _)| id));
            next = page.next.map(|before| DocumentQuery { before: Some(before), ..query });
        }
        assert_eq!(found, (0..20).rev().map(|n| ids(n).1.0).collect::<Vec<_>>());
        let ending = |id: Ulid| Ending::parse(&id.to_string()[20..]).unwrap();
        assert_eq!(history.ending(Shortened::Delivery, ending(delivery.0)).await.unwrap(), Some(delivery.0));
        assert_eq!(history.ending(Shortened::Delivery, ending(notification.0)).await.unwrap(), None);
        let found = history.ending(Shortened::Notification, ending(notification.0)).await.unwrap();
        assert_eq!(found, Some(notification.0));
        assert_eq!(history.ending(Shortened::Incident, ending(delivery.0)).await.unwrap(), None);

        let stats = history.stats(at(0), at(140)).await.unwrap();
        let sent = &stats.by_channel["sms"]["sent"];
        assert_eq!((sent.n, sent.timed, sent.took), (20, 20, Span::secs(40)));
        assert!(stats.from <= at(0) && stats.to > at(140));
        let before = history.stats(Timestamp(0), at(0) - Span::hours(2)).await.unwrap();
        assert!(before.by_channel.is_empty());
    })
    .await;
}
