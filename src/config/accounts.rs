//! Unix users and groups: who the names in `[access]` and `login` are.

use nix::unistd::{Group, User};
use std::collections::BTreeSet;

/// Names to uids; asked at load and reload, never per request. Tests bring their own.
pub trait Accounts {
    /// `None` when there is no such user.
    fn user(&self, name: &str) -> Option<u32>;

    /// The uids of all members; `None` when there is no such group.
    fn group(&self, name: &str) -> Option<BTreeSet<u32>>;
}

/// The accounts of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemAccounts;

impl Accounts for SystemAccounts {
    fn user(&self, name: &str) -> Option<u32> {
        User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
    }

    fn group(&self, name: &str) -> Option<BTreeSet<u32>> {
        let group = Group::from_name(name).ok().flatten()?;
        let listed = group.mem.iter().filter_map(|member| self.user(member));
        // A group's own list leaves out those for whom it is the primary group.
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Some(listed.chain(primary_members(&passwd, group.gid.as_raw())).collect())
    }
}

/// The uids in a passwd file (`name:x:uid:gid:...`) whose primary group is `gid`.
fn primary_members(passwd: &str, gid: u32) -> Vec<u32> {
    let member = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let uid: u32 = fields.next()?.parse().ok()?;
        (fields.next()?.parse() == Ok(gid)).then_some(uid)
    };
    passwd.lines().filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_members_are_found_by_gid() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\n# odd\nbob:x:1001:50::/:/bin/sh\nsue:x:1002:50::/:/bin/sh\nx:x:7\n";
        assert_eq!(primary_members(passwd, 50), [1001, 1002]);
        assert_eq!(primary_members(passwd, 0), [0]);
        assert!(primary_members(passwd, 9).is_empty());
    }

    #[test]
    fn root_is_known_and_strangers_are_not() {
        assert_eq!(SystemAccounts.user("root"), Some(0));
        assert!(SystemAccounts.group("root").is_some_and(|uids| uids.contains(&0)));
        assert_eq!(SystemAccounts.user("nobody-of-this-name"), None);
        assert_eq!(SystemAccounts.group("nobody-of-this-name"), None);
    }
}
