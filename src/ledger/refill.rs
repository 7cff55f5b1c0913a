//! Taking back from the history what the journal lost. Only when something is missing.

use crate::ledger::codec::Tip;
use crate::ledger::history::store::{Store, StoreError, block};
use crate::ledger::history::view::block_from;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// A history that takes longer to answer is left alone: alarms matter more.
const PATIENCE: Duration = Duration::from_secs(10);

/// The history's frames after `tip` and before event `until`; none when it cannot be read. Whether
/// they belong into the chain is for the caller to check.
pub fn fetch(history: &Path, tip: Tip, until: Option<u64>) -> Vec<Vec<u8>> {
    if !history.exists() {
        return Vec::new();
    }
    let dir = history.to_owned();
    let (reply, answer) = mpsc::sync_channel(1);
    let fetching = move || drop(reply.send(read(&dir, tip, until)));
    if std::thread::Builder::new().name("refill".to_owned()).spawn(fetching).is_err() {
        return Vec::new();
    }
    answer.recv_timeout(PATIENCE).ok().and_then(Result::ok).unwrap_or_default()
}

fn read(dir: &Path, tip: Tip, until: Option<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
    let store = Store::open(dir)?;
    // What could be read before an error is worth having.
    let found = frames(tip, until, &mut |seq| block_from(&store, seq).ok().flatten());
    store.close();
    Ok(found)
}

/// The same of a history that gives the block with an event or the first after it.
pub fn frames(tip: Tip, until: Option<u64>, blocks: &mut dyn FnMut(u64) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut next = tip.seq + 1;
    while let Some(bytes) = blocks(next) {
        let before = next;
        for frame in block::frames(&bytes).filter(|f| f.seq >= next && until.is_none_or(|u| f.last_seq() < u)) {
            found.push(frame.bytes.to_vec());
        }
        next = block::frames(&bytes).last().map_or(next, |f| f.last_seq() + 1);
        if next == before || until.is_some_and(|until| next >= until) {
            break;
        }
    }
    found
}
