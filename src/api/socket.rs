//! The control socket as a file: one daemon has it, and at no moment is there one that is not ready.
//!
//! It is bound in a folder of its own that only we can enter, gets its mode there, and is moved to its name
//! in one step. Its mode is 0666: who may do what is decided by the uid of each connection, at each
//! request, and everybody whom `[access]` names has to be able to connect; who is not named gets 403. A
//! folder around it with a narrower mode (RuntimeDirectoryMode=) narrows that.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("the control socket {} is in use: another stentord answers on it", .0.display())]
    InUse(PathBuf),
    #[error("the control socket {} cannot be made: there is something else of that name", .0.display())]
    NotASocket(PathBuf),
    #[error("the control socket {} cannot be made: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
}

/// Listening; the file goes when this is dropped, if it is still ours.
#[derive(Debug)]
pub struct ControlSocket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    identity: (u64, u64),
}

/// Makes the socket at `path`. What a daemon that has gone left there is replaced.
///
/// # Errors
/// See [`SocketError`].
pub fn bind_socket(path: &Path) -> Result<ControlSocket, SocketError> {
    let failed = |error| SocketError::Io { path: path.to_owned(), error };
    make_way(path)?;
    let room = PrivateRoom::beside(path).map_err(failed)?;
    let inner = room.0.join("s");
    let listener = UnixListener::bind(&inner).map_err(failed)?;
    std::fs::set_permissions(&inner, Permissions::from_mode(0o666)).map_err(failed)?;
    let metadata = std::fs::symlink_metadata(&inner).map_err(failed)?;
    std::fs::rename(&inner, path).map_err(failed)?;
    Ok(ControlSocket { listener, path: path.to_owned(), identity: (metadata.dev(), metadata.ino()) })
}

/// Nobody may answer there, and it may be nothing but a socket. Links are not followed.
///
/// # Errors
/// See [`SocketError`].
pub fn make_way(path: &Path) -> Result<(), SocketError> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(SocketError::Io { path: path.to_owned(), error }),
    };
    if !metadata.file_type().is_socket() {
        return Err(SocketError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(SocketError::InUse(path.to_owned())),
        // Nobody listens: it was left behind.
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        // A full queue is somebody, too.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(SocketError::InUse(path.to_owned())),
        Err(error) => Err(SocketError::Io { path: path.to_owned(), error }),
    }
}

/// A folder that only we can enter; it goes when this is dropped.
struct PrivateRoom(PathBuf);

impl PrivateRoom {
    /// Its name is short, since a socket's path has at most 107 bytes.
    fn beside(path: &Path) -> io::Result<PrivateRoom> {
        let mut seed = [0u8; 3];
        // Without randomness the name may be taken, and that is an error below.
        let _ = getrandom::fill(&mut seed);
        let [a, b, c] = seed;
        let room = path.with_file_name(format!(".{a:02x}{b:02x}{c:02x}"));
        DirBuilder::new().mode(0o700).create(&room)?;
        Ok(PrivateRoom(room))
    }
}

impl Drop for PrivateRoom {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0.join("s"));
        let _ = std::fs::remove_dir(&self.0);
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.identity);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_there_for_all_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        let socket = bind_socket(&path).unwrap();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.mode() & 0o777, 0o666);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        UnixStream::connect(&path).unwrap();
        drop(socket);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_socket_that_answers_is_in_use_and_one_left_behind_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        let first = bind_socket(&path).unwrap();
        assert!(matches!(bind_socket(&path), Err(SocketError::InUse(_))));
        UnixStream::connect(&path).unwrap();
        drop(first);
        // As kill -9 leaves it: the file is there, and nobody listens.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let second = bind_socket(&path).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(second);
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(bind_socket(&path), Err(SocketError::NotASocket(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        // Nor is a link followed, to whatever it leads.
        let link = dir.path().join("link.sock");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(bind_socket(&link), Err(SocketError::NotASocket(_))));
        assert!(matches!(bind_socket(&dir.path().join("no/such/folder.sock")), Err(SocketError::Io { .. })));
    }

    #[tokio::test]
    async fn a_successor_keeps_its_socket_when_the_predecessor_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        let first = bind_socket(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = bind_socket(&path).unwrap();
        drop(first);
        UnixStream::connect(&path).unwrap();
        drop(second);
    }
}
