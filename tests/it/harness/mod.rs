//! stentord and stentorctl as their users have them: processes, files, exit codes.

mod ctl;
mod daemon;
mod dns;
mod door;
mod home;
mod namespace;
mod notices;
pub mod tools;
pub mod ways;

pub use ctl::{Said, run, run_with_input};
pub use daemon::Daemon;
pub use dns::{NameServer, Names};
pub use door::{Door, free_address, get as door_get, post as door_post, try_get as door_try_get};
pub use home::{Home, files_under};
pub use namespace::{alone, black_hole, ip, shell};

use std::io::Write;
use std::time::Duration;

/// The longest that anything here may take on the slowest machine; nothing waits this long when it works.
pub const LONGEST: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits for something that has to come, and gives what came.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let looking = async {
            loop {
                match look().await {
                    Some(found) => return found,
                    None => tokio::time::sleep(LOOK_EVERY).await,
                }
            }
        };
        match tokio::time::timeout(LONGEST, looking).await {
            Ok(found) => found,
            Err(_) => panic!("it did not come to this: {what} ({caller})"),
        }
    }
}

/// Says that a story was not told on this machine; not through the test's own output, which nobody
/// sees when it passes.
pub fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "*** SKIPPED: {what}, because {why} ***");
}

/// The texts of one field of each row.
pub fn each(rows: &serde_json::Value, field: &str) -> Vec<String> {
    let text = |row: &serde_json::Value| match &row[field] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    rows.as_array().unwrap_or_else(|| panic!("not a list: {rows}")).iter().map(text).collect()
}
