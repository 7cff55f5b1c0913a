//! What `stentord --check` and `stentorctl check-config` say.

use crate::config::load::load;
use crate::config::options::{LoadOptions, Loaded};
use crate::settings::{Environment, Problem};
use std::fmt::Write;
use std::path::Path;

/// As CLI.md's row `check-config` has it in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CheckReport {
    pub ok: bool,
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

/// Loads the file, its sounds too, and tells what is wrong with it; see [`load`] for what that may
/// do to the calling thread.
pub fn report(path: &Path, environment: &dyn Environment, options: &LoadOptions<'_>) -> CheckReport {
    load(path, environment, &LoadOptions { check_sounds: true, check_numbers: true, ..*options }).into()
}

impl From<Loaded> for CheckReport {
    fn from(loaded: Loaded) -> Self {
        CheckReport { ok: loaded.errors.is_empty(), errors: loaded.errors, warnings: loaded.warnings }
    }
}

impl CheckReport {
    /// For people: each problem at its place with its hint below, then the sum in one line.
    pub fn render_text(&self) -> String {
        let mut text = String::new();
        let errors = self.errors.iter().map(|p| ("error", p));
        for (sort, problem) in errors.chain(self.warnings.iter().map(|p| ("warning", p))) {
            let place = match problem.line {
                0 => problem.file.clone(),
                line => format!("{}:{line}:{}", problem.file, problem.column),
            };
            let _ = writeln!(text, "{place}: {sort}: {}", problem.message);
            if !problem.hint.is_empty() {
                let _ = writeln!(text, "    {}", problem.hint);
            }
        }
        let counted = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let (errors, warnings) = (counted(self.errors.len(), "error"), counted(self.warnings.len(), "warning"));
        let verdict = if self.ok { "the configuration is good" } else { "the configuration is refused" };
        let _ = writeln!(text, "{verdict}: {errors}, {warnings}");
        text
    }
}
