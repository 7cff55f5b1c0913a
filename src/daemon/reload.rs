//! Reload: everything that can fail happens before the swap. A refused file changes nothing.

use super::args::Args;
use crate::config::{self, Config, Loaded, Problem};
use crate::engine::{Ask, Caller};
use crate::runtime::Handle;
use crate::settings::ProcessEnvironment;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Reads the config again, one at a time.
#[derive(Clone)]
pub struct Reloader {
    args: Arc<Args>,
    handle: Handle,
    /// Hash of the files refused last: the same fault is told once.
    refused: Arc<Mutex<Option<String>>>,
}

impl Reloader {
    /// `refused`: hash of the files that were refused at start, if they were.
    pub fn new(args: Arc<Args>, handle: Handle, refused: Option<String>) -> Reloader {
        Reloader { args, handle, refused: Arc::new(Mutex::new(refused)) }
    }

    /// Files that may have changed: nothing is said when they have not.
    pub async fn look(&self) {
        self.reload(Caller::engine(), false).await;
    }

    /// On request: the answer of `stentorctl reload`.
    pub async fn reload(&self, by: Caller, asked: bool) -> Value {
        let mut refused = self.refused.lock().await;
        let args = self.args.clone();
        // Reading blocks: files, name lookups, and the player that decodes sound files.
        let Ok(loaded) = tokio::task::spawn_blocking(move || load(&args, true)).await else {
            return json!({ "ok": false, "errors": ["reading the config failed inside"], "warnings": [], "changed": [] });
        };
        let Loaded { config, errors, warnings, source } = loaded;
        match config {
            None => {
                let lines: Vec<String> = errors.iter().map(line).collect();
                let news = refused.as_ref() != Some(&source.hash);
                if news {
                    for line in &lines {
                        tracing::error!(problem = %line, "the new config is refused; the old one stays in force");
                    }
                }
                if news || asked {
                    *refused = Some(source.hash.clone());
                    // It opens an incident; the answer goes to the caller either way.
                    let ask = Ask::ConfigRefused { hash: source.hash, errors: lines };
                    let _ = self.handle.ask(by, ask).await;
                }
                json!({ "ok": false, "errors": errors, "warnings": warnings, "changed": [] })
            }
            Some(config) => {
                let was_refused = refused.take().is_some();
                let changed = self.apply(by, config, was_refused).await;
                json!({ "ok": true, "errors": [], "warnings": warnings, "changed": changed })
            }
        }
    }

    async fn apply(&self, by: Caller, config: Config, was_refused: bool) -> Vec<String> {
        let old = self.handle.config();
        let same = old.source.hash == config.source.hash && old.source.values_hash == config.source.values_hash;
        if same && !was_refused {
            return Vec::new();
        }
        let changed = config::diff(&old, &config);
        super::systemd::reloading();
        let config = Arc::new(config);
        let applied =
            self.handle.ask(by, Ask::Apply { config: config.clone(), changed: changed.clone(), kept: false }).await;
        super::systemd::ready("running");
        match applied {
            Ok(_) => {
                let state_dir = config.daemon.state_dir.clone();
                keep(&state_dir, &config);
                tracing::info!(changed = %changed.join(", "), "a new config is in force");
            }
            Err(refusal) => tracing::error!(reason = %refusal.message, "the new config could not be applied"),
        }
        changed
    }
}

impl crate::api::Reloader for Reloader {
    fn reload(&self, by: Caller) -> BoxFuture<'_, Value> {
        Box::pin(self.reload(by, true))
    }
}

/// Keeps an accepted config for the morning when the file is broken.
pub fn keep(state_dir: &std::path::Path, config: &Config) {
    if let Err(error) = config::kept::save(state_dir, &config.source) {
        tracing::warn!(%error, "the accepted config could not be kept");
    }
}

/// Reads the config with the command line's overrides; at start sound files are left for later.
pub fn load(args: &Args, sounds: bool) -> Loaded {
    let options = config::LoadOptions { check_sounds: sounds, ..Default::default() };
    with_overrides(config::load(&args.config, &ProcessEnvironment, &options), args)
}

/// `--state-dir` and `--socket` win over the file.
pub fn with_overrides(mut loaded: Loaded, args: &Args) -> Loaded {
    if let Some(config) = &mut loaded.config {
        if let Some(dir) = &args.state_dir {
            config.daemon.state_dir = dir.clone();
        }
        if let Some(socket) = &args.socket {
            config.daemon.socket = socket.clone();
        }
    }
    loaded
}

/// `file:line:column: what; what would be right`
pub fn line(problem: &Problem) -> String {
    let Problem { file, line, column, message, hint } = problem;
    let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
    match line {
        0 => format!("{file}: {message}{hint}"),
        _ => format!("{file}:{line}:{column}: {message}{hint}"),
    }
}
