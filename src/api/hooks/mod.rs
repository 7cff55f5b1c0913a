//! Events carried to other programs: each receiver of `[hooks.NAME]` gets what it wants in order, one request
//! at a time, again and again until it has it.
//!
//! Each has a carrier of its own, so none waits for another. A carrier reads the stream of events as any other
//! reader does, from where its receiver is; how far that is the engine records now and then. So nothing is
//! kept in memory for a receiver that is down: later it gets what the history has.

mod carrier;

use super::Api;
use crate::domain::event::HookMoved;
use crate::engine::{Ask, Caller};
use carrier::Carrier;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};

/// Of each receiver what is not yet recorded.
pub(super) type Carried = Mutex<BTreeMap<String, HookMoved>>;

/// For all of it, when the daemon stops.
const RECORDING: Duration = Duration::from_secs(1);
/// Before one that ended by itself is started again.
const AGAIN: Duration = Duration::from_secs(1);

impl Api {
    /// Records how far each receiver has come, so that nothing comes to it twice after an orderly stop. While
    /// the engine still takes requests.
    pub async fn record_carried(&self) {
        let all = std::mem::take(&mut *self.carried.lock().unwrap_or_else(PoisonError::into_inner));
        let record = async {
            for moved in all.into_values() {
                let _ = self.handle.ask(Caller::engine(), Ask::HookMoved(moved)).await;
            }
        };
        // Not to be heard is no loss: it is sent again after the start.
        let _ = tokio::time::timeout(RECORDING, record).await;
    }

    /// Keeps a carrier for each receiver of the config in force; never ends.
    pub async fn carry_events(self: Arc<Self>) -> Result<(), String> {
        let mut configs = self.handle.config_changes();
        let mut carriers = JoinSet::new();
        let mut running: BTreeMap<String, (Option<String>, AbortHandle)> = BTreeMap::new();
        loop {
            let config = configs.borrow_and_update().clone();
            let values = |name: &str| config.source.entries.get(&format!("hooks.{name}")).cloned();
            running.retain(|name, (begun, task)| {
                let stays = config.hooks.contains_key(name) && *begun == values(name) && !task.is_finished();
                if !stays {
                    task.abort();
                }
                stays
            });
            for (name, hook) in &config.hooks {
                if !running.contains_key(name) {
                    let carrier = Carrier::new(self.clone(), name.clone(), hook.clone());
                    running.insert(name.clone(), (values(name), carriers.spawn(carrier.run())));
                }
            }
            tokio::select! {
                changed = configs.changed() => changed.map_err(|_| "the engine has ended".to_owned())?,
                Some(_) = carriers.join_next() => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}
