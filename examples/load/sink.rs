//! The receiver: takes every request, answers 200, counts. On TCP for the webhook channel, and on a Unix socket to
//! see what HTTP over one costs without stentor behind it.

use super::Failed;
use axum::body::{Body, HttpBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Counts what comes.
#[derive(Clone)]
pub struct Sink {
    pub address: SocketAddr,
    got: Arc<Got>,
}

#[derive(Default)]
struct Got {
    count: AtomicU64,
    news: Notify,
}

impl Sink {
    pub async fn start() -> Result<Sink, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Sink { address: listener.local_addr()?, got: Arc::default() };
        let got = sink.got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, got.clone()));
            }
        });
        Ok(sink)
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The same at a Unix socket.
    pub fn listen_at(&self, path: &Path) -> Result<(), Failed> {
        let listener = UnixListener::bind(path)?;
        let got = self.got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, got.clone()));
            }
        });
        Ok(())
    }

    /// Requests so far.
    pub fn count(&self) -> u64 {
        self.got.count.load(Ordering::Relaxed)
    }

    /// Waits until so many have come, and says when that was.
    pub async fn reached(&self, count: u64, patience: Duration) -> Result<Instant, Failed> {
        let until = Instant::now() + patience;
        loop {
            let mut news = std::pin::pin!(self.got.news.notified());
            news.as_mut().enable();
            if self.count() >= count {
                return Ok(Instant::now());
            }
            if timeout_at(until, news).await.is_err() {
                return Err(format!("the sink got {} of {count} in {patience:?}", self.count()).into());
            }
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, got: Arc<Got>) {
    let service = service_fn(|request: Request<Incoming>| {
        let got = got.clone();
        async move {
            let mut body = request.into_body();
            while let Some(Ok(_)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
            got.count.fetch_add(1, Ordering::Relaxed);
            got.news.notify_waiters();
            Ok::<_, Infallible>(Response::new(Body::from("{\"ok\":true}")))
        }
    });
    // How a connection ends is the far end's business.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
