//! Where a delivery stands in what is derived: which lists it is in, and as what it is counted.
//!
//! A delivery that changes leaves the lists that it is no longer in and joins those that it is in now;
//! in the others nothing is touched.

use super::entity::Delivery;
use super::index::{Index, QueueKey, Sets, Timer};
use crate::domain::delivery::Status;
use crate::domain::id::DeliveryId;
use crate::domain::time::EngineTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The list of its channel that it is in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    None,
    InFlight,
    /// Ready, or waiting for the channel without a time of its own.
    Queue(QueueKey),
    /// It has a time of its own at which it tries again.
    Resting,
}

/// Where it stands, for as long as it does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// When it wants to be looked at.
    due: Option<EngineTime>,
    bytes: u64,
    /// It ended dead, and nobody has given it up: with so many bytes.
    dead: Option<u64>,
    suspect: bool,
    /// The way of its chain that it takes, and as what; `None` when it has ended.
    at: Option<(usize, Status)>,
    line: Line,
}

impl Standing {
    /// Of what is not there.
    const NOWHERE: Standing = Standing { due: None, bytes: 0, dead: None, suspect: false, at: None, line: Line::None };

    pub fn of(d: &Delivery) -> Standing {
        let ended = d.status.is_end();
        Standing {
            due: due(d),
            bytes: d.text_bytes(),
            dead: (d.status == Status::Dead && !d.dropped).then_some(d.weight),
            suspect: !ended && d.is_suspect(),
            at: (!ended).then_some((d.at, d.status)),
            line: line(d),
        }
    }

    fn is(&self, status: Status) -> bool {
        self.at.is_some_and(|(_, is)| is == status)
    }
}

fn due(d: &Delivery) -> Option<EngineTime> {
    match d.status {
        Status::Scheduled | Status::Submitted | Status::Backoff | Status::Waiting | Status::Unknown => {
            Some(d.until.map_or(d.expires, |u| u.min(d.expires)))
        }
        Status::Ready => Some(d.expires),
        _ => None,
    }
}

fn line(d: &Delivery) -> Line {
    match d.status {
        Status::Sending => Line::InFlight,
        Status::Ready => Line::Queue(queue_key(d)),
        Status::Waiting if d.until.is_none() => Line::Queue(queue_key(d)),
        Status::Backoff | Status::Waiting if d.until.is_some() => Line::Resting,
        _ => Line::None,
    }
}

fn queue_key(d: &Delivery) -> QueueKey {
    QueueKey { suspect: d.is_suspect(), level: Reverse(d.level), order: d.order, rank: d.rank, id: d.id }
}

impl Index {
    pub fn add_delivery(&mut self, d: &Delivery) {
        self.delivery_changed(d, Standing::NOWHERE);
    }

    /// From every list; to be added again with another chain.
    pub(super) fn remove_delivery(&mut self, d: &Delivery) {
        self.moved(d, Standing::of(d), Standing::NOWHERE);
    }

    /// One that was added, and stood there before. Its id, incident and chain are the same.
    pub(super) fn delivery_changed(&mut self, d: &Delivery, was: Standing) {
        self.moved(d, was, Standing::of(d));
    }

    fn moved(&mut self, d: &Delivery, was: Standing, is: Standing) {
        self.text_bytes = self.text_bytes + is.bytes - was.bytes;
        if is.due != was.due {
            was.due.map(|due| self.timers.remove(&(due, Timer::Delivery(d.id))));
            is.due.map(|due| self.timers.insert((due, Timer::Delivery(d.id))));
        }
        if is.dead != was.dead {
            self.dead_changed(d, was.dead, is.dead);
        }
        if is.at.is_some() != was.at.is_some() {
            self.pending_changed(d, is.at.is_some());
        }
        if is.suspect != was.suspect {
            put(&mut self.suspects, d.id, is.suspect);
        }
        if is.is(Status::Scheduled) != was.is(Status::Scheduled) {
            put(&mut self.scheduled, d.id, is.is(Status::Scheduled));
        }
        if is.is(Status::Waiting) != was.is(Status::Waiting) {
            d.chain.iter().for_each(|way| put_under(&mut self.hoping, way, d.id, is.is(Status::Waiting)));
        }
        self.way_changed(d, was, is);
    }

    /// What is counted and listed by channel.
    fn way_changed(&mut self, d: &Delivery, was: Standing, is: Standing) {
        let way = |at: usize| d.chain.get(at).map_or("", String::as_str);
        if was.at == is.at && was.line == is.line {
            return;
        }
        if let Some((at, status)) = was.at {
            self.uncount(way(at), status);
            self.put_in_line(was.line, way(at), d.id, false);
        }
        if let Some((at, status)) = is.at {
            self.count(way(at), status);
            self.put_in_line(is.line, way(at), d.id, true);
        }
    }

    fn put_in_line(&mut self, line: Line, way: &str, id: DeliveryId, is: bool) {
        match line {
            Line::None => {}
            Line::InFlight => put_under(&mut self.in_flight, way, id, is),
            Line::Queue(key) => put_under(&mut self.queues, way, key, is),
            Line::Resting => put_under(&mut self.resting, way, id, is),
        }
    }

    fn pending_changed(&mut self, d: &Delivery, is: bool) {
        put(&mut self.pending, d.id, is);
        if let Some(incident) = d.incident {
            put(&mut self.pending_by_incident, (incident, d.id), is);
        }
    }

    fn dead_changed(&mut self, d: &Delivery, was: Option<u64>, is: Option<u64>) {
        self.dead_bytes = self.dead_bytes + is.unwrap_or(0) - was.unwrap_or(0);
        put(&mut self.dead, d.id, is.is_some());
        if let Some(incident) = d.incident {
            put(&mut self.dead_by_incident, (incident, d.id), is.is_some());
        }
    }

    fn count(&mut self, channel: &str, status: Status) {
        if !self.counts.contains_key(channel) {
            self.counts.insert(channel.to_owned(), BTreeMap::new());
        }
        if let Some(of_channel) = self.counts.get_mut(channel) {
            *of_channel.entry(status).or_default() += 1;
        }
    }

    fn uncount(&mut self, channel: &str, status: Status) {
        let Some(of_channel) = self.counts.get_mut(channel) else { return };
        match of_channel.get_mut(&status) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(of_channel.remove(&status)),
        }
        if of_channel.is_empty() {
            self.counts.remove(channel);
        }
    }
}

fn put<V: Ord>(set: &mut BTreeSet<V>, value: V, is: bool) {
    if is {
        set.insert(value);
    } else {
        set.remove(&value);
    }
}

fn put_under<V: Ord>(sets: &mut Sets<String, V>, name: &str, value: V, is: bool) {
    match sets.get_mut(name) {
        Some(set) => {
            put(set, value, is);
            if set.is_empty() {
                sets.remove(name);
            }
        }
        None if is => drop(sets.insert(name.to_owned(), BTreeSet::from([value]))),
        None => {}
    }
}
