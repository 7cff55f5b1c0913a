//! The walk under way: one segment after the other, one frame after the other.

use crate::ledger::codec::{Bad, RawFrame, Tip, next_frame};
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::journal::content::Content;
use crate::ledger::journal::segment;
use crate::ledger::journal::walk::found::{End, Refill, Visit, Walked};
use crate::ledger::journal::walk::listed::{Listed, WalkError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The walk under way.
pub(super) struct Progress<'r, 'v> {
    from: Option<Tip>,
    from_checked: bool,
    through: u64,
    refill: Option<Refill<'r>>,
    visit: Visit<'v>,
    /// What comes next does not follow `tip`, and that is reported already.
    broken: bool,
    out: Walked,
}

/// The segment being read.
struct Place<'a> {
    segment: &'a Listed,
    content: &'a Content,
    /// The last event that counts here; `None` in the last segment.
    limit: Option<u64>,
}

impl<'r, 'v> Progress<'r, 'v> {
    /// Stands at the beginning of the first segment.
    pub fn begin(
        from: Option<Tip>,
        through: Option<u64>,
        refill: Option<Refill<'r>>,
        visit: Visit<'v>,
        first: Option<&Listed>,
        base: Option<Tip>,
    ) -> Progress<'r, 'v> {
        let tip = match first {
            Some(first) => match first.header {
                Ok(header) => header.after,
                Err(_) => Tip { seq: first.after_seq(), ..Tip::default() },
            },
            None => from.unwrap_or_default(),
        };
        let lost = base.filter(|base| base.seq < tip.seq);
        Progress {
            from,
            from_checked: false,
            through: through.unwrap_or(u64::MAX),
            refill,
            visit,
            // The hash before event 1 is known without a header.
            broken: lost.is_none() && tip.seq > 0 && first.is_some_and(|s| s.header.is_err()),
            out: Walked { tip: lost.unwrap_or(tip), ..Walked::default() },
        }
    }

    /// A journal that ends before what the caller begins with lost something, however clean its end is.
    pub fn catch_up_with_from(&mut self) {
        if self.from.is_some_and(|from| self.out.tip.seq < from.seq) {
            self.append_refill();
        }
    }

    pub fn end(self) -> Walked {
        self.out
    }

    /// Reads one segment; `limit` is the last event that counts in it.
    pub fn segment(
        &mut self,
        segment: &Listed,
        limit: Option<u64>,
        previous: Option<&Path>,
    ) -> Result<ControlFlow<()>, WalkError> {
        if self.out.tip.seq >= self.through {
            return Ok(ControlFlow::Break(()));
        }
        if !segment.usable {
            self.unusable(segment, limit);
            return Ok(ControlFlow::Continue(()));
        }
        if self.enter(segment, previous).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let (path, offset) = (segment.path.clone(), segment::HEADER as u64);
        self.out.end = Some(End { path, after: self.out.tip, offset, clean: false });
        let content =
            Content::read(&segment.path).map_err(|source| WalkError::Io { path: segment.path.clone(), source })?;
        if let Some((bytes, problem)) = &content.problem {
            let words = format!("the disk gives back only {bytes} bytes: {problem}");
            self.fault(FaultKind::DamagedFrame, segment, Some(*bytes), None, words);
        }
        // A packed one says itself where it ends; it may have been packed since it was listed.
        let end = content.header.and_then(|header| header.packed).map(|packed| packed.end.seq);
        let limit = [limit, end].into_iter().flatten().min();
        Ok(self.frames(&Place { segment, content: &content, limit }))
    }

    /// A crash while a segment was made leaves a file without a header; elsewhere what it held is a
    /// gap, which the next segment shows.
    fn unusable(&mut self, segment: &Listed, limit: Option<u64>) {
        self.out.end.iter_mut().for_each(|end| end.clean = false);
        if limit.is_some() {
            self.out.void.push(segment.path.clone());
        } else {
            let words = "a segment without header or frames: nothing of it counts".to_owned();
            self.fault(FaultKind::TornTail, segment, Some(0), Some(self.out.tip.seq + 1), words);
            self.append_refill();
        }
    }

