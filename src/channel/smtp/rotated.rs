//! The refresh token that a provider gave in place of the one in the config: kept in a file of the
//! state directory (0600), since the one before may be refused from then on.
//!
//! The file is named after what the config says, so that a token which the operator has put there
//! anew is used, and not what an older one was changed for.

use crate::domain::secret::Secret;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The place for what was changed for this token of this client.
pub(super) fn place(folder: &Path, client_id: &str, refresh: &Secret) -> PathBuf {
    let mut hash = blake3::Hasher::new();
    for part in [client_id, refresh.reveal()] {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    folder.join(format!("refresh-{}", &hash.finalize().to_hex()[..32]))
}

/// What is kept there, if anything is.
pub(super) fn read(place: &Path) -> Option<Secret> {
    let text = fs::read_to_string(place).ok()?;
    let token = text.trim();
    (!token.is_empty()).then(|| Secret::new(token))
}

/// Keeps it; a crash leaves the old one or this one.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(place: &Path, token: &Secret) -> io::Result<()> {
    let folder = place.parent().unwrap_or(place);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let new = place.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(token.reveal().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, place)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_there_for_its_owner_and_for_the_token_it_came_from_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("tokens");
        let at = place(&folder, "client", &Secret::new("first"));
        assert!(read(&at).is_none());
        for token in ["second", "third"] {
            write(&at, &Secret::new(token)).unwrap();
            assert_eq!(read(&at).unwrap().reveal(), token);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&at), mode(&folder)), (0o600, 0o700));
        assert!(!at.display().to_string().contains("first"));
        assert!(read(&place(&folder, "client", &Secret::new("another"))).is_none());
        assert!(read(&place(&folder, "other", &Secret::new("first"))).is_none());
    }
}
