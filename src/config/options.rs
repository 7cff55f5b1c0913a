//! What a load of the config is given, and what comes back.

use crate::channel::{self, Kind};
use crate::config::accounts::{Accounts, SystemAccounts};
use crate::config::model::{Config, Source};
use crate::settings::Problem;

/// How to read; `LoadOptions::default()` is how the daemon does it at start.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// Placeholders that are not set, and secrets that are missing, are no errors. The config is
    /// then good for looking at, not for sending.
    pub without_secrets: bool,
    /// The kinds of channel there are.
    pub kinds: &'a [&'static Kind],
    /// Unix users and groups.
    pub accounts: &'a dyn Accounts,
    /// Tries whether sound files decode, each for up to ten seconds, in a process of its own. At
    /// start this is left for after READY.
    pub check_sounds: bool,
    /// Asks a library about numbers; it unpacks the plans of all countries first.
    pub check_numbers: bool,
    /// Reads what is "not yet supported" all the same; for tests of what knows it already.
    pub allow_later: bool,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        LoadOptions {
            without_secrets: false,
            kinds: channel::KINDS,
            accounts: &SystemAccounts,
            check_sounds: false,
            check_numbers: false,
            allow_later: false,
        }
    }
}

impl std::fmt::Debug for LoadOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadOptions")
            .field("without_secrets", &self.without_secrets)
            .field("allow_later", &self.allow_later)
            .finish_non_exhaustive()
    }
}

/// What became of the files.
#[derive(Debug)]
pub struct Loaded {
    /// `None` exactly when there are errors.
    pub config: Option<Config>,
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// The files as read, also when they are refused; `masked` and `entries` only when not.
    pub source: Source,
}
