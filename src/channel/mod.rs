//! The ways out: one file per adapter, each with its settings, `send` and `probe`.
//!
//! An adapter makes exactly one attempt and says how it ended; retry, fallback, limits and
//! breakers are the engine's. It works alone, without the daemon (see `examples/one_channel.rs`).
//! Adding one is a file here and a line in [`KINDS`].

pub mod apprise;
mod azure;
mod command;
mod confirm;
mod discord;
mod email_sms;
mod http;
mod http_sms;
mod markdown;
mod matter;
mod ntfy;
mod pagerduty;
mod places;
mod request;
pub mod sendgrid;
mod sign;
mod slack;
mod smtp;
mod sns;
mod socket;
pub mod sound;
mod teams;
pub mod telnyx;
pub mod twilio;
mod webhook;
mod websocket;

use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::{AttemptResult, Place, Rendered};
use crate::domain::failure::Failure;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

pub use crate::domain::delivery::Format;
pub use confirm::{Callback, Confirmer, Incoming, Spoken};
pub use email_sms::fate as gateway_fate;
pub use matter::{Matter, Occasion, Subject};

/// One attempt, ready to go. Everything is finished text; the channel adds only its wire format.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The delivery's id: idempotency key, part of the Message-ID, the same for every attempt.
    pub key: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Where to: `None` for a fixed channel.
    pub address: Option<String>,
    pub text: Rendered,
    pub level: Level,
    /// How much longer it makes sense to try.
    pub ttl: Span,
    /// What it is about, for channels that carry more than text.
    pub matter: Matter,
    /// Sound only: begins now and is silenced later.
    pub sound: Option<SoundOrder>,
    /// Files that go along, for a channel that carries them.
    pub attachments: Vec<Enclosed>,
    /// How the provider says later what became of it; `None`: it cannot.
    pub callback: Option<Callback>,
}

/// A file on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosed {
    pub name: String,
    /// Its media type.
    pub mime: String,
    pub place: Place,
    /// What is in it; read before `send` is called.
    pub bytes: Option<Arc<[u8]>>,
}

impl Outgoing {
    /// The files that are here.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Enclosed, &Arc<[u8]>)> {
        self.attachments.iter().filter_map(|file| Some((file, file.bytes.as_ref()?)))
    }

    /// The same without its files, and a line that says so.
    pub(crate) fn without_files(&self, why: &str) -> Outgoing {
        let names: Vec<&str> = self.attachments.iter().map(|file| file.name.as_str()).collect();
        let mut out = Outgoing { attachments: Vec::new(), ..self.clone() };
        out.text.text.push_str(&format!("\n[Not attached: {}. {why}]\n", names.join(", ")));
        out
    }
}

/// What a sound channel is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundOrder {
    /// The longest it may sound, from now.
    pub max: Span,
}

/// How a probe ended: a sentence ("credentials accepted, account active"), or the failure.
pub type Probed = Result<String, Failure>;

/// A way out. One value serves the whole life of a config; clients and TLS roots are made at the
/// first use, not when the settings are read.
pub trait Channel: Send + Sync + Debug {
    /// One attempt. The caller holds the deadline and may drop the future at any time.
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult>;

    /// Whether the way would work, without telling anybody.
    fn probe(&self) -> BoxFuture<'_, Probed>;

    /// Exactly the request that `send` would make, without secrets; what `simulate` records.
    fn describe(&self, out: &Outgoing) -> String;

    /// Hands over the channel that `via` names, once all channels are read. Only a channel that
    /// sends through another one cares; a second call changes nothing.
    fn connect_via(&self, _via: Arc<dyn Channel>) {}

    /// A folder of the state directory, for what the channel has to know after a restart (a token that
    /// its provider has changed). Nothing is read or written here; a second call changes nothing.
    fn keep_in(&self, _folder: &Path) {}

    /// The form of its text, where its settings choose one; `None`: that of its kind.
    fn format(&self) -> Option<Format> {
        None
    }

    /// Whether the far end keeps one thing for each incident, and so must hear of the
    /// acknowledgement and of the end, whatever `updates` says.
    fn follows_incidents(&self) -> bool {
        false
    }

    /// Attempts at once where its settings do not say. A provider counts them, and few are enough for people.
    fn slots(&self) -> usize {
        4
    }

    /// Whom its messages come from, where its settings say: a number, an address, a name.
    fn sender(&self) -> Option<&str> {
        None
    }

    /// Bytes of files that it carries with one message; `None`: none, and its text tells of them.
    fn attaches(&self) -> Option<u64> {
        None
    }

