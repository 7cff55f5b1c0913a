//! How many files this process may open: as many as it is allowed, since connections, the ledger
//! and the attempts all need them.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More is never needed.
const ENOUGH: u64 = 65_536;
/// With fewer, connections have to be counted closely.
const FEW: u64 = 512;

/// Raises the limit as far as the hard one allows.
pub fn raise() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let wanted = hard.min(ENOUGH);
    if soft < wanted
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    {
        tracing::warn!(%error, soft, "the limit of open files cannot be raised");
    }
    if wanted < FEW {
        tracing::warn!(
            files = wanted,
            "so few files may be open that few connections are taken; LimitNOFILE= raises it"
        );
    }
}
