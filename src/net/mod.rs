//! The one way out over HTTP and TLS: roots, deadlines, capped answers, and errors without URLs.
//!
//! [`Client`] follows no redirect, uses no proxy, tries exactly once, connects within
//! [`CONNECT_TIMEOUT`] and reads at most [`ANSWER_CAP`] bytes. Whatever goes wrong on the way is a
//! [`Failure`](crate::domain::failure::Failure) that says whether the request may have been
//! processed all the same. What an answer means is left to those who asked.

pub mod answer;
pub mod base64;
pub mod certificate;
pub mod client;
pub mod dial;
pub mod endpoint;
mod line;
pub mod names;
pub mod percent;
mod pool;
pub mod request;
pub mod resolve;
pub mod tls;

pub use answer::Answer;
pub use client::{Client, prepare};
pub use dial::dial;
pub use endpoint::{Endpoint, Reach};
pub use hyper::Method;
pub use line::{Broken, Line, Wire};
pub use request::RequestBuilder;
pub use tls::install_provider;

use std::time::Duration;

/// From the look-up of the name to the end of the TLS handshake.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For what a name leads to, as a part of that.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// Of a whole request, where the caller does not say otherwise.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of an answer that are read; the rest is thrown away.
pub const ANSWER_CAP: usize = 64 * 1024;

/// What every request calls itself.
pub const USER_AGENT: &str = concat!("stentor/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
