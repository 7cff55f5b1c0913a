//! The policy that most stories of steps and rounds follow.

use super::world::asks::*;
use super::world::*;

/// Three steps and two rounds, all by fixed ways but one.
pub const THREE: &str = r#"
[policies.three]
repeat = 1
every  = "1h"
steps  = [
  { after = "0s", channels = ["ops-slack"] },
  { after = "10m", channels = ["sms"], to = ["bob"] },
  { after = "20m", channels = ["hook"] },
]
"#;

pub fn three() -> World {
    World::with(&(calm() + THREE))
}

/// Opens an incident of level high under this policy.
pub fn page(w: &mut World, policy: &str) -> u64 {
    let policy = policy.to_owned();
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some(policy)))
}
