//! Where the log goes: the journal when systemd started us, else standard error.
//!
//! A sink that nobody drains never delays the daemon: lines wait in a bounded queue of their own
//! thread and are dropped, and counted, when it is full.

use super::args::LogFormat;
use crate::domain::time::Span;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Lines that may wait for a slow reader of standard error.
const LINES: usize = 4_096;

/// How long the end of the process waits for a slow reader.
const LAST_WAIT: Span = Span::secs(1);
const LOOK: Span = Span::millis(2);

static DROPPED: AtomicU64 = AtomicU64::new(0);
/// Lines on their way to the thread that writes.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);

/// Lines that no sink took.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Lets the last lines out, which say why the process ends; a reader that does not read is not waited for.
pub fn finish() {
    let mut waited = Span::ZERO;
    while UNDER_WAY.load(Ordering::Relaxed) > 0 && waited < LAST_WAIT {
        std::thread::sleep(LOOK.to_std());
        waited = waited + LOOK;
    }
}

/// Starts logging; `RUST_LOG` overrides what is shown (default: info, and less of the crates that talk a lot).
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new("info,sled=warn,tokio_cron_scheduler=off,hyper=warn,reqwest=warn,lettre=warn")
    });
    let journald = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match (journald, format) {
        (Some(journald), _) => registry.with(journald.with_field_prefix(Some("STENTOR".to_owned()))).try_init(),
        (None, LogFormat::Text) => {
            let stderr =
                tracing_subscriber::fmt::layer().with_writer(Stderr::open()).with_target(false).with_ansi(false);
            registry.with(stderr).try_init()
        }
        (None, LogFormat::Json) => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(Stderr::open())).try_init()
        }
    };
    // A second start in one process (tests) keeps the first subscriber.
    drop(started);
}

/// Standard error behind a thread; `None`: there is no thread, so it is written to as it is.
#[derive(Clone)]
struct Stderr(Option<SyncSender<Vec<u8>>>);

impl Stderr {
    fn open() -> Stderr {
        let (lines, taken) = sync_channel::<Vec<u8>>(LINES);
        let writer = move || {
            let mut stderr = io::stderr();
            while let Ok(line) = taken.recv() {
                if stderr.write_all(&line).is_err() {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                }
                UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
            }
        };
        // Where no thread can be started, hardly anything can: that has to be said all the same.
        let started = std::thread::Builder::new().name("log".to_owned()).spawn(writer);
        Stderr(started.is_ok().then_some(lines))
    }
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Some(lines) = &self.0 else { return io::stderr().write(line) };
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        if lines.try_send(line.to_vec()).is_err() {
            UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Stderr;

    fn make_writer(&'a self) -> Stderr {
        self.clone()
    }
}
