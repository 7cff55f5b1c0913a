//! Where the log goes: the journal when systemd started us, else standard error.
//!
//! A sink that nobody drains never delays the daemon, see [`lines`].

mod journald;
mod lines;
mod text;

pub use lines::{dropped, finish};

use super::args::LogFormat;
use journald::Journald;
use lines::Lines;
use std::io::{self, Write};
use text::Text;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; `RUST_LOG` overrides what is shown (default: info, and less of the crates that talk a lot).
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sled=warn,tokio_cron_scheduler=off,hyper=warn"));
    let journald = std::env::var_os("JOURNAL_STREAM").and_then(|_| Journald::open().ok());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match (journald, format) {
        (Some(journald), _) => registry.with(journald).try_init(),
        (None, LogFormat::Text) => registry.with(Text(stderr())).try_init(),
        (None, LogFormat::Json) => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(stderr())).try_init()
        }
    };
    // A second start in one process (tests) keeps the first subscriber.
    drop(started);
}

fn stderr() -> Lines {
    Lines::together_to(|lines| io::stderr().write_all(lines))
}
