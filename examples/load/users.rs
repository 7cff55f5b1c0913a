//! Being several users, since one may have no more than 64 connections.

use super::Failed;
use nix::unistd::{Uid, seteuid};

/// Connections of one user (docs/api.md).
pub const EACH: usize = 64;
/// `nobody`, whom the daemon never lets in.
const NOBODY: u32 = 65_534;

/// A user of this machine.
pub struct User {
    pub name: String,
    uid: Uid,
}

/// Ourselves, and if we are root, as many of the machine's other users as are needed for so many connections.
pub fn for_connections(count: usize) -> Vec<User> {
    let us = User { name: "root".into(), uid: Uid::effective() };
    let mut users = vec![us];
    if Uid::effective().is_root() {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        users.extend(passwd.lines().filter_map(other).take(count.div_ceil(EACH).saturating_sub(1)));
    }
    users
}

fn other(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let (name, uid) = (fields.next()?, fields.nth(1)?.parse().ok()?);
    (uid != 0 && uid != NOBODY).then(|| User { name: name.to_owned(), uid: Uid::from_raw(uid) })
}

/// Does something that does not wait for another thread as this user.
pub fn act_as<T>(user: &User, act: impl FnOnce() -> T) -> Result<T, Failed> {
    let us = Uid::effective();
    if user.uid == us {
        return Ok(act());
    }
    seteuid(user.uid)?;
    let done = act();
    seteuid(us)?;
    Ok(done)
}
