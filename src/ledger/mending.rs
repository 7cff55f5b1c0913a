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
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

impl Ledger {
    /// [`Ledger::verify`], and then what is lost is put back, as far as the history has it and the segment is not the
    /// one that is written to. What was found is told all the same. Blocks.
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub fn examine(&self, anchors: &[Tip]) -> Result<Verified, VerifyError> {
        let mut found = self.verify(anchors)?;
        let lost = |f: &Fault| matches!(f.kind, FaultKind::DamagedFrame | FaultKind::DamagedHeader | FaultKind::Gap);
        if found.faults.iter().any(lost) {
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
        let writing = segment::list(&self.places.journal)?.pop().map(|last| last.path);
        let sealed = self.journal.sealed()?;
        let mut refill =
            |tip, until| refill::frames(tip, until, &mut |seq| self.history.block_from(seq).ok().flatten());
        let walk = Walk { through: Some(self.durable().seq), refill: Some(&mut refill), ..Walk::default() };
        let mut walked = walk.run(&self.places.journal, &mut |_| ControlFlow::Continue(()))?;
        // What has no header is not among the sealed, but another segment follows it.
        walked.headless.retain(|(path, _)| writing.as_ref() != Some(path));
        let headless = |path: &Path| walked.headless.iter().any(|(p, _)| p == path);
        walked.refilled.retain(|(path, _)| headless(path) || sealed.iter().any(|s| s.segment.path == *path));
        walked.faults.clear();
        put_back(&mut walked);
        faults.append(&mut walked.faults);
        let frames = walked.refilled.iter().flat_map(|(_, bytes)| block::frames(bytes));
        Ok(frames.map(|f| u64::from(f.count)).sum())
    }
}

/// Writes damaged segments anew, with what the history gave back and with headers that are known all the same.
pub fn put_back(walked: &mut Walked) {
    let mut harmed: BTreeMap<PathBuf, (Vec<Vec<u8>>, Option<Tip>)> = BTreeMap::new();
    for (path, bytes) in &walked.refilled {
        harmed.entry(path.clone()).or_default().0.push(bytes.clone());
    }
    for (path, after) in &walked.headless {
        harmed.entry(path.clone()).or_default().1 = Some(*after);
    }
    for (path, (frames, after)) in harmed {
        if let Some(end) = walked.end.as_mut().filter(|end| end.path == path) {
            // It is another file from here on.
            end.clean = false;
        }
        if let Err(error) = repair::repair(&path, &frames, after) {
            walked.faults.push(Fault {
                kind: FaultKind::DamagedFrame,
                file: segment::shown(&path),
                offset: None,
                seq: None,
                words: format!("what was lost could not be put back here: {error}"),
            });
        }
    }
}
