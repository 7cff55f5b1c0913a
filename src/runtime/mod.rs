//! The loop around the engine, and the one handle that every door holds.
//!
//! Three bounded lanes lead in; what the engine decides goes to the journal as one frame; answers,
//! the event stream and effects leave in order once that frame is durable. The loop goes on
//! deciding while a flush is under way, so that many callers share one.

mod cycle;
mod dispatch;
mod emergency;
mod handle;
mod held;
mod log;
mod note;
mod record;
mod seeds;
mod sounds;
mod underway;
mod wall;

#[cfg(test)]
mod tests;

pub use cycle::{Cycle, Ended, Setup};
pub use handle::{Handle, Lanes, Progress, Released};
pub use log::{Log, LogFull, LogNews, Reader};
pub use record::{extract, extractor, read_state, state_fold};
pub use underway::UnderWay;
