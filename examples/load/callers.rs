//! Callers: connections that are kept, each with one request under way at a time.

use super::Failed;
use super::table::Spread;
use super::users::{self, EACH, User};
use super::wire::{Socket, Wire};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A burst that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(120);

/// One caller.
pub struct Caller(Wire);

/// What so many callers came to.
pub struct Burst {
    pub count: u64,
    pub elapsed: Duration,
    pub each: Spread,
}

impl Caller {
    fn over(stream: impl Socket + 'static) -> Caller {
        Caller(Wire::new(stream))
    }

    /// One alert, accepted for good when this returns.
    pub async fn alert(&mut self, n: u64) -> Result<(), Failed> {
        self.post("/api/v1/notifications", &alert(n)).await
    }

    /// One request that must be answered with success.
    pub async fn post(&mut self, path: &str, json: &str) -> Result<(), Failed> {
        match self.0.ask(path, json).await? {
            (200..300, _) => Ok(()),
            (status, body) => Err(format!("{status}: {}", String::from_utf8_lossy(body)).into()),
        }
    }
}

/// What an alert usually says; each is another one.
fn alert(n: u64) -> String {
    format!(
        r#"{{"subject":"disk of db-{n} is nearly full","body":"/var/lib/postgresql has 1.2 GiB left of 200 GiB, {n} seen","labels":{{"host":"db-{n}","service":"postgres","team":"storage"}}}}"#
    )
}

/// One over TCP.
pub async fn dial(address: &SocketAddr) -> Result<Caller, Failed> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(Caller::over(stream))
}

/// So many callers at a socket; `None` when this user may not be so many.
pub async fn open(socket: &Path, count: usize) -> Result<Option<Vec<Caller>>, Failed> {
    let users = users::for_connections(count);
    if users.len() * EACH < count {
        return Ok(None);
    }
    let mut callers = Vec::new();
    for (i, user) in users.iter().enumerate() {
        for stream in connect(socket, user, EACH.min(count - i * EACH))? {
            callers.push(Caller::over(UnixStream::from_std(stream)?));
        }
    }
    Ok(Some(callers))
}

fn connect(socket: &Path, user: &User, count: usize) -> Result<Vec<std::os::unix::net::UnixStream>, Failed> {
    let connect = || {
        let stream = std::os::unix::net::UnixStream::connect(socket)?;
        stream.set_nonblocking(true)?;
        Ok::<_, std::io::Error>(stream)
    };
    Ok(users::act_as(user, || (0..count).map(|_| connect()).collect::<Result<_, _>>())??)
}

/// All of them at once, until `count` alerts are accepted; each is numbered from `first`.
pub async fn burst(callers: Vec<Caller>, first: u64, count: u64) -> Result<Burst, Failed> {
    let next = Arc::new(AtomicU64::new(first));
    let began = Instant::now();
    let mut tasks: JoinSet<Result<Vec<Duration>, Failed>> = JoinSet::new();
    for mut caller in callers {
        let next = next.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= first + count || began.elapsed() > LONGEST {
                    return Ok(took);
                }
                let asked = Instant::now();
                caller.alert(n).await?;
                took.push(asked.elapsed());
            }
        });
    }
    let mut all = Vec::new();
    while let Some(took) = tasks.join_next().await {
        all.extend(took??);
    }
    let elapsed = began.elapsed();
    Ok(Burst { count: all.len() as u64, elapsed, each: Spread::of(all) })
}
