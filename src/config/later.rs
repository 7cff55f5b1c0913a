//! What the config's form has room for and this release does not do yet. It is refused with its
//! place, never ignored. When its time comes, its line here goes.

use crate::config::options::LoadOptions;
use crate::settings::Table;

/// Kinds of heartbeat: Nagios plugins, and whatever else runs a program.
const HEARTBEAT_KINDS: &[&str] = &["command", "nagios"];

/// Where, and which key.
const KEYS: &[(Home, &str)] =
    &[(Home::Top, "routes"), (Home::Level, "ack_timeout"), (Home::Layer, "hours"), (Home::Person, "preferences")];

/// The sorts of table that have a key of a later time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    Top,
    Level,
    Layer,
    Person,
}

/// Whether the key may be read. Where it is written too early, that is now among the errors.
pub fn may_read(table: &mut Table<'_>, home: Home, key: &str, options: &LoadOptions<'_>) -> bool {
    if options.allow_later || !KEYS.contains(&(home, key)) {
        return true;
    }
    table.later(key);
    false
}

pub fn is_later_heartbeat_kind(kind: &str) -> bool {
    HEARTBEAT_KINDS.contains(&kind)
}
