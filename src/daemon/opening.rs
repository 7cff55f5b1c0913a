//! The config at start: the file, or on a broken morning the last one that was accepted.

use super::args::Args;
use super::reload::{line, load, not_empty, with_overrides};
use crate::config::{self, Config, LoadOptions, Loaded};
use crate::settings::ProcessEnvironment;

/// What the daemon starts with.
pub struct Opening {
    pub config: Config,
    /// The file is refused, and this is the last accepted config: hash and errors of the file.
    pub refused: Option<(String, Vec<String>)>,
}

/// # Errors
/// The lines to print, when neither the file nor a kept config is good.
pub fn open(args: &Args) -> Result<Opening, Vec<String>> {
    // Sound files are decoded after READY: a bad one must not delay the start.
    // An empty one is what a power cut or a full disk left: it would tell nobody of what is open.
    let Loaded { config, errors, warnings, source } = not_empty(load(args, false));
    for warning in &warnings {
        tracing::warn!(problem = %line(warning), "config");
    }
    if let Some(config) = config {
        return Ok(Opening { config, refused: None });
    }
    let lines: Vec<String> = errors.iter().map(line).collect();
    let state_dir =
        args.state_dir.clone().unwrap_or_else(|| config::state_dir::of_refused(&source, &ProcessEnvironment));
    let kept = config::kept::load(&state_dir, &ProcessEnvironment, &LoadOptions::default());
    match kept.map(|kept| with_overrides(kept, args)).and_then(|kept| kept.config) {
        Some(mut config) => {
            for line in &lines {
                tracing::error!(problem = %line, "the config is refused; the last accepted one is used");
            }
            config.source.path = args.config.clone();
            Ok(Opening { config, refused: Some((source.hash, lines)) })
        }
        None => Err(lines),
    }
}
