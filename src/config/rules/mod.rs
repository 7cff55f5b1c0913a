//! What must hold between the entries, and what is worth a warning.
//!
//! The draft is what could be read; what is missing from it was reported when it was read, so
//! nothing here complains about it a second time.

mod circles;
mod names;
mod numbers;
mod reach;
mod sayings;
mod schedules;
mod sounds;
mod spot;
mod templates;
mod texts;
mod use_of_channels;
mod ways;

use crate::config::model::Config;
use crate::config::options::LoadOptions;
use crate::config::rules::spot::Judge;
use crate::settings::{Reading, Tree};

/// Adds to the reading's errors and warnings.
pub fn check(draft: &Config, tree: &Tree, reading: &Reading<'_>, options: &LoadOptions<'_>) {
    let judge = Judge { config: draft, tree, reading };
    names::check(&judge);
    circles::check(&judge);
    reach::check(&judge);
    ways::check(&judge);
    schedules::check(&judge);
    use_of_channels::check(&judge);
    texts::check(&judge);
    templates::check(&judge);
    if options.check_numbers {
        numbers::check(&judge);
    }
    if options.check_sounds {
        sounds::check(&judge);
    }
}
