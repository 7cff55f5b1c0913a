//! What must hold between the entries, and what is worth a warning.

use crate::config::model::Config;
use crate::config::options::LoadOptions;
use crate::settings::{Reading, Tree};

pub fn check(_config: &Config, _tree: &Tree, _reading: &Reading<'_>, _options: &LoadOptions<'_>) {}
