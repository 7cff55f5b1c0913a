#![allow(clippy::unwrap_used, clippy::expect_used)]

mod asking;
mod trailing;

use super::*;
use crate::domain::clock::SystemClock;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Frame, Origin, Payload};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::ledger::codec::encode;
use crate::ledger::extract::{Count, Document, Extract, Extractor};
use crate::ledger::testing::*;
use std::path::Path;

/// What happens around one incident; `n` numbers it. Seven events in three frames.
pub fn story(n: u64, seq: u64) -> Vec<Frame> {
    let (incident, notification, delivery) = ids(n);
    let opened = EventKind::IncidentOpened {
        id: incident,
        number: n,
        fingerprint: format!("f{n}"),
        level: Level::High,
        kind_of: "test".into(),
        labels: Default::default(),
        opened_by: "tester".into(),
        base: Default::default(),
        policy: None,
        rounds: 0,
        channels: None,
        to: None,
        about: None,
        silenced_by: None,
        once: false,
        tenant: None,
        next: None,
    };
    let accepted = EventKind::NotificationAccepted {
        request: None,
        id: notification,
        origin: Origin::Opening { incident },
        level: Level::High,
        kind_of: "test".into(),
        labels: Default::default(),
        correlation_id: None,
        tenant: None,
        initiator: "tester".into(),
        idempotency: None,
        expires: Default::default(),
        not_before: None,
        heartbeat: None,
        silenced_by: None,
        template: None,
    };
    let created = EventKind::DeliveryCreated {
        id: delivery,
        notification,
        incident: Some(incident),
        chain: vec!["sms".into()],
        start: 0,
        medium: None,
        who: None,
        on_call: false,
        forced: false,
        rank: 0,
        status: Status::Ready,
        reason: None,
    };
    let started = EventKind::AttemptStarted {
        delivery,
        n: 1,
        channel: "sms".into(),
        medium: None,
        format: None,
        possibly_duplicate: false,
        thread: None,
        nonce: None,
        files: None,
    };
    let ended = EventKind::DeliveryEnded { id: delivery, status: Status::Sent, reason: None };
    let beat = |k| EventKind::HeartbeatPinged { name: format!("beat {n}.{k}"), ok: true }.bare();
    let text = Payload { subject: format!("subject {n}"), ..Payload::default() };
    let frame = |seq, events| Frame { seq, at: at(seq), by: "tester".into(), recorded_late: false, events };
    vec![
        frame(seq, vec![opened.with(text), accepted.bare(), created.bare(), started.bare()]),
        frame(seq + 4, vec![beat(1)]),
        frame(seq + 5, vec![ended.bare(), beat(2)]),
    ]
}

pub fn ids(n: u64) -> (IncidentId, NotificationId, DeliveryId) {
    let id = |k: u64| Ulid::from_parts(1_700_000_000_000 + n, u128::from(n * 10 + k));
    (IncidentId(id(1)), NotificationId(id(2)), DeliveryId(id(3)))
}

/// As the engine would: a notification's document and a count when its delivery ends.
#[derive(Default)]
pub struct Folding {
    notification: Option<NotificationId>,
    seen: u64,
}

impl Extractor for Folding {
    fn extract(&mut self, frame: &Frame) -> Extract {
        let mut out = Extract::default();
        for event in &frame.events {
            self.seen += 1;
            match &event.head {
                EventKind::NotificationAccepted { id, .. } => self.notification = Some(*id),
                EventKind::DeliveryEnded { id, .. } => {
                    let notification = self.notification.unwrap();
                    let json = format!(r#"{{"id":"{notification}","after":{}}}"#, self.seen);
                    let kind = DocumentKind::Notification;
                    out.documents.push(Document {
                        kind,
                        id: notification.0,
                        number: None,
                        parts: vec![id.0],
                        json: json.into(),
                    });
                    out.counts.push(Count {
                        at: frame.at,
                        channel: "sms".into(),
                        status: "sent".into(),
                        n: 1,
                        took: Some(Span::secs(2)),
                        cost: None,
                    });
                }
                _ => {}
            }
        }
        out
    }
}

/// A state directory whose journal grows on demand.
pub struct Ledger {
    pub state: tempfile::TempDir,
    pub tip: Tip,
    frames: Vec<Vec<u8>>,
    folding: Folding,
    stories: u64,
    pub ear: Ear,
}

impl Ledger {
    pub fn new() -> Ledger {
        Ledger {
            state: tempfile::tempdir().unwrap(),
            tip: Tip::default(),
            frames: Vec::new(),
            folding: Folding::default(),
            stories: 0,
            ear: Ear::default(),
        }
    }

    /// Adds the next stories to the journal and gives them as durable groups, one a frame.
    pub fn write(&mut self, stories: u64) -> Vec<Group> {
        let mut groups = Vec::new();
        for _ in 0..stories {
            for frame in story(self.stories, self.tip.seq + 1) {
                let mut bytes = Vec::new();
                let hash = encode(&mut bytes, &frame, &self.tip.hash, &SEED, true).unwrap();
                self.tip = Tip { seq: frame.seq + frame.events.len() as u64 - 1, hash };
                let extract = self.folding.extract(&frame);
                self.frames.push(bytes.clone());
                groups.push(Group {
                    bytes,
                    first: frame.seq,
                    tip: self.tip,
                    extracts: vec![(self.tip.seq, extract)],
                    blobs: Vec::new(),
                });
            }
            self.stories += 1;
        }
        write_segment(&self.path("journal"), Tip::default(), 0, &self.frames);
        groups
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.state.path().join(name)
    }

    pub fn start(&self, groups: Vec<Group>) -> History {
        let start = Start {
            dir: self.path("history"),
            journal: self.path("journal"),
            snapshots: self.path("snapshots"),
            clock: Arc::new(SystemClock),
            extractor: Arc::new(|_| Ok(Box::new(Folding::default()))),
            report: self.ear.reporter(),
        };
        History::start(start, self.tip, groups).unwrap()
    }
}

/// Waits, up to half a minute.
pub fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..6000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

pub fn applied(history: &History, seq: u64) {
    until("applied", || history.phase() == Phase::Ready && history.applied_seq() >= seq);
}

/// Every entry, in order, page by page.
pub async fn everything(history: &History, query: EntryQuery) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut query = query;
    loop {
        let page = history.entries(query.clone()).await.unwrap();
        out.extend(page.entries);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return out,
        }
    }
}

pub fn numbers(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|e| e.seq).collect()
}

pub fn damaged_dirs(state: &Path) -> usize {
    let names = std::fs::read_dir(state).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|n| n.starts_with("history.damaged-")).count()
}
