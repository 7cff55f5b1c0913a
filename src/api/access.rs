//! Who calls, and what they may do.

use crate::config::{Access, Config};
use crate::engine::{Caller, Role};
use nix::unistd::{Uid, User};

/// What the kernel shows for a uid of another user namespace: anybody. Never let in.
const OVERFLOW_UID: u32 = 65_534;

/// The far end of a connection on the socket, as it was when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
}

/// The daemon's own user; asked for once, since name lookups can hang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    pub uid: u32,
    pub name: Option<String>,
}

impl Own {
    pub fn of_this_process() -> Own {
        let uid = Uid::effective();
        Own { uid: uid.as_raw(), name: User::from_uid(uid).ok().flatten().map(|user| user.name) }
    }
}

/// What a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing but not to be nobody.
    Anyone,
    /// A role, or to be a person of the config; what exactly such a one may do, the engine decides.
    Known,
    /// This role at the least.
    Role(Role),
}

impl Right {
    pub fn allows(self, caller: &Caller) -> bool {
        match self {
            Right::Anyone => true,
            Right::Known => is_known(caller),
            Right::Role(role) => caller.role >= role,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Right::Anyone => "anyone",
            Right::Known => "a role, or to be a person of the config",
            Right::Role(role) => role.as_str(),
        }
    }
}

pub fn is_known(caller: &Caller) -> bool {
    caller.role > Role::None || caller.person.is_some()
}

/// The config decides anew at each request, so that a reload counts at once. `None`: never let in.
pub fn caller(config: &Config, own: &Own, peer: Peer) -> Option<Caller> {
    if peer.uid == OVERFLOW_UID {
        return None;
    }
    let person = config.access.logins.get(&peer.uid).cloned();
    let name = person.clone().unwrap_or_else(|| name(&config.access, own, peer.uid));
    Some(Caller { name, person, role: role(&config.access, own, peer.uid) })
}

/// The caller of a connection that is never let in, for the ledger.
pub fn nobody() -> Caller {
    Caller { name: format!("uid {OVERFLOW_UID}"), person: None, role: Role::None }
}

fn role(access: &Access, own: &Own, uid: u32) -> Role {
    match uid {
        0 => Role::Admin,
        uid if uid == own.uid || access.admin.contains(&uid) => Role::Admin,
        uid if access.operator.contains(&uid) => Role::Operator,
        uid if access.viewer.contains(&uid) => Role::Viewer,
        _ => Role::None,
    }
}

fn name(access: &Access, own: &Own, uid: u32) -> String {
    let known = access.names.get(&uid).or(own.name.as_ref().filter(|_| own.uid == uid));
    match (known, uid) {
        (Some(name), _) => name.clone(),
        (None, 0) => "root".to_owned(),
        (None, uid) => format!("uid {uid}"),
    }
}
