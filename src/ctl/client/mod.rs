//! Speaks to the daemon: one request, one answer, or a stream of bytes.
//!
//! Over the Unix socket no name is resolved and no TLS root is read, so that a call costs
//! milliseconds. Nothing is retried here: a request that changes something may have been accepted
//! although its answer was lost, and the error says so.

mod api;
mod bytes;
mod call;
mod place;
mod sse;

pub use api::Api;
pub use call::{Answer, Call};
pub use sse::Message;
