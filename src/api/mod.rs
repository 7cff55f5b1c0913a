//! The door: one HTTP API on the control socket, and on TCP what monitoring wants.
//!
//! It asks the engine through [`Handle`] and the past through [`History`]; it decides nothing. Who calls
//! is known by the uid of the connection, what they may do by one table (`routes`), and every answer
//! that is no success is one error document (`fault`). What is sent and what comes back is in docs/api.md.

mod access;
mod body;
mod control;
mod denials;
mod entry;
mod events;
mod export;
mod fault;
mod guard;
mod health;
mod heartbeats;
pub mod history;
mod incidents;
mod intake;
mod ledger;
mod lists;
mod lore;
pub mod metrics;
mod numbers;
mod outcomes;
mod params;
mod past;
mod patience;
mod routes;
mod serve;
mod socket;
mod status;
#[cfg(test)]
mod tests;
mod wait;

pub use access::{Own, Peer};
pub use history::History;
pub use metrics::Metrics;
pub use serve::{serve_socket, serve_tcp};
pub use socket::{ControlSocket, SocketError, bind_socket};

use crate::engine::{Answer, Ask, Caller, Read};
use crate::runtime::Handle;
use denials::Denials;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Turns true when the daemon stops: no new connection is taken, streams end, requests under way are
/// answered.
pub type Stop = watch::Receiver<bool>;

/// Reads the config again.
pub trait Reloader: Send + Sync {
    /// `{ok, errors, warnings, changed}`; a refused config changes nothing.
    fn reload(&self, by: Caller) -> BoxFuture<'_, Value>;
}

/// What every request needs.
pub struct Api {
    pub(crate) handle: Handle,
    pub(crate) history: Arc<dyn History>,
    pub(crate) reloader: Arc<dyn Reloader>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) own: Own,
    pub(crate) stop: Stop,
    denials: Denials,
    /// Whole readings of the ledger (verify, export) at a time.
    heavy: Arc<Semaphore>,
}

impl Api {
    pub fn new(
        handle: Handle,
        history: Arc<dyn History>,
        reloader: Arc<dyn Reloader>,
        metrics: Arc<Metrics>,
        own: Own,
        stop: Stop,
    ) -> Arc<Api> {
        let (denials, heavy) = (Denials::default(), Arc::new(Semaphore::new(2)));
        Arc::new(Api { handle, history, reloader, metrics, own, stop, denials, heavy })
    }

    async fn read(&self, by: &Caller, read: Read) -> Answer {
        self.handle.ask(by.clone(), Ask::Read(read)).await
    }
}

/// Ends when the daemon stops.
async fn stopped(mut stop: Stop) {
    // A sender that is gone is a daemon that is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
