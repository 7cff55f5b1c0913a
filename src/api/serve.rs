//! Connections: how many, from whom, for how long.

use super::Api;
use super::access::{self, Peer};
use super::paths::Paths;
use super::patience::{Limits, Patient, Progress};
use super::room::Room;
use super::socket::ControlSocket;
use crate::engine::Role;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// For the whole head of a request, and for a far end that takes nothing.
const LIMITS: Limits = Limits { head: Duration::from_secs(10), write: Duration::from_secs(30) };
/// Between two requests.
const IDLE: Duration = Duration::from_secs(60);
/// When no connection can be taken (too many files), a while later.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the API on the control socket, until [`Api::stop`]; then it ends with the last connection.
///
/// # Errors
/// Never; tasks that are kept alive have a reason for their end.
pub async fn serve_socket(api: Arc<Api>, socket: Arc<ControlSocket>) -> Result<(), String> {
    let paths = api.router();
    let mut open = Connections::new(api);
    while let Some(accepted) = open.accept(socket.listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        // Of the moment of connecting; one that has gone already has none, and gets nothing.
        let Ok(credentials) = stream.peer_cred() else { continue };
        let peer = Peer { uid: credentials.uid() };
        open.serve(peer.uid, stream, paths.clone(), Some(peer)).await;
    }
    open.end().await;
    Ok(())
}

/// Serves `/healthz`, `/readyz` and `/metrics`, and nothing else, likewise.
///
/// # Errors
/// Never, as above.
pub async fn serve_tcp(api: Arc<Api>, listener: Arc<TcpListener>) -> Result<(), String> {
    let paths = api.open_router();
    let mut open: Connections<IpAddr> = Connections::new(api);
    while let Some(accepted) = open.accept(listener.accept()).await {
        let Ok((stream, from)) = accepted else { continue };
        open.serve(site(from.ip()), stream, paths.clone(), None).await;
    }
    open.end().await;
    Ok(())
}

/// Whose address it is: in IPv6 the upper half of it, since who has one has all of the lower half.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// The connections of one listener, counted by caller.
struct Connections<K> {
    api: Arc<Api>,
    room: Room,
    tasks: JoinSet<()>,
    counts: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Copy + Eq + Hash + Send + 'static> Connections<K> {
    fn new(api: Arc<Api>) -> Self {
        Connections { api, room: Room::of_this_process(), tasks: JoinSet::new(), counts: Arc::default() }
    }

    /// The next connection; `None` when the daemon stops.
    async fn accept<T>(&mut self, accept: impl Future<Output = io::Result<T>>) -> Option<io::Result<T>> {
        let accepted = tokio::select! {
            accepted = accept => accepted,
            () = self.api.stopped() => return None,
        };
        if let Err(error) = &accepted {
            tracing::warn!(%error, "a connection could not be taken");
            tokio::time::sleep(PAUSE).await;
        }
        while self.tasks.try_join_next().is_some() {}
        Some(accepted)
    }

    async fn serve<S>(&mut self, from: K, stream: S, paths: Paths, peer: Option<Peer>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Room { all, each, reserve } = self.room;
        let Some(place) = Place::take(&self.api, &self.counts, from, each) else {
            return refuse(stream, "RATE_LIMITED", each).await;
        };
        if self.tasks.len() >= if self.acts(peer) { all + reserve } else { all } {
            return refuse(stream, "OVERLOADED", all).await;
        }
        self.tasks.spawn(async move {
            connection(stream, paths, peer, &place.api).await;
            drop(place);
        });
    }

    /// Whether this one may acknowledge: such a one gets in where readers do not.
    fn acts(&self, peer: Option<Peer>) -> bool {
        let caller = peer.and_then(|peer| access::caller(&self.api.handle.config(), &self.api.own, peer));
        caller.is_some_and(|caller| caller.role >= Role::Operator)
    }

    /// What is under way gets its answers.
    async fn end(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// One connection, counted while this lives.
struct Place<K: Eq + Hash> {
    api: Arc<Api>,
    counts: Arc<Mutex<HashMap<K, usize>>>,
    from: K,
}

impl<K: Copy + Eq + Hash> Place<K> {
    fn take(api: &Arc<Api>, counts: &Arc<Mutex<HashMap<K, usize>>>, from: K, each: usize) -> Option<Place<K>> {
        let mut map = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = map.entry(from).or_default();
        if *count >= each {
            return None;
        }
        *count += 1;
        drop(map);
        api.open.send_modify(|open| *open += 1);
        Some(Place { api: api.clone(), counts: counts.clone(), from })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut map = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = map.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                map.remove(&self.from);
            }
        }
        self.api.open.send_modify(|open| *open -= 1);
    }
}

/// Requests one after the other; who asks is known by the connection.
pub async fn connection<S>(stream: S, paths: Paths, peer: Option<Peer>, api: &Api)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    connection_until(stream, paths, peer, api.stopped()).await;
}

/// The same; at the end the request under way is the last.
pub async fn connection_until<S>(stream: S, paths: Paths, peer: Option<Peer>, end: impl Future<Output = ()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let paths = Arc::new(paths);
    let progress = Progress::default();
    let stream = TokioIo::new(Patient::new(stream, LIMITS, progress.clone()));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        progress.asked();
        let (paths, progress) = (paths.clone(), progress.clone());
        async move {
            let answer = paths.answer(request).await;
            progress.answered();
            answer
        }
    });
    let serving =
        http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(IDLE).serve_connection(stream, service);
    let mut serving = std::pin::pin!(serving);
    // How a connection breaks is the far end's business.
    tokio::select! {
        _ = serving.as_mut() => {}
        () = end => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

/// A word before hanging up, for who reads it.
async fn refuse<S: AsyncWrite + Unpin>(mut stream: S, code: &str, limit: usize) {
    let message = format!("more than {limit} connections are open");
    let error = json!({ "code": code, "message": message, "field": null, "retry_after_seconds": 1 });
    let body = json!({ "error": error }).to_string();
    let status = if code == "OVERLOADED" { "503 Service Unavailable" } else { "429 Too Many Requests" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // It fits into any socket's buffer; who has gone has gone.
    let _ = tokio::time::timeout(PAUSE, stream.write_all((head + &body).as_bytes())).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn f64_all_addresses_of_a_site_are_one_caller() {
        let site = |text: &str| site(text.parse().unwrap());
        assert_eq!(site("2001:db8:1:2::1"), site("2001:db8:1:2:ffff::9"));
        assert_ne!(site("2001:db8:1:2::1"), site("2001:db8:1:3::1"));
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
        assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
    }
}
