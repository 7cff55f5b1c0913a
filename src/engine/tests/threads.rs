//! What a channel's provider called the first message about an incident, and who is told of it.

use super::world::asks::*;
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

/// What was tried by this channel, in order, and when.
fn tried(w: &mut World, by: &str, until: &str) -> Vec<String> {
    let by_it = |h: &Happening| (h.channel == by).then(|| format!("{} {}", h.at.exact(), kind(&h.origin)));
    w.all_until(until).iter().filter_map(by_it).collect()
}

/// An incident that is told by this channel alone, and by no policy.
fn open_by(w: &mut World, channel: &str) -> u64 {
    w.open_with(|r| (r.level, r.channels) = (level("normal"), names(&[channel])))
}

#[test]
fn an_end_waits_for_the_trigger_that_is_under_way() {
    let mut w = World::with(&format!("{}\n{DUTY}", calm()));
    w.channel_takes("duty", "9s");
    let n = open_by(&mut w, "duty");
    w.resolve(n);
    assert_eq!(tried(&mut w, "duty", "1m"), ["0s alarm", "9s resolved"]);
    // Also when nobody answers it.
    w.channel_takes("duty", "0s").channel_first("duty", [Says::Hangs]);
    let n = open_by(&mut w, "duty");
    w.resolve(n);
    assert_eq!(tried(&mut w, "duty", "2m"), ["1m alarm", "1m15s resolved"]);
}

#[test]
fn what_is_told_of_an_incident_is_told_in_its_order_whatever_fails() {
    for channel in ["duty", "hook"] {
        let mut w = World::with(&format!("{}\n{DUTY}", calm()));
        let (one, other) = (open_by(&mut w, channel), open_by(&mut w, channel));
        w.run_for("1s");
        w.untold();
        // What did not get there that it was acknowledged is not told any more when it is over.
        w.channel_first(channel, [timeout(), Says::Yes, timeout()]);
        w.ack(one, "alice");
        w.resolve(one);
        // The other one waits for none of them.
        w.resolve(other);
        let tries = tried(&mut w, channel, "5m");
        let order: Vec<&str> = tries.iter().filter_map(|t| t.split(' ').nth(1)).collect();
        assert_eq!(order, ["acknowledged", "resolved", "resolved", "resolved"], "{channel} {tries:?}");
        assert!(tries[1].starts_with("1s "), "{tries:?}");
    }
}

/// A fixed place that hears of everything, as one that follows incidents does.
const DUTY: &str =
    "[channels.duty]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nupdates = [\"acknowledged\", \"resolved\"]\n";
