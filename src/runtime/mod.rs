//! The loop around the engine, and the one handle that every door holds.
//!
//! Three bounded lanes lead in; what the engine decides goes to the journal as one frame; answers,
//! the event stream and effects leave in order once that frame is durable.

mod handle;

pub use handle::{Handle, Progress, Released};
