//! Lines on their way to a sink that may be slow, full or gone: they wait in a bounded queue of their
//! own thread, and are dropped and counted when it is full.

use crate::domain::time::Span;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for a slow sink.
const LINES: usize = 4_096;
/// How long the end of the process waits for one.
const LAST_WAIT: Span = Span::secs(1);
const LOOK: Span = Span::millis(2);

static DROPPED: AtomicU64 = AtomicU64::new(0);
/// Lines on their way to the thread that writes.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);

/// Lines that no sink took.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Lets the last lines out, which say why the process ends; a sink that takes none is not waited for.
pub fn finish() {
    let mut waited = Span::ZERO;
    while UNDER_WAY.load(Ordering::Relaxed) > 0 && waited < LAST_WAIT {
        std::thread::sleep(LOOK.to_std());
        waited = waited + LOOK;
    }
}

/// Lines that have come meanwhile are put together, up to so many bytes.
const TOGETHER: usize = 16 << 10;
/// Where so many had come more follow, and are waited for a moment: a thread that wakes for every few lines of a
/// rush takes the processor from those who send.
const MANY: u64 = 4;
const MOMENT: Duration = Duration::from_millis(4);

/// A sink behind a thread; `None`: there is no thread, so standard error is written to as it is.
#[derive(Clone)]
pub struct Lines(Option<SyncSender<Vec<u8>>>);

impl Lines {
    /// `put` takes one line, and may take its time.
    pub fn to(put: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) -> Lines {
        Lines::behind(put, 0)
    }

    /// `put` takes lines, one or several.
    pub fn together_to(put: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) -> Lines {
        Lines::behind(put, TOGETHER)
    }

    fn behind(mut put: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static, together: usize) -> Lines {
        let (lines, taken) = sync_channel::<Vec<u8>>(LINES);
        let writer = move || {
            while let Ok(mut text) = taken.recv() {
                let mut count = 1;
                while text.len() < together
                    && let Ok(line) = taken.try_recv()
                {
                    text.extend_from_slice(&line);
                    count += 1;
                }
                if put(&text).is_err() {
                    DROPPED.fetch_add(count, Ordering::Relaxed);
                }
                UNDER_WAY.fetch_sub(count, Ordering::Relaxed);
                if count >= MANY {
                    std::thread::sleep(MOMENT);
                }
            }
        };
        // Where no thread can be started, hardly anything can: that has to be said all the same.
        let started = std::thread::Builder::new().name("log".to_owned()).spawn(writer);
        Lines(started.is_ok().then_some(lines))
    }

    /// Never waits.
    pub fn put(&self, line: &[u8]) {
        self.put_whole(line.to_vec());
    }

    /// The same of a line that is given away.
    pub fn put_whole(&self, line: Vec<u8>) {
        let Some(lines) = &self.0 else { return drop(io::stderr().write_all(&line)) };
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        if lines.try_send(line).is_err() {
            UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn f68_a_sink_that_takes_nothing_costs_lines_and_no_time() {
        let (go_on, blocked) = channel::<()>();
        let lines = Lines::to(move |_| blocked.recv().map_err(io::Error::other));
        let before = dropped();
        for _ in 0..LINES + 101 {
            lines.put(b"a line");
        }
        let lost = dropped() - before;
        // One may be with the thread already.
        assert!((100..=101).contains(&lost), "{lost}");
        drop(go_on);
        finish();
        assert_eq!(UNDER_WAY.load(Ordering::Relaxed), 0, "what waited is counted, too, when the sink is gone");
        assert!(dropped() - before > LINES as u64);
    }
}
