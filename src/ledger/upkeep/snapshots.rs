//! The next snapshot, folded from the one before and the frames after it, while the engine goes on.

use crate::ledger::codec::Tip;
use crate::ledger::fold::{self, Fold, MakeFold};
use crate::ledger::journal::walk::Walk;
use crate::ledger::places::Places;
use crate::ledger::snapshot;
use std::ops::ControlFlow;

/// A state and the frame it is after.
pub struct Folded {
    pub fold: Box<dyn Fold>,
    pub tip: Tip,
}

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum Unfolded {
    /// The files are bad, or a fold panics: it will not be better the next time.
    #[error("{0}")]
    Damaged(String),
    /// A file could not be opened or written now.
    #[error("{0}")]
    Passing(String),
}

/// The newest state that can be folded, up to event `through`; `stop` is asked now and then whether
/// to give it up.
///
/// # Errors
/// See [`Unfolded`].
pub fn fold_through(
    places: &Places,
    make: &MakeFold,
    through: u64,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Folded>, Unfolded> {
    let mut below = through.saturating_add(1);
    let (mut fold, from) = loop {
        let found = snapshot::load_newest(&places.snapshots, Some(below), &mut Vec::new());
        match found.map_err(|e| Unfolded::Passing(e.to_string()))? {
            None => break (fold::begin(make, None).map_err(Unfolded::Damaged)?, None),
            Some(found) => match fold::begin(make, Some(&found)) {
                Ok(fold) => break (fold, Some(found.tip)),
                Err(_) => below = found.tip.seq,
            },
        }
    };
    let mut failed = None;
    let walk = Walk { from, through: Some(through), ..Walk::default() };
    let walked = walk.run(&places.journal, &mut |frame| {
        if stop() {
            return ControlFlow::Break(());
        }
        match fold::add(fold.as_mut(), frame) {
            Ok(()) => ControlFlow::Continue(()),
            Err(words) => {
                failed = Some(words);
                ControlFlow::Break(())
            }
        }
    });
    let walked = walked.map_err(|e| Unfolded::Passing(e.to_string()))?;
    match failed.or_else(|| walked.faults.first().map(ToString::to_string)) {
        // A state that lacks events would take the place of one that has them.
        Some(words) => Err(Unfolded::Damaged(words)),
        None if stop() => Ok(None),
        None => Ok(Some(Folded { fold, tip: walked.tip })),
    }
}

/// Keeps it as the newest snapshot; gives the length of its body.
///
/// # Errors
/// See [`Unfolded`].
pub fn save(places: &Places, folded: &mut Folded) -> Result<u64, Unfolded> {
    snapshot::save_from(&places.snapshots, folded.tip, &mut |out| folded.fold.write(out))
        .map_err(|e| Unfolded::Passing(format!("it cannot be written: {e}")))
}
