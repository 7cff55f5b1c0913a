//! Named places in the program at which a debug build can be made to die, hang or panic, so that a
//! test can walk them one by one. A release build has none of it.
//!
//! `STENTOR_FAILPOINT=journal_written` dies there as by kill -9, the first time that it is reached;
//! `journal_written:3` the third time. `attempt_started@hook` only for the channel `hook`.
//! `...=panic` panics there, and `...=block` keeps the thread for ever.
//!
//! `STENTOR_SEGMENT_BYTES=4096` makes the journal's segments that small, so that a second of load ends,
//! packs and snapshots many. `STENTOR_EXPIRY_MS=200` looks for what is too old so long after the start.

/// Along the way of an alarm, then beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Point {
    /// The directory is ours; nothing is read yet.
    StartLocked,
    /// The journal is folded; no thread runs.
    StartReplayed,
    /// The first inputs of this life are handed over.
    StartBegun,
    /// All is up; READY is not said.
    StartReady,
    /// A request has come through a door.
    Asked,
    /// The loop has it; nothing is decided.
    Taken,
    /// Decided; the journal knows nothing.
    Decided,
    /// The frame waits for the disk, in memory alone.
    Appended,
    /// A new segment is there, without a byte.
    SegmentMade,
    /// A blob is in a file beside its name.
    BlobWritten,
    /// The group's blobs are kept; its frames are not written.
    BlobsKept,
    /// The writer has the group.
    JournalTaken,
    /// Half of the group's bytes are in the file.
    JournalTorn,
    /// All of them are, and not synced.
    JournalWritten,
    /// Synced; nobody knows.
    JournalSynced,
    /// The loop has been told.
    JournalDurable,
    /// Durable; the caller has no answer.
    Released,
    /// The door has the answer; not a byte of it has left.
    Answered,
    /// The attempt is recorded; nothing has left.
    AttemptStarted,
    /// The provider has answered; nobody knows.
    AttemptEnded,
    /// The loop has the outcome; nothing is decided.
    OutcomeTaken,
    /// The outcome's frame waits for the disk.
    OutcomeAppended,
    /// The batch for the history is about to be applied.
    HistoryApplying,
    /// It is applied, and not flushed.
    HistoryApplied,
    /// The history is flushed.
    HistoryFlushed,
    /// A whole file is beside the one that it replaces.
    FileWritten,
    /// It has taken its place; the directory is not synced.
    FileRenamed,
    /// The config that was kept is moved aside, the new one is not in its place.
    ConfigAside,
    /// A packed segment is beside the plain one, and proven.
    PackProven,
    /// It has taken its place.
    PackDone,
    /// What is to be erased is written down; nothing is removed.
    ErasePlanned,
    /// One segment is without the texts, others have them.
    EraseSegment,
    /// The journal is without them, snapshots and history have them.
    EraseJournal,
    /// The snapshots are without them, the history has them.
    EraseSnapshots,
    /// A history without them is beside the one that has them.
    EraseHistory,
    /// They are gone from everywhere; nothing is recorded.
    EraseDone,
    /// It is recorded; what was written down is still there.
    EraseRecorded,
    /// The state after what is to be forgotten is there; no segment is removed.
    ForgetBased,
    /// One segment is removed, others are to go as well.
    ForgetSegment,
    /// All are; nothing is recorded.
    ForgetDone,
    /// The daemon is asked to stop.
    StopAsked,
    /// No request is taken any more.
    StopClosed,
    /// The loop has ended; the snapshot is kept.
    StopEnded,
    /// The ledger is closed.
    StopStored,
}

/// Dies here, if a test wants it.
#[inline]
pub fn reached(point: Point) {
    armed::reached(point, "", || ());
}

/// The same, on this condition.
#[inline]
pub fn reached_if(condition: bool, point: Point) {
    if condition {
        reached(point);
    }
}

/// The same for one of several, by name.
#[inline]
pub fn reached_by(point: Point, name: &str) {
    armed::reached(point, name, || ());
}

