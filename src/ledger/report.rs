//! What the ledger's threads tell, unasked.

use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use crate::ledger::retention::Erased;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// Everything up to here is on the disk.
    Durable(Tip),
    /// A segment failed and is left; a new one took the frames. Nothing is late; `gone`: somebody deleted, moved or
    /// replaced it, so that what it has is not found any more.
    Replaced { words: String, gone: bool },
    /// Frames cannot be made durable; they wait in memory, a try every second. Emergency mode.
    Trouble { words: String },
    /// They could be written again.
    Well,
    /// A flush took over two seconds.
    Slow { took: Span },
    /// Something is wrong with the files of the journal or the snapshots. Alarms go on.
    Files { words: String },
    /// It is time for a snapshot: [`Ledger::keep`](crate::ledger::Ledger::keep) takes the state as it is now.
    StateWanted,
    /// Texts were removed; to be recorded, and then [`Ledger::recorded`](crate::ledger::Ledger::recorded).
    Erased(Erased),
    /// The journal begins after this event now; to be recorded.
    Forgotten { to_seq: u64, because: String },
    /// The history cannot be used, or (`well`) it can again. Alarms do not need it.
    History { words: String, well: bool },
}

/// Called from the ledger's threads; must return quickly.
pub type Reporter = Arc<dyn Fn(Report) + Send + Sync>;
