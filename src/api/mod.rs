//! The door: one HTTP API on the control socket, and on TCP what monitoring wants.
//!
//! It asks the engine through [`Handle`] and the past through [`History`]; it decides nothing. Who calls
//! is known by the uid of the connection, what they may do by one table (`routes`), and every answer
//! that is no success is one error document (`fault`). What is sent and what comes back is in docs/api.md.

mod access;
mod alerts;
mod attachments;
mod body;
mod callbacks;
mod control;
mod costs;
mod denials;
mod entry;
mod erase;
mod events;
mod export;
mod fault;
mod guard;
mod health;
mod heartbeats;
pub mod history;
mod hooks;
mod incidents;
mod intake;
mod ledger;
mod link;
mod lists;
mod metrics;
mod numbers;
mod params;
mod past;
mod paths;
mod patience;
mod plain;
mod record;
mod requests;
mod room;
mod routes;
mod selftest;
mod serve;
mod settings;
mod sms;
mod socket;
mod status;
mod stream;
mod templates;
#[cfg(test)]
mod tests;
mod wait;

pub use access::{Own, Peer};
pub use history::History;
pub use record::Record;
pub use serve::{serve_socket, serve_tcp};
pub use socket::{ControlSocket, SocketError, bind_socket, make_way};

use crate::engine::{Answer, Ask, Caller, Read};
use crate::message::LinkKey;
use crate::runtime::{Handle, Released};
use denials::Denials;
use futures_util::future::BoxFuture;
use metrics::Metrics;
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, watch};

/// Reads the config again.
pub trait Reloader: Send + Sync {
    /// `{ok, errors, warnings, changed}`; a refused config changes nothing.
    fn reload(&self, by: Caller) -> BoxFuture<'_, Value>;

    /// Writes the file of a channel, which holds this table (`None`: removes it), when the config is good
    /// with it, and reads the config again. The answer of a reload, and `file`.
    fn write_channel(&self, by: Caller, name: String, text: Option<String>) -> BoxFuture<'_, Answer>;
}

/// Knows the daemon's tasks.
pub trait Overseer: Send + Sync {
    /// `[{name, policy, state, restarts, last_error}]`
    fn tasks(&self) -> Value;
}

/// What every request needs.
pub struct Api {
    handle: Handle,
    history: Arc<dyn History>,
    reloader: Arc<dyn Reloader>,
    overseer: Arc<dyn Overseer>,
    metrics: Metrics,
    own: Own,
    denials: Denials,
    /// What links are signed with.
    links: OnceLock<LinkKey>,
    /// For alerts that wait.
    room: alerts::Room,
    /// Whole readings of the ledger (verify, export) at a time.
    heavy: Arc<Semaphore>,
    /// Bytes of large bodies on their way to the disk.
    heavy_bodies: Arc<Semaphore>,
    /// Requests with attachments, and downloads, at a time.
    laden: Arc<Semaphore>,
    /// The daemon stops: no new connection is taken, streams end, requests under way are answered.
    stop: watch::Sender<bool>,
    /// Connections that are open.
    open: watch::Sender<usize>,
    /// How far the receivers of events have come.
    carried: hooks::Carried,
}

/// What is under way gets so much time when the daemon stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

impl Api {
    /// `own` is the daemon's user, who may do everything.
    pub fn new(
        handle: Handle,
        history: Arc<dyn History>,
        reloader: Arc<dyn Reloader>,
        overseer: Arc<dyn Overseer>,
        own: Own,
    ) -> Arc<Api> {
        Arc::new(Api {
            handle,
            history,
            reloader,
            overseer,
            metrics: Metrics::new(),
            own,
            denials: Denials::default(),
            links: OnceLock::new(),
            room: alerts::Room::default(),
            heavy: Arc::new(Semaphore::new(2)),
            heavy_bodies: Arc::new(Semaphore::new(body::ON_THEIR_WAY)),
            laden: Arc::new(Semaphore::new(2)),
            stop: watch::Sender::new(false),
            open: watch::Sender::new(0),
            carried: hooks::Carried::default(),
        })
    }

    /// Folds what becomes durable into the metrics, until the loop ends. `frames` from before its first
    /// turn miss nothing.
    pub async fn count(self: Arc<Self>, frames: broadcast::Receiver<Released>) {
        self.metrics.run(&self.handle, frames).await;
    }

    /// From now on links are taken that were signed with this.
    pub fn take_links(&self, key: LinkKey) {
        // A second key of one life would be the same.
        let _ = self.links.set(key);
    }

    /// Takes no more connections and ends the streams; returns when all is answered, or after five
    /// seconds. While the engine still runs, so that there are answers.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut open = self.open.subscribe();
        let closed = open.wait_for(|open| *open == 0);
        let _ = tokio::time::timeout(LAST_ANSWERS, closed).await;
    }

    async fn read(&self, by: &Caller, read: Read) -> Answer {
        self.handle.ask(by.clone(), Ask::Read(read)).await
    }

    /// Ends when the daemon stops.
    async fn stopped(&self) {
        // The sender lives as long as this does.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}
