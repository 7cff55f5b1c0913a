//! What a channel's provider called the first message about an incident, and who is told of it.

use super::world::*;
use crate::domain::event::EventKind;

/// The thread of each attempt by this channel.
fn threads(w: &World, by: &str) -> Vec<Option<String>> {
    let thread = |e: &EventKind| match e {
        EventKind::AttemptStarted { channel, thread, .. } if channel == by => Some(thread.clone()),
        _ => None,
    };
    w.events().filter_map(thread).collect()
}

#[test]
fn what_follows_of_an_incident_answers_to_its_first_message() {
    let mut w = World::calm();
    w.channel_first("ops-slack", [timeout(), Says::Keeps("C1/1"), Says::Keeps("C1/2"), Says::Keeps("C1/3")]);
    let n = w.open("urgent");
    w.all_until("31m");
    w.ack(n, "alice");
    w.resolve(n);
    w.untold();
    let first = Some("C1/1".to_owned());
    assert_eq!(threads(&w, "ops-slack"), [None, None, first.clone(), first.clone(), first]);
    w.restart_from_snapshot();
}

#[test]
fn another_incident_has_another_thread_and_an_address_has_none() {
    let mut w = World::calm();
    w.channel_first("ops-slack", [Says::Keeps("C1/1"), Says::Keeps("C1/2")]).channel("mail", Says::Keeps("m"));
    w.open("high");
    w.open("high");
    w.all_until("1m");
    assert_eq!(threads(&w, "ops-slack"), [None, None]);
    w.all_until("5h");
    assert_eq!(threads(&w, "ops-slack")[2..], [Some("C1/1".to_owned()), Some("C1/2".to_owned())]);
    assert!(threads(&w, "mail").iter().all(Option::is_none), "each mail stands by itself");
}
