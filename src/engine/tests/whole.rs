//! Long texts: the beginning stays, the rest is read again where it is needed, and damage is told.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::{IN_EVENT, KEPT};
use crate::engine::{Ask, Caller};

const HOOK: &str = "[channels.hook]\nkind = \"webhook\"\nurl = \"https://a.example\"\nslots = 1\n\
                    [channels.other]\nkind = \"webhook\"\nurl = \"https://b.example\"\n\
                    [levels.low]\nchannels = [\"hook\"]\n";

fn long(letter: &str, bytes: usize) -> String {
    format!("{}the end of {letter}", letter.repeat(bytes - 12))
}

fn send(w: &mut World, body: &str) {
    let body = body.to_owned();
    w.send(|r| (r.level, r.body) = (level("low"), body));
}

#[test]
fn the_first_attempt_has_the_text_at_hand_and_the_state_its_beginning() {
    let mut w = World::with(HOOK);
    for bytes in [KEPT, KEPT + 1, IN_EVENT, IN_EVENT + 1, 300_000] {
        w.texts.clear();
        send(&mut w, &long("a", bytes));
        assert!(w.texts[0].contains("the end of a"), "{bytes}");
        let n = w.engine.state.notifications.values().max_by_key(|n| n.order).unwrap();
        assert_eq!((n.content.body.len(), n.content.more.is_some()), (KEPT, bytes > KEPT), "{bytes}");
        assert_eq!(n.content.more.as_ref().is_some_and(|place| place.blob.is_some()), bytes > IN_EVENT, "{bytes}");
    }
    assert_eq!(w.reads, [], "nothing had to be read");
    assert_eq!(w.blobs.len(), 2 + 3, "two bodies, and the documents that were made of three");
    assert!(w.engine.state.text_bytes() < 6 * 1_100, "{}", w.engine.state.text_bytes());
    let largest = w.frames.iter().flat_map(|f| &f.events).filter_map(|e| e.payload.as_ref());
    assert!(largest.map(|p| p.body.len() + p.text.as_ref().map_or(0, |t| t.text.len())).all(|n| n <= IN_EVENT));
    w.untold();
}

#[test]
fn after_a_restart_a_text_that_waits_is_read_and_a_retry_says_the_same() {
    for bytes in [2_000, 40_000] {
        let mut w = World::with(HOOK);
        w.channel_first("hook", [Says::Hangs]);
        send(&mut w, "short");
        send(&mut w, &long("b", bytes));
        assert!(w.texts.iter().all(|text| !text.contains("the end of b")), "there is one slot");
        w.down_for("1s");
        w.run_for("5m");
        let said = |w: &World| w.texts.iter().filter(|text| text.contains("the end of b")).count();
        assert_eq!((said(&w), w.reads.len()), (1, 1));
        // And one that failed before the restart goes out word for word.
        w.channel_first("hook", [refused()]);
        send(&mut w, &long("b", bytes));
        w.down_for("10ms");
        w.run_for("5m");
        let said: Vec<&String> = w.texts.iter().filter(|text| text.contains("the end of b")).collect();
        assert_eq!(said.len(), 3, "{bytes}");
        assert_eq!(said[1], said[2]);
        w.untold();
    }
}

#[test]
fn the_steps_of_an_incident_refer_to_what_opened_it() {
    let mut w = World::with(
        "[channels.a]\nkind = \"webhook\"\nurl = \"https://a.example\"\n\
         [policies.p]\nsteps = [{ after = \"0s\", channels = [\"a\"] }, { after = \"5m\", channels = [\"a\"] }]\n",
    );
    w.open_with(|r| (r.level, r.policy, r.body) = (level("high"), Some("p".into()), long("c", 3_000)));
    w.down_for("1s");
    w.run_for("6m");
    let said = w.texts.iter().filter(|text| text.contains("the end of c")).count();
    assert_eq!((said, w.reads.len()), (2, 1));
    let bodies =
        w.frames.iter().flat_map(|f| &f.events).filter_map(|e| e.payload.as_ref()).filter(|p| p.body.len() > KEPT);
    assert_eq!(bodies.count(), 1, "it is written down once");
    w.untold();
}

#[test]
fn what_cannot_be_read_is_told_and_the_message_goes_out_with_its_beginning() {
    let mut w = World::with(HOOK);
    w.channel_first("hook", [Says::Hangs]);
    send(&mut w, "short");
    send(&mut w, &long("d", 2_000));
    w.unreadable = true;
    w.down_for("1s");
    w.run_for("5m");
    let said = w.texts.iter().find(|text| text.contains("ddd")).unwrap();
    assert!(said.contains("[The rest of 2000 bytes cannot be shown: event "), "{said}");
    assert!(said.contains(", the disk is gone.]"), "{said}");
    let i = w.engine.state.live_incident("self/storage-ledger").unwrap();
    assert!(i.content.body.contains("a text of 2000 bytes (event "), "{}", i.content.body);
    w.untold();
}

#[test]
fn who_waits_for_a_text_holds_a_slot_and_nobody_else_waits_for_the_disk() {
    let mut w = World::with(HOOK);
    w.channel_first("hook", [Says::Hangs]);
    send(&mut w, "short");
    send(&mut w, &long("e", 2_000));
    w.down_for("1s");
    w.slow_disk = true;
    w.run_for("20s");
    assert_eq!(w.reads.len(), 1);
    let before = w.texts.len();
    // One of its own level waits for the slot that it holds; what is more urgent, and other channels, do not.
    w.send(|r| (r.level, r.subject) = (level("low"), "behind".into()));
    w.send(|r| (r.level, r.channels) = (level("low"), names(&["other"])));
    w.send(|r| (r.level, r.channels) = (level("urgent"), names(&["hook"])));
    assert_eq!(w.texts.len(), before + 2);
    w.run_for("1s");
    assert_eq!(w.texts.len(), before + 2);
    let place = w.reads[0].clone();
    let text = w.text_at(&place);
    w.ask(Caller::engine(), Ask::TextRead { place, text }).unwrap();
    w.run_for("1s");
    let rest: Vec<bool> = w.texts[before + 2..].iter().map(|text| text.contains("the end of e")).collect();
    assert_eq!(rest, [true, false]);
    w.untold();
}
