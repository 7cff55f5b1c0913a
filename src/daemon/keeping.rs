//! What the ledger's upkeep needs of the engine and the config: that removals and the chain's place are
//! recorded, and how long what is kept.

use crate::domain::clock;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Ask, Caller};
use crate::ledger::{Ledger, Report};
use crate::runtime::Handle;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The place in the chain is recorded and logged this often.
const CHECKPOINT: Span = Span::days(1);
/// And for the first time this long after the first start.
const FIRST_CHECKPOINT: Span = Span::hours(1);

/// Records what the ledger removes. What is not recorded when the daemon ends is removed, and told,
/// once more.
pub async fn record_removals(handle: Handle, ledger: Arc<Ledger>, mut removals: mpsc::UnboundedReceiver<Report>) {
    if let Some(to_seq) = ledger.forgotten() {
        handle.tell(Caller::engine(), Ask::Forgotten { to_seq, because: "the journal begins there".to_owned() });
    }
    while let Some(report) = removals.recv().await {
        match report {
            Report::Erased(erased) => {
                let ask = Ask::Erased {
                    from_seq: erased.from_seq,
                    to_seq: erased.to_seq,
                    because: erased.because,
                    ids: erased.found.ids.into_iter().collect(),
                };
                if handle.ask(Caller::engine(), ask).await.is_ok()
                    && let Err(error) = ledger.recorded()
                {
                    tracing::warn!(%error, "texts were erased, and will be said to be once more at the next start");
                }
            }
            Report::Forgotten { to_seq, because } => handle.tell(Caller::engine(), Ask::Forgotten { to_seq, because }),
            _ => {}
        }
    }
}

/// Records once a day where the chain is; the log has it as well, for `verify --against`.
/// `last` is when that was done last.
pub async fn checkpoints(handle: Handle, ledger: Arc<Ledger>, last: Option<Timestamp>) -> Result<(), String> {
    let mut pause = match last {
        Some(last) => (last + CHECKPOINT - clock::wall()).max(Span::mins(1)).min(CHECKPOINT),
        None => FIRST_CHECKPOINT,
    };
    loop {
        tokio::time::sleep(pause.to_std()).await;
        let tip = ledger.durable();
        handle.tell(Caller::engine(), Ask::Checkpoint { seq: tip.seq, hash: tip.hash.to_string() });
        pause = CHECKPOINT;
    }
}

/// Tells the ledger how long what is kept, now and after each reload.
pub async fn retain(handle: Handle, ledger: Arc<Ledger>) -> Result<(), String> {
    let mut configs = handle.config_changes();
    loop {
        let retention = configs.borrow_and_update().retention;
        ledger.retain(retention);
        if configs.changed().await.is_err() {
            return Ok(());
        }
    }
}
