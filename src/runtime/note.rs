//! One message in a lane, and which of those that lie there together are one question.

use super::handle::is_intake;
use crate::engine::{Answer, Ask, Caller};
use tokio::sync::oneshot;

pub(super) type Reply = oneshot::Sender<Answer>;

/// Outcomes, or alerts, that one turn takes at the most: whoever acknowledges waits for it.
pub(super) const AT_ONCE: usize = 64;

pub(super) struct Note {
    pub by: Caller,
    pub ask: Ask,
    /// Whoever waits for the answer; several when several asked the same way.
    pub replies: Vec<Reply>,
}

impl Note {
    pub fn is_intake(&self) -> bool {
        is_intake(&self.ask)
    }

    /// Whether the next one can be decided with this one: outcomes of attempts, and what one caller
    /// reports of alerts.
    fn goes_with(&self, next: &Note) -> bool {
        match (&self.ask, &next.ask) {
            (Ask::Finished(some), Ask::Finished(more)) => some.len() + more.len() <= AT_ONCE,
            (Ask::Report(some), Ask::Report(more)) => {
                self.by == next.by && some.alerts.len() + more.alerts.len() <= AT_ONCE
            }
            _ => false,
        }
    }

    fn take_in(&mut self, next: Note) {
        match (&mut self.ask, next.ask) {
            (Ask::Finished(some), Ask::Finished(mut more)) => some.append(&mut more),
            (Ask::Report(some), Ask::Report(mut more)) => {
                some.alerts.append(&mut more.alerts);
                some.urgent |= more.urgent;
            }
            // Nothing else goes together.
            _ => return,
        }
        self.replies.extend(next.replies);
    }
}

/// In their order, with those made one that stand side by side and can be. `room`: all alerts that
/// are reported will be taken, so that one answer is right for all who report.
pub(super) fn joined(notes: Vec<Note>, room: bool) -> impl Iterator<Item = Note> {
    let mut notes = notes.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut note = notes.next()?;
        while let Some(next) = notes.next_if(|next| note.goes_with(next) && (room || !next.is_intake())) {
            note.take_in(next);
        }
        Some(note)
    })
}
