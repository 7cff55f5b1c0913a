//! How bad it is: four levels, and the words that other tools use for them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `low < normal < high < urgent`; the order is the order of sending, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Low,
    Normal,
    High,
    Urgent,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 4] = [Level::Low, Level::Normal, Level::High, Level::Urgent];

    pub fn as_str(self) -> &'static str {
        match self {
            Level::Low => "low",
            Level::Normal => "normal",
            Level::High => "high",
            Level::Urgent => "urgent",
        }
    }

    /// Our four words only, as the config file has them.
    pub fn parse_strict(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|l| l.as_str() == word)
    }

    /// Our words and the aliases of commands and intake, in any case.
    pub fn parse(word: &str) -> Option<Level> {
        let word = word.to_ascii_lowercase();
        Level::parse_strict(&word).or_else(|| Level::alias(&word))
    }

    /// The level that another tool's word stands for; `None` for our own words.
    pub fn alias(word: &str) -> Option<Level> {
        Some(match word {
            "critical" | "crit" | "emergency" => Level::Urgent,
            "error" | "major" => Level::High,
            "warning" | "warn" | "medium" => Level::Normal,
            "info" | "notice" | "debug" => Level::Low,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
