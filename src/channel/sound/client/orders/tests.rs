#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::channel::sound::protocol::Piece;
use crate::channel::sound::tone::Tone;
use proptest::prelude::*;

/// Orders at a moment that the test moves on.
struct Story {
    orders: Orders,
    now: Instant,
}

impl Story {
    fn new() -> Story {
        Story { orders: Orders::default(), now: Instant::now() }
    }

    fn passes(&mut self, time: Duration) -> Vec<Over> {
        self.now += time;
        self.orders.look_at_the_time(self.now)
    }

    fn send(&mut self, request: Request) -> oneshot::Receiver<Began> {
        let (tell, heard) = oneshot::channel();
        self.orders.begin(1, request, self.now, tell);
        heard
    }

    fn list(&mut self, keys: &[&str]) {
        let wanted = keys.iter().map(|key| request(key)).collect();
        self.orders.list(1, wanted, self.now);
    }

    /// The ids of the plays and of the stops that are asked for.
    fn asks(&mut self) -> (Vec<u64>, Vec<u64>) {
        let asks = self.orders.asks(self.now);
        let plays = asks.iter().filter_map(|ask| if let Ask::Play { id, .. } = ask { Some(*id) } else { None });
        let stops = asks.iter().filter_map(|ask| if let Ask::Stop { id } = ask { Some(*id) } else { None });
        (plays.collect(), stops.collect())
    }

