//! The finished config: every name in it exists, every default is filled in.

use crate::channel::{Channel, Kind};
use crate::config::intake::{Alertmanager, Token};
use crate::config::kinds::Kinds;
use crate::config::limits::{Budgets, Limits};
use crate::config::person::Person;
use crate::domain::Labels;
use crate::domain::delivery::{Format, Medium, Sort};
use crate::domain::level::Level;
use crate::domain::money::Money;
use crate::domain::phone::Region;
use crate::domain::schedule::Schedule;
use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::domain::who::Who;
use crate::domain::window::Window;
use crate::ledger::Retention;
use crate::message::{Named, Template};
use jiff::Zoned;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that stentor.toml and conf.d say.
#[derive(Debug)]
pub struct Config {
    pub daemon: Daemon,
    pub access: Access,
    pub deadman: Option<Deadman>,
    pub http: Option<Http>,
    pub retention: Retention,
    pub channels: BTreeMap<String, ChannelConfig>,
    pub hooks: BTreeMap<String, HookConfig>,
    pub people: BTreeMap<String, Person>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub schedules: BTreeMap<String, OnCall>,
    /// All four: a level left out has been filled in.
    pub levels: BTreeMap<Level, LevelConfig>,
    pub policies: BTreeMap<String, Policy>,
    pub heartbeats: BTreeMap<String, Heartbeat>,
    pub watches: BTreeMap<String, Watch>,
    pub alertmanager: Alertmanager,
    /// Those that come with stentor, too.
    pub templates: BTreeMap<String, Arc<Named>>,
    pub budgets: Budgets,
    pub source: Source,
}

/// Where a config came from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub path: PathBuf,
    /// BLAKE3 (hex) over names and bytes of the files, placeholders unresolved.
    pub hash: String,
    /// BLAKE3 (hex) over the resolved values; tells whether a reload changes anything.
    pub values_hash: String,
    /// File name and bytes, as read.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The text for the ledger: placeholders unresolved, secret-typed literals masked.
    pub masked: String,
    /// BLAKE3 (hex) over the resolved values of each named entry (`channels.sms`) and single table
    /// (`daemon`): what a reload changes.
    pub entries: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Daemon {
    pub name: String,
    pub state_dir: PathBuf,
    pub socket: PathBuf,
    pub timezone: TimeZone,
    /// Its IANA name, for cron.
    pub timezone_name: String,
    /// Whose national numbers are understood.
    pub region: Option<Region>,
    /// Bytes of all attachments of one message.
    pub attachments: u64,
}

/// Who may do what over the socket, groups expanded to uids at load.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub admin: BTreeSet<u32>,
    pub operator: BTreeSet<u32>,
    pub viewer: BTreeSet<u32>,
    /// uid -> person, by `login`.
    pub logins: BTreeMap<u32, String>,
    /// uid -> unix user, for those whom `[access]` names one by one.
    pub names: BTreeMap<u32, String>,
    /// An admin may write channels by the API.
    pub channel_settings: bool,
}

/// Fetched while engine and journal move, so that somebody else notices our end.
#[derive(Clone, Debug)]
pub struct Deadman {
    pub url: Secret,
    pub every: Span,
}

#[derive(Clone, Debug)]
pub struct Http {
    pub listen: SocketAddr,
    /// Without a trailing slash.
    pub public_url: Option<String>,
    /// Without any only loopback is listened on.
    pub tokens: Vec<Token>,
    /// How long links to attachments are good.
    pub attachments_for: Span,
}

/// A program that gets events, as configured.
#[derive(Clone, Debug)]
pub struct HookConfig {
    pub kinds: Kinds,
    /// Of one attempt.
    pub timeout: Span,
    /// It takes nothing for so long: an incident.
    pub alarm_after: Span,
    pub adapter: Arc<dyn Channel>,
}

/// A way out, as configured.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    pub name: String,
    pub kind: &'static Kind,
    /// For addressed channels: when nobody else says who.
    pub to: Vec<Who>,
    pub fallback: Option<String>,
    /// An e-mail channel that this one sends through.
    pub via: Option<String>,
    /// Of one attempt.
    pub timeout: Span,
    /// Attempts at once.
    pub slots: usize,
    pub retry: Retry,
    pub updates: Updates,
    pub simulate: bool,
    /// For sounds.
    pub sound: Option<SoundSettings>,
    /// A text of its own for the whole document, where the kind has one (webhook's `body`).
    pub body: Option<Arc<Template>>,
    /// The name of the template that makes its texts.
    pub template: Option<String>,
    /// How much may go out by it.
    pub limits: Limits,
    /// Of one part of a text, or one started minute of a call.
    pub price: Option<Money>,
    /// A text is written in the letters of GSM 03.38, where that can be done.
    pub transliterate: bool,
    pub adapter: Arc<dyn Channel>,
}

impl ChannelConfig {
    pub fn sort(&self) -> Sort {
        self.kind.sort
    }
    pub fn medium(&self) -> Option<Medium> {
        self.kind.sort.medium()
    }
    /// The form of its text.
    pub fn format(&self) -> Format {
        self.adapter.format().unwrap_or(self.kind.format)
    }
}

