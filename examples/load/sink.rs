//! The receiver: takes every request, answers 200, notes which alert came when. On TCP for the webhook channel, and on a
//! Unix socket to see what HTTP over one costs without stentor behind it.

use super::Failed;
use super::table::Spread;
use super::wire::{Socket, Wire};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::time::{Instant, sleep};

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
const REFUSED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
/// How often one looks who waits.
const LOOK: Duration = Duration::from_micros(500);

/// Counts what comes.
#[derive(Clone)]
pub struct Sink {
    pub address: SocketAddr,
    got: Arc<Got>,
}

#[derive(Default)]
struct Got {
    down: AtomicBool,
    alerts: Mutex<Alerts>,
}

/// All requests, and the numbered alerts that are expected now.
#[derive(Default)]
struct Alerts {
    count: u64,
    /// This many requests are waited for, and when they had come.
    wanted: u64,
    reached: Option<Instant>,
    first: u64,
    marks: Vec<Mark>,
    missing: usize,
    done: Option<Instant>,
}

#[derive(Clone, Copy, Default)]
struct Mark {
    posted: Option<Instant>,
    arrived: Option<Instant>,
}

impl Sink {
    pub async fn start() -> Result<Sink, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Sink { address: listener.local_addr()?, got: Arc::default() };
        sink.accept(listener);
        Ok(sink)
    }

    fn accept(&self, listener: TcpListener) {
        let got = self.got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, got.clone()));
            }
        });
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
        self.got.lock().count
    }

    /// Waits until so many have come, and says when that was.
    pub async fn reached(&self, count: u64, patience: Duration) -> Result<Instant, Failed> {
        {
            let mut alerts = self.got.lock();
            alerts.wanted = count;
            alerts.reached = (alerts.count >= count).then(Instant::now);
        }
        self.until(patience, || self.got.lock().reached).await
    }

    /// So many new alerts will come; gives the number of the first.
    pub fn expect(&self, count: u64) -> u64 {
        let mut alerts = self.got.lock();
        let first = alerts.first + alerts.marks.len() as u64;
        let marks = vec![Mark::default(); count as usize];
        *alerts = Alerts { first, missing: marks.len(), marks, done: None, ..std::mem::take(&mut *alerts) };
        first
    }

    /// They are about to be posted.
    pub fn posted(&self, numbers: Range<u64>) {
        let now = Instant::now();
        let mut alerts = self.got.lock();
        for n in numbers {
            if let Some(mark) = alerts.mark(n) {
                mark.posted = Some(now);
            }
        }
    }

    /// Waits for every alert that is expected, and says when the last one came.
    pub async fn all_arrived(&self, patience: Duration) -> Result<Instant, Failed> {
        self.until(patience, || self.got.lock().done).await
    }

    /// From post to arrival, of those that are expected now.
    pub fn latencies(&self) -> Spread {
        let alerts = self.got.lock();
        Spread::of(alerts.marks.iter().filter_map(|m| Some(m.arrived? - m.posted?)).collect())
    }

    /// From now on every request is answered with 503, or no more.
    pub fn refuse(&self, on: bool) {
        self.got.down.store(on, Ordering::Relaxed);
    }

    async fn until(&self, patience: Duration, is: impl Fn() -> Option<Instant>) -> Result<Instant, Failed> {
        let until = Instant::now() + patience;
        loop {
            if let Some(at) = is() {
                return Ok(at);
            }
            if Instant::now() > until {
                let missing = self.got.lock().missing;
                return Err(format!(
                    "the sink got {} requests in {patience:?}; {missing} alerts are missing",
                    self.count()
                )
                .into());
            }
            sleep(LOOK).await;
        }
    }
}

impl Got {
    fn lock(&self) -> MutexGuard<'_, Alerts> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, body: &[u8]) -> &'static [u8] {
        let mut alerts = self.lock();
        alerts.came();
        if self.down.load(Ordering::Relaxed) {
            return REFUSED;
        }
        if let Some(n) = number(body) {
            alerts.arrived(n);
        }
        TAKEN
    }
}

impl Alerts {
    fn came(&mut self) {
        self.count += 1;
        if self.count == self.wanted {
            self.reached = Some(Instant::now());
        }
    }

    fn mark(&mut self, n: u64) -> Option<&mut Mark> {
        self.marks.get_mut(usize::try_from(n.checked_sub(self.first)?).ok()?)
    }

    fn arrived(&mut self, n: u64) {
        let now = Instant::now();
        let Some(mark) = self.mark(n) else { return };
        if mark.arrived.replace(mark.arrived.unwrap_or(now)).is_none() {
            self.missing -= 1;
            if self.missing == 0 {
                self.done = Some(now);
            }
        }
    }
}

/// The number in the first `load-N;`.
fn number(body: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"load-";
    let at = body.windows(NAME.len()).position(|w| w == NAME)? + NAME.len();
    let end = at + body[at..].iter().position(|b| !b.is_ascii_digit())?;
    std::str::from_utf8(&body[at..end]).ok()?.parse().ok()
}

/// How a connection ends is the far end's business.
async fn serve(stream: impl Socket + 'static, got: Arc<Got>) {
    let mut wire = Wire::new(stream);
    while let Ok(Some((body, last))) = wire.request().await {
        let answer = got.take(body);
        if wire.answer(answer).await.is_err() || last {
            return;
        }
    }
}