    /// Whether the segment begins where the one before ended.
    fn enter(&mut self, segment: &Listed, previous: Option<&Path>) -> ControlFlow<()> {
        let expected = self.out.tip.seq;
        let after_seq = segment.after_seq();
        if after_seq > expected && !self.broken {
            let into = previous.map_or_else(|| self.before(segment), Path::to_owned);
            self.refill(Some(after_seq + 1), Some(&into))?;
            let words = format!("events {} to {after_seq} are missing before this segment", expected + 1);
            self.fault(FaultKind::Gap, segment, None, Some(expected + 1), words);
        }
        match segment.header {
            Ok(header) => {
                if header.after.seq == self.out.tip.seq && header.after.hash != self.out.tip.hash && !self.broken {
                    let words = format!("it follows another event {expected} than the one before it");
                    self.fault(FaultKind::Edited, segment, Some(32), Some(expected), words);
                }
                self.out.tip = header.after;
                self.broken = false;
            }
            Err(_) => {
                let words = "the header is damaged; its frames are read by the file's name".to_owned();
                self.fault(FaultKind::DamagedHeader, segment, Some(0), Some(after_seq + 1), words);
                if after_seq != self.out.tip.seq {
                    self.out.tip.seq = after_seq;
                    self.broken = true;
                }
                if !self.broken {
                    self.out.headless.push((segment.path.clone(), self.out.tip));
                }
            }
        }
        self.check_from(segment, 32);
        ControlFlow::Continue(())
    }

    /// A segment of what is missing before the first one.
    fn before(&mut self, first: &Listed) -> PathBuf {
        let dir = first.path.parent().unwrap_or(Path::new(""));
        let path = segment::path(dir, self.out.tip.seq + 1, 0);
        self.out.headless.push((path.clone(), self.out.tip));
        path
    }

    fn frames(&mut self, place: &Place<'_>) -> ControlFlow<()> {
        let mut at = segment::HEADER;
        loop {
            if self.out.tip.seq >= self.through {
                return ControlFlow::Break(());
            }
            if place.limit.is_some_and(|limit| self.out.tip.seq >= limit) {
                return ControlFlow::Continue(());
            }
            let rest = place.content.bytes.get(at..).unwrap_or_default();
            match RawFrame::read(rest) {
                Ok(frame) if place.limit.is_some_and(|limit| frame.last_seq() > limit) => {
                    return ControlFlow::Continue(());
                }
                Ok(frame) if frame.last_seq() > self.through => return ControlFlow::Break(()),
                Ok(frame) => {
                    self.frame(&frame, place, at)?;
                    at += frame.bytes.len();
                    self.out.end.iter_mut().for_each(|end| end.offset = at as u64);
                }
                Err(_) if rest.iter().all(|b| *b == 0) => {
                    let clean = !self.broken && place.segment.header.is_ok() && place.content.is_plain();
                    self.out.end.iter_mut().for_each(|end| end.clean = clean);
                    return ControlFlow::Continue(());
                }
                Err(why) => match self.bad(place, at, why)? {
                    Some(next) => at = next,
                    None => return ControlFlow::Continue(()),
                },
            }
        }
    }

    fn frame(&mut self, frame: &RawFrame<'_>, place: &Place<'_>, at: usize) -> ControlFlow<()> {
        let (segment, offset) = (place.segment, Some(place.content.in_file(at)));
        let expected = self.out.tip.seq + 1;
        if frame.seq < expected {
            let words = format!("event {} stands where {expected} belongs; it is passed over", frame.seq);
            self.fault(FaultKind::OutOfOrder, segment, offset, Some(frame.seq), words);
            return ControlFlow::Continue(());
        }
        if frame.seq > expected && !self.broken {
            let path = segment.path.clone();
            self.refill(Some(frame.seq), Some(&path))?;
            let words = format!("events {expected} to {} are missing here", frame.seq - 1);
            self.fault(FaultKind::Gap, segment, offset, Some(expected), words);
        }
        let linked = !self.broken && frame.seq == self.out.tip.seq + 1;
        if linked && frame.chained(&self.out.tip.hash) != frame.hash {
            let words = "it is not the frame that was chained here: edited, or from elsewhere".to_owned();
            self.fault(FaultKind::Edited, segment, offset, Some(frame.seq), words);
        }
        self.broken = false;
        self.pass(frame, segment, place.content.in_file(at))
    }

    /// The frame is the next one, whatever is wrong with it.
    fn pass(&mut self, frame: &RawFrame<'_>, segment: &Listed, at: u64) -> ControlFlow<()> {
        self.out.tip = frame.tip();
        self.check_from(segment, at);
        self.show(frame)
    }

