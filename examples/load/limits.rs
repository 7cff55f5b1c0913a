//! What this machine can do by itself: small appends made durable, and HTTP over loopback.

use super::alerts::PACE;
use super::daemon::Place;
use super::sink::Sink;
use super::table::{Spread, Table, millis, rate};
use super::{Args, Failed, callers};
use nix::fcntl::{FallocateFlags, fallocate};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// About what one accepted alert takes in the journal, see RECORD in docs/performance.md.
const RECORD: usize = 300;
const WRITERS: usize = 64;
const SPAN: Duration = Duration::from_secs(3);
/// Appends at the pace of the trickle, where the disk and the processor sleep in between.
const PACED: u64 = 100;
/// Reserved beforehand, as the journal does it, so that a sync does not write the file's length, too.
const RESERVED: i64 = 256 << 20;

/// A second.
pub struct Limits {
    /// Appends by one thread, each with an fdatasync.
    pub alone: f64,
    /// What one takes at the pace of the trickle; the median.
    pub paced: Duration,
    /// Appends by 64 writers who share them.
    pub together: f64,
    /// Requests of a bare client to the sink.
    pub delivered: f64,
}

pub async fn measure(place: &Place, sink: &Sink, args: &Args, table: &mut Table) -> Result<Limits, Failed> {
    let dir = place.directory()?;
    let path = dir.path().join("appends");
    let alone = blocking(path.clone(), alone).await?;
    table.row("fdatasync of small appends, one thread", format!("{alone:.0} /s"));
    let paced = blocking(path.clone(), paced).await?;
    table.row("one of them at the pace of 50 a second", millis(paced));
    let together = blocking(path, together).await?;
    table.row("the same, 64 writers in groups", format!("{together:.0} /s"));
    let delivered = posts(sink, args).await?;
    table.row(format!("bare HTTP client to the sink, {WRITERS} connections"), format!("{delivered:.0} /s"));
    let socket = dir.path().join("sink.sock");
    sink.listen_at(&socket)?;
    let callers = callers::open(&socket, WRITERS).await?.ok_or("no callers")?;
    let bare = callers::burst(callers, 0, args.count).await?;
    table.row("callers to a bare HTTP server on a socket, 64", format!("{:.0} /s", rate(bare.count, bare.elapsed)));
    Ok(Limits { alone, paced, together, delivered })
}

async fn blocking<T: Send + 'static>(
    path: std::path::PathBuf,
    run: fn(&Path) -> std::io::Result<T>,
) -> Result<T, Failed> {
    Ok(tokio::task::spawn_blocking(move || run(&path)).await??)
}

fn reserved(path: &Path) -> std::io::Result<File> {
    let file = File::options().write(true).create(true).truncate(true).open(path)?;
    fallocate(&file, FallocateFlags::empty(), 0, RESERVED)?;
    file.sync_all()?;
    Ok(file)
}

fn alone(path: &Path) -> std::io::Result<f64> {
    let file = reserved(path)?;
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < SPAN {
        file.write_all_at(&[b'x'; RECORD], count * RECORD as u64)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(rate(count, began.elapsed()))
}

fn paced(path: &Path) -> std::io::Result<Duration> {
    let file = reserved(path)?;
    let mut took = Vec::new();
    for count in 0..PACED {
        std::thread::sleep(PACE);
        let began = Instant::now();
        file.write_all_at(&[b'x'; RECORD], count * RECORD as u64)?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    Ok(Spread::of(took).median())
}

/// What waits for the next sync, and how far the last one came.
#[derive(Default)]
struct Group {
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    appended: u64,
    durable: u64,
    over: bool,
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn together(path: &Path) -> std::io::Result<f64> {
    let file = reserved(path)?;
    let group = Group::default();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| write(&group));
        }
        commit(&file, &group, began)
    })?;
    let count = group.lock().durable;
    Ok(rate(count, began.elapsed()))
}

fn write(group: &Group) {
    let mut now = group.lock();
    while !now.over {
        now.waiting.extend_from_slice(&[b'x'; RECORD]);
        now.appended += 1;
        let mine = now.appended;
        group.work.notify_one();
        now = group.done.wait_while(now, |s| s.durable < mine && !s.over).unwrap_or_else(PoisonError::into_inner);
    }
}

fn commit(file: &File, group: &Group, began: Instant) -> std::io::Result<()> {
    let mut end = 0;
    let mut result = Ok(());
    while result.is_ok() && began.elapsed() < SPAN {
        let now = group.lock();
        let mut now = group.work.wait_while(now, |s| s.waiting.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let (bytes, upto) = (std::mem::take(&mut now.waiting), now.appended);
        drop(now);
        result = file.write_all_at(&bytes, end).and_then(|()| file.sync_data());
        end += bytes.len() as u64;
        group.lock().durable = upto;
        group.done.notify_all();
    }
    group.lock().over = true;
    group.done.notify_all();
    result
}

/// A client that does nothing else, with as many connections as a webhook channel has slots.
async fn posts(sink: &Sink, args: &Args) -> Result<f64, Failed> {
    let mut clients = Vec::new();
    for _ in 0..WRITERS {
        clients.push(callers::dial(&sink.address).await?);
    }
    let burst = callers::burst(clients, 0, args.count).await?;
    Ok(rate(burst.count, burst.elapsed))
}