/// How long a sound goes on, as the engine needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundSettings {
    /// `None`: until acknowledged.
    pub repeat: Option<u32>,
    /// At a stretch.
    pub max: Span,
}

/// After the first try; decorrelated jitter between `base` and `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub times: u32,
    pub base: Span,
    pub max: Span,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { times: 3, base: Span::secs(1), max: Span::secs(60) }
    }
}

/// Which notices go by a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updates {
    pub acknowledged: bool,
    pub resolved: bool,
}

/// An on-call schedule: the last layer that has somebody at that moment wins.
#[derive(Clone, Debug)]
pub struct OnCall {
    pub name: String,
    pub timezone: TimeZone,
    pub layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
pub struct Layer {
    pub members: Vec<String>,
    /// `None` with a single member.
    pub rotation: Option<Rotation>,
    /// Empty: always.
    pub hours: Vec<Window>,
}

/// The members take turns, the first one from `start` on; before `start` the layer has nobody.
#[derive(Clone, Debug)]
pub struct Rotation {
    pub turn: Turn,
    /// A local time in the schedule's zone.
    pub start: Zoned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Daily,
    Weekly,
    /// Of exactly this length.
    Every(Span),
}

/// A level's ways and what an incident of it follows.
#[derive(Clone, Debug, Default)]
pub struct LevelConfig {
    pub channels: Vec<String>,
    pub to: Option<Vec<Who>>,
    pub policy: Option<String>,
    pub remind: Option<Span>,
    pub ack_timeout: Option<Span>,
    /// The name of the template for channels that have none.
    pub template: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Policy {
    pub name: String,
    /// Further rounds after the first.
    pub repeat: u32,
    /// From the start of one round to the start of the next; `None` only with `repeat` 0.
    pub every: Option<Span>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// From the opening, or the start of the round.
    pub after: Span,
    pub channels: Option<Vec<String>>,
    pub to: Option<Vec<Who>>,
}

/// A check that runs on a schedule, or waits to be pinged.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    pub name: String,
    pub check: Check,
    /// `None` for a passive one.
    pub schedule: Option<Schedule>,
    /// As written, for `heartbeats list`.
    pub cron: Option<String>,
    pub every: Option<Span>,
    /// In a row before an incident opens.
    pub failures: u32,
    pub timeout: Span,
    pub incident: IncidentTerms,
}

#[derive(Clone, Debug)]
pub enum Check {
    /// A channel's own probe.
    Probe { channel: String, test_call: bool },
    /// A real message through the dispatcher.
    Notification { to: Option<Vec<Who>>, channels: Option<Vec<String>>, subject: String, body: String },
    /// Late after `every` + grace since the last ping.
    Passive { every: Span, grace: Span },
}

impl Check {
    /// `probe`, `notification`, `passive`.
    pub fn kind(&self) -> &'static str {
        match self {
            Check::Probe { .. } => "probe",
            Check::Notification { .. } => "notification",
            Check::Passive { .. } => "passive",
        }
    }
}

/// What a heartbeat, a watch or a request says of the incident it opens. `None`: by route, level.
#[derive(Clone, Debug)]
pub struct IncidentTerms {
    pub level: Level,
    pub kind_of: Option<String>,
    /// `Some(None)` is `policy = "none"`: said, and ends the search.
    pub policy: Option<Option<String>>,
    pub to: Option<Vec<Who>>,
    pub channels: Option<Vec<String>>,
    pub labels: Labels,
}

/// A rule over a value.
#[derive(Clone, Debug)]
pub struct Watch {
    pub name: String,
    pub rule: Rule,
    pub incident: IncidentTerms,
    /// Told once each, in this order.
    pub tiers: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum Rule {
    /// FOMO: remaining capacity of a deal under a threshold.
    Capacity {
        deal: String,
        metric: String,
        below: f64,
        clear_above: f64,
    },
    Below {
        metric: String,
        below: f64,
        clear_above: f64,
    },
    Above {
        metric: String,
        above: f64,
        clear_below: f64,
    },
    /// Share of failed deliveries.
    FailureRate {
        over: Span,
        above: f64,
        least: u64,
    },
    /// Pending deliveries.
    QueueOverflow {
        above: u64,
    },
    /// Ended deliveries a minute, while work waits.
    LowProcessingRate {
        below: u64,
    },
}

impl Rule {
    /// As `kind = "..."` in the config.
    pub fn kind(&self) -> &'static str {
        match self {
            Rule::Capacity { .. } => "capacity",
            Rule::Below { .. } => "below",
            Rule::Above { .. } => "above",
            Rule::FailureRate { .. } => "failure-rate",
            Rule::QueueOverflow { .. } => "queue-overflow",
            Rule::LowProcessingRate { .. } => "low-processing-rate",
        }
    }

    /// The metric that feeds it; `None` for the built-in ones.
    pub fn metric(&self) -> Option<&str> {
        match self {
            Rule::Capacity { metric, .. } | Rule::Below { metric, .. } | Rule::Above { metric, .. } => Some(metric),
            _ => None,
        }
    }
}