    /// For channels whose provider can be asked, after a lost answer, whether it has a message.
    fn inquirer(&self) -> Option<&dyn Inquirer> {
        None
    }

    /// For channels whose provider says later how a message ended, and can prove that it is it.
    fn confirmer(&self) -> Option<&dyn Confirmer> {
        None
    }

    /// For channels whose effect lasts after the attempt: a sound.
    fn sounder(&self) -> Option<&dyn Sounder> {
        None
    }
}

/// What a channel offers beside `send` whose provider lists what it has.
pub trait Inquirer: Send + Sync {
    /// Whether the provider has what an attempt sent whose answer was lost. Sends nothing. The
    /// caller holds the deadline.
    fn inquire<'a>(&'a self, lost: &'a Lost) -> BoxFuture<'a, Found>;
}

/// An attempt whose answer was lost.
#[derive(Clone, Debug)]
pub struct Lost {
    pub address: Option<String>,
    /// As it was handed to `send`.
    pub text: Rendered,
    /// When the attempt began.
    pub since: Timestamp,
    /// The provider's ids of other messages to this address: none of these is it.
    pub known: Vec<String>,
}

/// What the provider says of a lost message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Yes {
        provider_id: String,
        detail: String,
    },
    No {
        words: String,
    },
    /// It could not be asked, or its answer tells nothing.
    Unclear {
        words: String,
    },
}

/// What a sound channel offers beside `send`: its sounds are state, and the player is made to
/// match it (at start, at each change, after the player's death).
pub trait Sounder: Send + Sync {
    /// How long its sounds go on, as its settings say.
    fn terms(&self) -> SoundTerms;

    /// All that should sound now by this channel, and nothing else: what is missing begins, the
    /// rest is silent within a second. A sound that `send` is just starting and that was never in
    /// a list is left alone until that `send` has returned. Cheap and without waiting; to be
    /// called inside a tokio runtime, at start, at each change, and after the outcome of each
    /// attempt of this channel.
    fn wanted(&self, sounds: Vec<WantedSound>);

    /// Waits for the next sound of this channel that came to its end by itself (played as often as
    /// asked, or `max` reached). May be dropped at any time; nothing is lost.
    fn ended(&self) -> BoxFuture<'_, SoundEnded>;

    /// Whether the file decodes to its end; blocks (a child process, at most ten seconds). `Ok`
    /// without a file, or where that cannot be found out.
    ///
    /// # Errors
    /// What is wrong with the file.
    fn check(&self) -> Result<(), String>;
}

/// How long the sounds of a channel go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundTerms {
    /// So many times; `None`: until acknowledged.
    pub repeat: Option<u32>,
    /// Never longer than this at a stretch.
    pub max: Span,
}

/// A sound that should be heard now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSound {
    /// The delivery's id, as in [`Outgoing::key`].
    pub key: String,
    pub level: Level,
    /// How much longer it may sound.
    pub left: Span,
    /// Not softer than the samples are, and until it is not wanted any more, whatever the settings say.
    pub full: bool,
}

/// A sound that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundEnded {
    /// The delivery's id.
    pub key: String,
    /// "played 3 times", "its time was over".
    pub because: String,
}

/// What a kind of channel is, for the config and for people.
#[derive(Debug)]
pub struct Kind {
    /// As `kind = "..."` in the config.
    pub name: &'static str,
    pub sort: Sort,
    /// Name of the provider, as `deliveries show` prints it.
    pub provider: &'static str,
    /// Which text the message floor makes for it.
    pub format: Format,
    /// Reads its own keys from the table and says every error there; `None` if there was one.
    pub read: fn(&mut Table<'_>) -> Option<Arc<dyn Channel>>,
}

impl Kind {
    /// The first word of the events about its deliveries: the medium's, else its own name.
    pub fn family(&self) -> &'static str {
        self.sort.medium().map_or(self.name, Medium::family)
    }
}

/// Every kind there is; the one line of registration.
pub const KINDS: &[&Kind] = &[
    &smtp::KIND,
    &smtp::oauth::GMAIL,
    &smtp::oauth::OFFICE365,
    &email_sms::KIND,
    &twilio::sms::KIND,
    &twilio::voice::KIND,
    &telnyx::KIND,
    &sns::KIND,
    &azure::KIND,
    &http_sms::KIND,
    &sendgrid::KIND,
    &slack::KIND,
    &discord::KIND,
    &teams::KIND,
    &pagerduty::KIND,
    &ntfy::KIND,
    &command::KIND,
    &webhook::KIND,
    &socket::KIND,
    &websocket::KIND,
    &sound::KIND,
];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|k| k.name == name)
}
