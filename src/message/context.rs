//! What a text is made from.

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::message::attachment::Enclosures;
use jiff::tz::TimeZone;

/// What a message is about: everything a text may say.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The daemon's name ("prague-1").
    pub from: &'a str,
    /// `notification`, `incident.opened`, `incident.step`, `incident.reminder`,
    /// `incident.acknowledged`, `incident.resolved`, `test`.
    pub kind: &'a str,
    pub level: Level,
    /// The notification's `type`.
    pub kind_of: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub labels: &'a Labels,
    pub annotations: &'a Labels,
    /// What the request gave its template.
    pub vars: &'a Labels,
    pub incident: Option<About<'a>>,
    /// The notification's id; only a webhook gets it.
    pub id: String,
    /// The delivery's id; mail and webhooks get it, an SMS or a voice never.
    pub delivery: String,
    /// Now, and the zone of the reader.
    pub at: Timestamp,
    pub zone: TimeZone,
    /// A page where the incident can be acknowledged; only where it works.
    pub link: Option<String>,
    /// What an SMS can be answered with ("417a"); only where replies are read.
    pub reply: Option<String>,
    /// A call can be acknowledged by pressing 4.
    pub keys: bool,
    /// An earlier attempt's answer was lost: say that it may be the same one again.
    pub possibly_duplicate: bool,
    /// Files that go along, or are told of.
    pub enclosures: Enclosures<'a>,
}

/// The incident that a message belongs to.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub number: u64,
    pub id: String,
    pub fingerprint: &'a str,
    pub status: &'a str,
    /// Counted from 1; 0 where there is no policy.
    pub step: u32,
    pub round: u32,
    pub opened_at: Timestamp,
    /// Since when it is broken: before the opening where it had to fail more than once.
    pub since: Timestamp,
    /// Who acknowledged or resolved it, or why it ended.
    pub by: Option<&'a str>,
    /// "no longer reported" is not "resolved".
    pub no_longer_reported: bool,
    /// How long it was open, once resolved.
    pub lasted: Option<Span>,
}
