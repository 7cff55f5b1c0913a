//! How many connections there is room for: they may take up files, but not those that the ledger, the
//! dispatcher and the player need.

use nix::sys::resource::{Resource, getrlimit};

/// Connections of a listener at once, and of one caller: room for sixty-four senders under one uid, the
/// connections that they have just closed, and the one who comes to acknowledge.
const ALL: u64 = 1_024;
const EACH: u64 = 256;
/// Over all, for operators.
const RESERVE: u64 = 64;
/// Files that are not for connections: twenty are open in a daemon at rest.
const KEPT: u64 = 40;

/// Of each of the two listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub all: usize,
    pub each: usize,
    pub reserve: usize,
}

impl Room {
    /// As many as this process may have files for.
    pub fn of_this_process() -> Room {
        let (files, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((u64::MAX, u64::MAX));
        Room::among(files)
    }

    fn among(files: u64) -> Room {
        let free = files.saturating_sub(KEPT);
        let reserve = (free / 16).clamp(1, RESERVE);
        let all = (free / 2).saturating_sub(reserve).clamp(1, ALL);
        let each = (all * 3 / 4).clamp(1, EACH);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Room { all: count(all), each: count(each), reserve: count(reserve) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f63_connections_leave_files_for_the_rest() {
        assert_eq!(Room::among(65_536), Room { all: 1_024, each: 256, reserve: 64 });
        assert_eq!(Room::among(64), Room { all: 11, each: 8, reserve: 1 });
        assert_eq!(Room::among(3), Room { all: 1, each: 1, reserve: 1 });
        for files in 64..5_000 {
            let room = Room::among(files);
            let taken = 2 * room.all + room.reserve;
            assert!(taken as u64 + KEPT <= files && room.each <= room.all, "{files}: {room:?}");
        }
    }
}