    /// The one play that is asked for.
    fn play(&mut self) -> (u64, Piece) {
        match self.orders.asks(self.now).as_slice() {
            [Ask::Play { id, piece, .. }] => (*id, piece.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn hears(&mut self, answer: Answer) -> Option<Over> {
        self.orders.heard(answer, self.now, "")
    }

    fn starts(&mut self, id: u64) {
        assert_eq!(self.hears(Answer::Started { id, heard: Heard::default() }), None);
    }

    fn player_dies(&mut self) {
        self.orders.player_died(&NotHeard::Broken("dead".to_owned()), self.now);
    }
}

fn request(key: &str) -> Request {
    let piece = Piece {
        file: Some("/siren.mp3".to_owned()),
        tone: Tone::Siren,
        volume: 1.0,
        repeat: None,
        urgent: false,
        floor: None,
    };
    Request { key: key.to_owned(), piece, left: Duration::from_secs(900) }
}

#[test]
fn what_is_listed_begins_once_and_ends_when_it_is_not_listed() {
    let mut story = Story::new();
    story.list(&["a"]);
    let (id, _) = story.play();
    story.starts(id);
    story.list(&["a", "b"]);
    let (b, _) = story.play();
    story.list(&["b"]);
    assert_eq!(story.asks(), (vec![], vec![id]));
    story.list(&[]);
    assert_eq!(story.asks(), (vec![], vec![b]));
    assert!(story.orders.are_heard(), "their silence is awaited");
    story.hears(Answer::Ended { id, cause: Cause::Stopped });
    story.hears(Answer::Failed { id: b, why: "busy".to_owned() });
    assert!(!story.orders.are_heard());
}

#[test]
fn f60_a_stop_that_is_not_obeyed_makes_the_player_deaf() {
    let mut story = Story::new();
    story.list(&["a"]);
    let (id, _) = story.play();
    story.list(&[]);
    story.asks();
    assert!(!story.orders.is_deaf(story.now));
    assert_eq!(story.orders.next_wake(story.now), Some(story.now + SILENT_WITHIN));
    story.passes(SILENT_WITHIN);
    assert!(story.orders.is_deaf(story.now));
    story.hears(Answer::Ended { id, cause: Cause::Stopped });
    assert!(!story.orders.is_deaf(story.now));
}

#[test]
fn who_sends_is_told_how_it_went() {
    let mut story = Story::new();
    let mut heard = story.send(request("a"));
    let (id, _) = story.play();
    assert!(heard.try_recv().is_err());
    let bad = Heard { instead: Some("is bad".to_owned()), ..Heard::default() };
    story.hears(Answer::Started { id, heard: bad.clone() });
    assert_eq!(heard.try_recv().unwrap(), Ok(bad));
    let mut again = story.send(request("a"));
    assert_eq!(again.try_recv().unwrap(), Ok(Heard::default()), "it sounds already");
    assert_eq!(story.asks(), (vec![], vec![]));

    let mut refused = story.send(request("b"));
    let (id, _) = story.play();
    story.hears(Answer::Failed { id, why: "busy".to_owned() });
    assert_eq!(refused.try_recv().unwrap(), Err(NotHeard::Broken("busy".to_owned())));
    story.passes(RETRY);
    assert_eq!(story.asks(), (vec![], vec![]), "retries are not ours, when it was never heard");
}

#[test]
fn an_attempt_that_was_given_up_does_not_sound_later() {
    let mut story = Story::new();
    let heard = story.send(request("a"));
    let (id, _) = story.play();
    drop(heard);
    story.passes(Duration::from_millis(1));
    assert_eq!(story.asks(), (vec![], vec![id]));
}

#[test]
fn what_is_wanted_is_tried_again_on_a_device_that_failed() {
    let mut story = Story::new();
    story.list(&["a"]);
    let (id, _) = story.play();
    story.hears(Answer::Failed { id, why: "busy".to_owned() });
    assert_eq!(story.asks(), (vec![], vec![]));
    assert_eq!(story.orders.next_wake(story.now), Some(story.now + RETRY));
    story.passes(RETRY);
    let (id, _) = story.play();
    story.starts(id);
    // An attempt does not wait for that.
    story.hears(Answer::Failed { id, why: "gone".to_owned() });
    let mut heard = story.send(request("a"));
    let (id, _) = story.play();
    story.starts(id);
    assert_eq!(heard.try_recv().unwrap(), Ok(Heard::default()));
}

#[test]
fn what_sounded_begins_again_after_the_players_death() {
    let mut story = Story::new();
    let _heard = story.send(request("a"));
    let (id, _) = story.play();
    story.starts(id);
    let mut young = story.send(request("b"));
    let (_, _) = story.play();
    story.player_dies();
    assert_eq!(young.try_recv().unwrap(), Err(NotHeard::Broken("dead".to_owned())));
    let (again, _) = story.play();
    assert!(again > id, "only the one that was heard");
}

#[test]
fn a_file_that_kills_the_player_is_left_out() {
    let mut story = Story::new();
    for _ in 0..MOST_DEATHS {
        let _heard = story.send(request("a"));
        assert!(story.play().1.file.is_some());
        story.player_dies();
    }
    let mut heard = story.send(request("a"));
    let (id, piece) = story.play();
    assert_eq!(piece.file, None);
    story.starts(id);
    assert_eq!(heard.try_recv().unwrap().unwrap().instead.as_deref(), Some("made the player die"));
    // Perhaps somebody mended it.
    story.passes(DEADLY_FOR);
    story.orders.list(2, vec![request("b")], story.now);
    assert!(story.play().1.file.is_some());
}

#[test]
fn what_send_began_waits_for_the_list() {
    let mut story = Story::new();
    story.list(&[]);
    let _heard = story.send(request("a"));
    story.list(&[]);
    let (id, _) = story.play();
    story.starts(id);
    story.list(&[]);
    assert_eq!(story.asks(), (vec![], vec![]));
    story.passes(SETTLED_AFTER);
    assert_eq!(story.asks(), (vec![], vec![id]));
}

#[test]
fn without_lists_a_sound_is_left_alone() {
    let mut story = Story::new();
    let _heard = story.send(request("a"));
    let (id, _) = story.play();
    story.starts(id);
    story.passes(Duration::from_secs(600));
    assert_eq!(story.asks(), (vec![], vec![]));
    assert_eq!(
        story.hears(Answer::Ended { id, cause: Cause::Played }),
        Some(Over { desk: 1, key: "a".to_owned(), cause: Cause::Played })
    );
}

#[test]
fn what_ended_by_itself_does_not_begin_again() {
    let mut story = Story::new();
    let _heard = story.send(request("a"));
    let (id, _) = story.play();
    story.starts(id);
    story.hears(Answer::Ended { id, cause: Cause::Played });
    story.list(&["a"]);
    assert_eq!(story.asks(), (vec![], vec![]));
    story.list(&[]);
    story.list(&["a"]);
    assert_eq!(story.asks().0.len(), 1, "that is a new wish");
}

#[test]
fn more_time_is_given_by_a_later_list() {
    let mut story = Story::new();
    story.list(&["a"]);
    let (id, _) = story.play();
    story.starts(id);
    story.passes(Duration::from_secs(600));
    story.list(&["a"]);
    story.passes(Duration::from_secs(300));
    assert_eq!(story.hears(Answer::Ended { id, cause: Cause::Max }), None);
    let (id, _) = story.play();
    story.starts(id);
    story.passes(Duration::from_secs(600));
    let over = story.hears(Answer::Ended { id, cause: Cause::Max });
    assert_eq!(over.map(|over| over.cause), Some(Cause::Max));
}

#[test]
fn its_time_is_over_even_if_the_player_counts_slowly() {
    let mut story = Story::new();
    story.list(&["a"]);
    let (id, _) = story.play();
    story.starts(id);
    let over = story.passes(Duration::from_secs(900) + MAX_SLACK);
    assert_eq!(over, [Over { desk: 1, key: "a".to_owned(), cause: Cause::Max }]);
    assert_eq!(story.asks(), (vec![], vec![id]));
}

#[test]
fn a_desk_that_is_gone_takes_its_sounds_along() {
    let mut story = Story::new();
    story.list(&["a"]);
    story.orders.list(2, vec![request("a")], story.now);
    let (ids, _) = story.asks();
    story.orders.leave(1);
    assert_eq!(story.asks(), (vec![], vec![ids[0]]));
}

#[derive(Clone, Debug)]
enum Happens {
    Send(u8),
    List(Vec<u8>),
    Asked,
    /// To the n-th of the plays that were asked for.
    Started(usize),
    Ended(usize),
    Failed(usize),
    Died,
    NoPlayer,
    Passes(u16),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (0..4_u8).prop_map(Happens::Send),
        proptest::collection::vec(0..4_u8, 0..4).prop_map(Happens::List),
        Just(Happens::Asked),
        (0..20_usize).prop_map(Happens::Started),
        (0..20_usize).prop_map(Happens::Ended),
        (0..20_usize).prop_map(Happens::Failed),
        Just(Happens::Died),
        Just(Happens::NoPlayer),
        (0..2_000_u16).prop_map(Happens::Passes),
    ]
}

proptest! {
    /// Whatever happens: everybody who waits is told, and an empty list ends in silence.
    #[test]
    fn an_empty_list_is_silence(history in proptest::collection::vec(happens(), 0..60)) {
        let mut story = Story::new();
        let (mut plays, mut waiting) = (Vec::new(), Vec::new());
        for event in history {
            let nth = |n: usize, plays: &Vec<u64>| plays.get(n).copied().unwrap_or(u64::MAX);
            match event {
                Happens::Send(key) => waiting.push(story.send(request(&key.to_string()))),
                Happens::List(keys) => {
                    let keys: Vec<String> = keys.iter().map(u8::to_string).collect();
                    story.list(&keys.iter().map(String::as_str).collect::<Vec<_>>());
                }
                Happens::Asked => plays.extend(story.asks().0),
                Happens::Started(n) => story.starts(nth(n, &plays)),
                Happens::Ended(n) => drop(story.hears(Answer::Ended { id: nth(n, &plays), cause: Cause::Played })),
                Happens::Failed(n) => drop(story.hears(Answer::Failed { id: nth(n, &plays), why: String::new() })),
                Happens::Died => story.player_dies(),
                Happens::NoPlayer => story.orders.no_player(&NotHeard::Silenced, story.now),
                Happens::Passes(ms) => drop(story.passes(Duration::from_millis(u64::from(ms)))),
            }
        }
        // The player is well and obeys, and everything has time to settle.
        for id in story.asks().0 {
            story.starts(id);
        }
        for id in plays.drain(..) {
            story.starts(id);
        }
        story.passes(RETRY);
        for id in story.asks().0 {
            story.starts(id);
        }
        story.passes(SETTLED_AFTER);
        story.list(&[]);
        for id in story.asks().1 {
            story.hears(Answer::Ended { id, cause: Cause::Stopped });
        }
        let (plays, _) = story.asks();
        prop_assert!(plays.is_empty(), "something begins although nothing is wanted");
        prop_assert!(!story.orders.orders.iter().any(Order::is_heard), "{:?}", story.orders);
        for mut heard in waiting {
            prop_assert!(heard.try_recv().is_ok(), "somebody still waits");
        }
    }
}
