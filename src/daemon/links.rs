//! The key that links are signed with: made at the first start, kept in the state directory, nowhere else.

use crate::message::{LINK_KEY, LinkKey};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "link.key";

/// `None` when there is none and none can be kept: then messages carry no links.
pub fn key(state_dir: &Path) -> Option<LinkKey> {
    match read(state_dir).or_else(|_| make(state_dir)) {
        Ok(key) => Some(LinkKey::new(&key)),
        Err(error) => {
            tracing::warn!(%error, "there is no key for links: messages carry none");
            None
        }
    }
}

fn read(state_dir: &Path) -> io::Result<[u8; LINK_KEY]> {
    let bytes = fs::read(state_dir.join(FILE))?;
    bytes.try_into().map_err(|_| io::Error::other("it is not a key"))
}

/// Written beside, synced and renamed. One that is damaged is replaced, and its links end with it.
fn make(state_dir: &Path) -> io::Result<[u8; LINK_KEY]> {
    let mut key = [0; LINK_KEY];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let beside = state_dir.join("link.key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&beside, state_dir.join(FILE))?;
    File::open(state_dir)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_nobody_else_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let token = key(dir.path()).unwrap().token(1, "alice", Timestamp(0));
        assert!(key(dir.path()).unwrap().read(&token, Timestamp(0)).is_some(), "the same after a restart");
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.path().join(FILE), "short").unwrap();
        assert!(key(dir.path()).unwrap().read(&token, Timestamp(0)).is_none(), "a damaged one is made anew");
        assert!(key(&dir.path().join("nowhere")).is_none());
    }
}