    fn show(&mut self, frame: &RawFrame<'_>) -> ControlFlow<()> {
        if self.from.is_some_and(|from| frame.seq <= from.seq) {
            return ControlFlow::Continue(());
        }
        self.out.events += u64::from(frame.count);
        (self.visit)(frame)
    }

    /// Whether what the caller begins with is in the chain.
    fn check_from(&mut self, segment: &Listed, at: u64) {
        let Some(from) = self.from.filter(|from| !self.from_checked && self.out.tip.seq >= from.seq) else { return };
        self.from_checked = true;
        if self.out.tip != from {
            let words = format!("event {} is not the one that the snapshot was made after", from.seq);
            self.fault(FaultKind::ForeignSnapshot, segment, Some(at), Some(from.seq), words);
        }
    }

    /// Bad bytes at `at`: where to go on, or `None` when this segment holds nothing more.
    fn bad(&mut self, place: &Place<'_>, at: usize, why: Bad) -> ControlFlow<(), Option<usize>> {
        let counts = |frame: &RawFrame<'_>| place.limit.is_none_or(|limit| frame.last_seq() <= limit);
        let (bytes, offset) = (&place.content.bytes, Some(place.content.in_file(at)));
        let next = next_frame(bytes, at + 1).filter(|(_, f)| counts(f));
        let was_durable = place.limit.is_some() || group_begins_after(bytes, at + 1);
        let first_lost = self.out.tip.seq + 1;
        if !was_durable {
            let lost = bytes.len() - at;
            let words = format!("{why}; {lost} bytes that were not durable before are cut");
            self.fault(FaultKind::TornTail, place.segment, offset, Some(first_lost), words);
            self.append_refill();
            return ControlFlow::Continue(None);
        }
        let until = next.as_ref().map(|(_, f)| f.seq).or(place.limit.map(|limit| limit + 1));
        let path = place.segment.path.clone();
        self.refill(until, Some(&path))?;
        let refilled = until.is_some_and(|until| self.out.tip.seq + 1 == until);
        let words = format!("{why}; {}", lost_words(first_lost, until, refilled));
        self.fault(FaultKind::DamagedFrame, place.segment, offset, Some(first_lost), words);
        self.broken = self.broken || !refilled;
        ControlFlow::Continue(next.map(|(offset, _)| offset))
    }

    /// Asks for what is missing between `tip` and `until`, and takes what fits the chain.
    fn refill(&mut self, until: Option<u64>, into: Option<&Path>) -> ControlFlow<()> {
        if self.broken {
            return ControlFlow::Continue(());
        }
        let tip = self.out.tip;
        let Some(refill) = &mut self.refill else { return ControlFlow::Continue(()) };
        for bytes in refill(tip, until) {
            let Ok(frame) = RawFrame::read(&bytes) else { break };
            let fits = frame.seq == self.out.tip.seq + 1
                && until.is_none_or(|until| frame.last_seq() < until)
                && frame.chained(&self.out.tip.hash) == frame.hash;
            if !fits {
                break;
            }
            self.out.tip = frame.tip();
            self.show(&frame)?;
            match into {
                Some(path) => self.out.refilled.push((path.to_owned(), bytes)),
                None => self.out.appended.get_or_insert((tip, Vec::new())).1.extend_from_slice(&bytes),
            }
        }
        ControlFlow::Continue(())
    }

    /// After the journal's end; the caller writes these anew.
    fn append_refill(&mut self) {
        // A visitor that had enough has had enough: the end is here anyway.
        let _ = self.refill(None, None);
    }

    fn fault(&mut self, kind: FaultKind, segment: &Listed, offset: Option<u64>, seq: Option<u64>, words: String) {
        self.out.faults.push(Fault { kind, file: segment.shown(), offset, seq, words });
    }
}

/// Whether a later frame proves that everything up to it had been durable.
fn group_begins_after(bytes: &[u8], from: usize) -> bool {
    let mut at = from;
    while let Some((offset, frame)) = next_frame(bytes, at) {
        if frame.first_of_group() {
            return true;
        }
        at = offset + frame.bytes.len();
    }
    false
}

fn lost_words(first: u64, until: Option<u64>, refilled: bool) -> String {
    match until {
        Some(until) if refilled => format!("events {first} to {} were taken from the history", until - 1),
        Some(until) => format!("events {first} to {} are lost here", until - 1),
        None => format!("what follows event {} is lost here", first - 1),
    }
}
