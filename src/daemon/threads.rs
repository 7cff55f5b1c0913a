//! The threads of the process: all that it will need are there from the beginning, or it does not
//! begin. A machine that lets it start none later costs no alarm.

use crate::domain::time::Span;
use std::io;
use std::sync::{Arc, Barrier};
use std::thread;
use tokio::runtime::{Builder, Runtime};

const WORKERS: usize = 2;
/// For what blocks: a name that is looked up, roots that are read, a ledger that is verified. More
/// are started when there is more; these stay.
const BLOCKING: usize = 3;
/// These, and those of the journal, the history (nine of them its store's), signals, metrics and the
/// watch on the config.
const ALL: usize = WORKERS + BLOCKING + 15;
/// Longer than any daemon runs.
const FOR_EVER: Span = Span::days(36_500);

/// The runtime with its threads.
///
/// # Errors
/// When the system does not let us start so many threads.
pub fn runtime() -> io::Result<Runtime> {
    try_out()?;
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(WORKERS).thread_keep_alive(FOR_EVER.to_std()).enable_all().build()?;
    // Each is there when all of them are.
    let all_there = Arc::new(Barrier::new(BLOCKING));
    for _ in 0..BLOCKING {
        let all_there = all_there.clone();
        runtime.spawn_blocking(move || {
            all_there.wait();
        });
    }
    Ok(runtime)
}

/// tokio panics, and then waits for ever, where it can start only some of its threads.
fn try_out() -> io::Result<()> {
    let mut tried = Vec::new();
    let outcome = (0..ALL).try_for_each(|_| {
        tried.push(thread::Builder::new().name("trial".to_owned()).spawn(thread::park)?);
        Ok(())
    });
    for trial in tried {
        trial.thread().unpark();
        let _ = trial.join();
    }
    outcome
}
