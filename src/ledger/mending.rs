//! Putting back into the journal what the disk has lost of it and the history still has: at a start, of what is
//! read then; and of all of it when somebody looks.

use crate::ledger::Tip;
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::history::store::block;
use crate::ledger::journal::walk::{Walk, Walked};
use crate::ledger::journal::{repair, segment};
use crate::ledger::refill;
use crate::ledger::running::Ledger;
use crate::ledger::upkeep;
use crate::ledger::verify::{Verified, VerifyError};
use std::ops::ControlFlow;

impl Ledger {
    /// [`Ledger::verify`], and then what is lost is put back, as far as the history has it and the segment is not the
    /// one that is written to. What was found is told all the same. Blocks.
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub fn examine(&self, anchors: &[Tip]) -> Result<Verified, VerifyError> {
        let mut found = self.verify(anchors)?;
        if found.faults.iter().any(|f| matches!(f.kind, FaultKind::DamagedFrame | FaultKind::Gap)) {
            found.put_back = self.upkeep.undisturbed(|| self.mend(&mut found.faults))?;
        }
        Ok(found)
    }

    /// Gives the number of events put back.
    fn mend(&self, faults: &mut Vec<Fault>) -> Result<u64, VerifyError> {
        // The history may still have what is being erased.
        if upkeep::erasing(&self.places).is_some() {
            return Ok(0);
        }
        let sealed = self.journal.sealed()?;
        let mut refill =
            |tip, until| refill::frames(tip, until, &mut |seq| self.history.block_from(seq).ok().flatten());
        let walk = Walk { through: Some(self.durable().seq), refill: Some(&mut refill), ..Walk::default() };
        let mut walked = walk.run(&self.places.journal, &mut |_| ControlFlow::Continue(()))?;
        walked.refilled.retain(|(path, _)| sealed.iter().any(|s| s.segment.path == *path));
        walked.faults.clear();
        put_back(&mut walked);
        faults.append(&mut walked.faults);
        let frames = walked.refilled.iter().flat_map(|(_, bytes)| block::frames(bytes));
        Ok(frames.map(|f| u64::from(f.count)).sum())
    }
}

/// Writes damaged segments anew with what the history gave back.
pub fn put_back(walked: &mut Walked) {
    let mut rest = walked.refilled.as_slice();
    while let Some((path, _)) = rest.first() {
        let count = rest.iter().take_while(|(p, _)| p == path).count();
        let frames: Vec<Vec<u8>> = rest[..count].iter().map(|(_, bytes)| bytes.clone()).collect();
        if let Some(end) = walked.end.as_mut().filter(|end| end.path == *path) {
            // It is another file from here on.
            end.clean = false;
        }
        if let Err(error) = repair::repair(path, &frames) {
            walked.faults.push(Fault {
                kind: FaultKind::DamagedFrame,
                file: segment::shown(path),
                offset: None,
                seq: None,
                words: format!("what the history gave back could not be put back here: {error}"),
            });
        }
        rest = &rest[count..];
    }
}
