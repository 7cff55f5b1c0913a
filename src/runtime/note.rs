//! One message in a lane, and which of those that lie there together are one question.

use crate::engine::{Answer, Ask, Caller};
use tokio::sync::oneshot;

pub(super) type Reply = oneshot::Sender<Answer>;

/// Outcomes, or alerts, that one turn takes at the most: whoever acknowledges waits for it, and so
/// does all else that could be sent and answered meanwhile. A few share a frame and a sync as well.
pub(super) const AT_ONCE: usize = 16;

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

/// Alerts that are reported in all of them.
pub(super) fn alerts(notes: &[Note]) -> usize {
    let count = |note: &Note| if let Ask::Report(reports) = &note.ask { reports.alerts.len() } else { 0 };
    notes.iter().map(count).sum()
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

/// New work, as against steering what is there.
pub(super) fn is_intake(ask: &Ask) -> bool {
    matches!(ask, Ask::Send(_) | Ask::Open(_) | Ask::Report(_) | Ask::Test { .. } | Ask::PushFomo { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::AttemptResult;
    use crate::domain::id::DeliveryId;
    use crate::engine::{AlertReport, Outcome, Reports};
    use ulid::Ulid;

    fn note(by: &str, ask: Ask) -> Note {
        Note { by: Caller { name: by.to_owned(), ..Caller::engine() }, ask, replies: Vec::new() }
    }

    fn outcome(n: u32) -> Note {
        let result = AttemptResult::Delivered { provider_id: None, detail: String::new() };
        note("engine", Ask::Finished(vec![Outcome { delivery: DeliveryId(Ulid(1)), n, result }]))
    }

    fn report(by: &str, count: u64) -> Note {
        let alert = |fingerprint| AlertReport {
            fingerprint,
            labels: Default::default(),
            annotations: Default::default(),
            starts_at: None,
            ends_at: None,
            generator_url: String::new(),
        };
        note(by, Ask::Report(Reports { alerts: (0..count).map(alert).collect(), urgent: count == 3 }))
    }

    fn sizes(notes: Vec<Note>, room: bool) -> Vec<usize> {
        let size = |note: Note| match note.ask {
            Ask::Finished(outcomes) => outcomes.len(),
            Ask::Report(reports) => reports.alerts.len(),
            _ => 0,
        };
        joined(notes, room).map(size).collect()
    }

    #[test]
    fn outcomes_are_one_question_in_their_order_and_not_too_many() {
        let all: Vec<Note> = joined((0..100).map(outcome).collect(), false).collect();
        let Ask::Finished(first) = &all[0].ask else { panic!("no outcomes") };
        assert!(first.iter().map(|o| o.n).eq(0..16));
        assert_eq!(all.len(), 7);
        let between = note("engine", Ask::Wake);
        assert_eq!(sizes(vec![outcome(1), outcome(2), between, outcome(3)], false), [2, 0, 1]);
    }

    #[test]
    fn reports_of_one_caller_are_one_while_there_is_room_for_all() {
        let all = || vec![report("a", 2), report("a", 3), report("b", 1), report("b", 16), report("b", 1)];
        assert_eq!(sizes(all(), true), [5, 1, 16, 1]);
        assert_eq!(sizes(all(), false), [2, 3, 1, 16, 1]);
        let first = joined(all(), true).next().map(|note| note.ask);
        assert!(matches!(first, Some(Ask::Report(Reports { urgent: true, .. }))), "one of them is urgent");
    }
}
