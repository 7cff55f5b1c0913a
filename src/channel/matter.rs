//! What a message is about, for channels that carry more than text: one alert or one thread for
//! each incident, a severity, a colour.

use crate::domain::Labels;
use crate::domain::level::Level;
use std::sync::Arc;

/// Why a message is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occasion {
    /// It belongs to no incident.
    #[default]
    Message,
    Test,
    /// The first that is told of an incident.
    Opened,
    /// A further step of its policy.
    Step,
    Reminder,
    /// A notice: somebody has acknowledged.
    Acknowledged,
    /// A notice: it is over.
    Resolved,
}

/// What a message is about. Everything is as given, not made for a medium.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matter {
    /// The daemon's name ("prague-1").
    pub from: String,
    pub occasion: Occasion,
    /// The `type` of the message.
    pub kind_of: String,
    pub subject: String,
    pub body: String,
    pub labels: Arc<Labels>,
    /// The incident it belongs to, if it belongs to one.
    pub incident: Option<Subject>,
}

/// An incident, as a channel knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The same for all its messages, and never used for another.
    pub id: String,
    /// What people call it.
    pub number: u64,
    /// What this channel's provider called our first message about it, once it has taken one.
    pub first: Option<String>,
}

impl Matter {
    /// Of a message at this level, as 0xRRGGBB: from grey to red, and blue or green for a notice.
    pub fn colour(&self, level: Level) -> u32 {
        match (self.occasion, level) {
            (Occasion::Acknowledged, _) => 0x2f6fde,
            (Occasion::Resolved, _) => 0x2e9e5b,
            (_, Level::Urgent) => 0xd12828,
            (_, Level::High) => 0xf07c12,
            (_, Level::Normal) => 0xe8b51a,
            (_, Level::Low) => 0x8a939c,
        }
    }
}
