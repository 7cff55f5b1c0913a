//! Where the state lies when the config does not say it, or cannot be believed.

use crate::config::files::is_text;
use crate::config::model::Source;
use crate::settings::{Environment, Reading, Tree, Value};
use std::path::PathBuf;

const DEFAULT: &str = "/var/lib/stentor";

/// Where state lies when nobody says it: `$STATE_DIRECTORY`, which systemd sets, else
/// /var/lib/stentor.
pub fn by_default(environment: &dyn Environment) -> PathBuf {
    let given = environment.variable("STATE_DIRECTORY").unwrap_or_default();
    // Several StateDirectory= are joined by colons; the first is ours.
    match given.split(':').next() {
        Some(first) if !first.is_empty() => PathBuf::from(first),
        _ => PathBuf::from(DEFAULT),
    }
}

/// The state directory that a refused config names: `[daemon] state_dir` read alone from as much of
/// the files as parses, else the default.
pub fn of_refused(source: &Source, environment: &dyn Environment) -> PathBuf {
    let mut reading = Reading::new(environment, false);
    for (name, bytes) in source.files.iter().filter(|(name, _)| !is_text(name)) {
        let tree = reading.parse_leniently(&name.display().to_string(), &String::from_utf8_lossy(bytes));
        if let Some(dir) = state_dir_in(&tree, &reading) {
            return dir;
        }
    }
    by_default(environment)
}

fn state_dir_in(tree: &Tree, reading: &Reading<'_>) -> Option<PathBuf> {
    let Value::Table(daemon) = &tree.entries.get("daemon")?.value else { return None };
    let mut root = reading.root(daemon);
    root.ignore_unknown();
    root.text("state_dir").filter(|dir| !dir.trim().is_empty()).map(PathBuf::from)
}
