//! The ledger: everything that happened, for good.
//!
//! The *journal* makes an event durable, *snapshots* let a start skip most of it, and the *history*
//! is the ledger as it is read, queried and counted; only the first two run the alarm.
//!
//! ```text
//! STATE/lock        one process at a time, its pid inside
//! STATE/journal/    segments of frames: the truth
//! STATE/snapshots/  the state after some frame, two of them
//! STATE/history/    sled; made again from the journal whenever needed
//! STATE/blobs/      what is too long for an event, a file for each
//! ```
//!
//! The way in is [`open`], then [`Opening::replay`], then [`Recovered::start`]. Frames go in by
//! [`Ledger::append`]; that they are durable is reported. It knows what a frame is, and nothing of
//! what an event means: what is to be kept beside the events comes as an [`extract::Extract`].

pub mod backup;
mod blanked;
pub mod blobs;
pub mod codec;
pub mod export;
pub mod extract;
pub mod fault;
pub mod files;
pub mod fold;
pub mod history;
pub mod journal;
pub mod lock;
mod mending;
mod opening;
mod places;
pub mod rebuild;
mod refill;
pub mod report;
pub mod restore;
pub mod retention;
mod running;
pub mod snapshot;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod texts;
mod upkeep;
pub mod verify;

pub use codec::{FrameHash, Tip};
pub use extract::{Cost, Count, Document, DocumentKind, Extract, Extractor, MakeExtractor};
pub use fault::{Fault, FaultKind};
pub use fold::Body;
pub use fold::{Fold, MakeFold};
pub use history::History;
pub use journal::AppendError;
pub use opening::{OpenError, Opening, Options, Recovered, Recovery, open};
pub use report::{Report, Reporter};
pub use retention::{Erased, Retention};
pub use running::Ledger;
pub use snapshot::Snapshot;