/// The same, and `last` is the last thing that happens.
#[inline]
pub fn reached_with(point: Point, last: impl FnOnce()) {
    armed::reached(point, "", last);
}

/// How long a segment of the journal is to be, if a test wants it otherwise.
pub fn segment_bytes() -> Option<u64> {
    armed::number("STENTOR_SEGMENT_BYTES")
}

/// How long after the start it is looked for what is too old, in milliseconds, if a test wants it otherwise.
pub fn expiry_ms() -> Option<u64> {
    armed::number("STENTOR_EXPIRY_MS")
}

#[cfg(not(debug_assertions))]
mod armed {
    #[inline]
    pub fn reached(_: super::Point, _: &str, _: impl FnOnce()) {}
    #[inline]
    pub fn number(_: &str) -> Option<u64> {
        None
    }
}

#[cfg(debug_assertions)]
mod armed {
    use super::Point;
    use nix::sys::signal::{Signal, raise};
    use std::str::FromStr;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("STENTOR_FAILPOINT").ok()?;
        let armed = Armed::parse(&text);
        if armed.is_none() {
            tracing::error!(%text, "STENTOR_FAILPOINT is no failpoint");
        }
        armed
    });

    #[derive(Debug)]
    pub(super) struct Armed {
        pub point: Point,
        pub name: Option<String>,
        pub act: Act,
        /// How often it has to be reached yet.
        pub left: AtomicU64,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Act {
        Die,
        Panic,
        Block,
    }

    impl Armed {
        /// `POINT[@NAME][:NTH][=ACT]`
        pub fn parse(text: &str) -> Option<Armed> {
            let (place, act) = text.split_once('=').unwrap_or((text, "die"));
            let (place, nth) = place.split_once(':').unwrap_or((place, "1"));
            let (point, name) = place.split_once('@').map_or((place, None), |(p, n)| (p, Some(n.to_owned())));
            let act = match act {
                "die" => Act::Die,
                "panic" => Act::Panic,
                "block" => Act::Block,
                _ => return None,
            };
            Some(Armed { point: Point::from_str(point).ok()?, name, act, left: AtomicU64::new(nth.parse().ok()?) })
        }

        /// Whether this is the time. One that panics or blocks does so from then on.
        pub fn fires(&self, point: Point, name: &str) -> bool {
            if self.point != point || self.name.as_deref().is_some_and(|wanted| wanted != name) {
                return false;
            }
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1))) <= Ok(1)
        }
    }

    pub fn number(variable: &str) -> Option<u64> {
        std::env::var(variable).ok()?.parse().ok()
    }

    pub fn reached(point: Point, name: &str, last: impl FnOnce()) {
        let Some(armed) = ARMED.as_ref().filter(|armed| armed.fires(point, name)) else { return };
        last();
        match armed.act {
            Act::Die => {
                let _ = raise(Signal::SIGKILL);
            }
            Act::Panic => std::panic::panic_any(format!("the failpoint {}", <&str>::from(point))),
            Act::Block => loop {
                std::thread::park();
            },
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::armed::{Act, Armed};
    use super::*;
    use strum::VariantNames;

    #[test]
    fn it_is_a_point_perhaps_a_name_perhaps_a_number_perhaps_an_act() {
        for name in Point::VARIANTS {
            assert_eq!(Armed::parse(name).unwrap().act, Act::Die, "{name}");
        }
        let armed = Armed::parse("attempt_started@hook:2=block").unwrap();
        assert_eq!((armed.point, armed.name.as_deref(), armed.act), (Point::AttemptStarted, Some("hook"), Act::Block));
        assert!(!armed.fires(Point::AttemptEnded, "hook") && !armed.fires(Point::AttemptStarted, "mail"));
        assert!(!armed.fires(Point::AttemptStarted, "hook"));
        assert!(armed.fires(Point::AttemptStarted, "hook") && armed.fires(Point::AttemptStarted, "hook"));
        for text in ["", "nowhere", "asked:x", "asked=explode", "=die"] {
            assert!(Armed::parse(text).is_none(), "{text}");
        }
    }
}
