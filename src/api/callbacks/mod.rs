//! Providers call us: how a message ended, which key was pressed, what somebody wrote.
//!
//! Served on TCP alone, under `[http] public_url`. Each call is read whole and within limits, then checked by
//! the adapter of its provider; what is not the provider's is 403, counted and recorded, and does nothing.
//! What it says is durable before it is answered, and coming twice or late does no harm.

mod receive;
mod sendgrid;
mod telnyx;
mod twilio;

use super::Api;
use axum::Router;
use axum::routing::{MethodRouter, get, post};
use receive::Received;
use std::sync::Arc;

/// How a call ended, as `/metrics` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    /// Well signed, but about nothing that is at hand.
    Unknown,
    /// Not signed by the provider, or in no form of its.
    Rejected,
    /// The engine could not take it.
    Refused,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Taken => "taken",
            Outcome::Unknown => "unknown",
            Outcome::Rejected => "rejected",
            Outcome::Refused => "refused",
        }
    }
}

/// The paths; everything behind the last slash is the key of an attempt.
pub fn routes() -> Router<Arc<Api>> {
    // Twilio can be set up to call with GET.
    let both = |from_post: MethodRouter<Arc<Api>>, from_get: MethodRouter<Arc<Api>>| from_post.merge(from_get);
    Router::new()
        .route("/cb/twilio/status/{key}", both(post(twilio::status), get(twilio::status)))
        .route("/cb/twilio/call/{key}", both(post(twilio::call), get(twilio::call)))
        .route("/cb/twilio/voice/{key}", both(post(twilio::gather), get(twilio::gather)))
        .route("/cb/twilio/gather/{key}", both(post(twilio::gather), get(twilio::gather)))
        .route("/cb/twilio/sms", both(post(twilio::sms), get(twilio::sms)))
        .route("/cb/telnyx", post(telnyx::event))
        .route("/cb/telnyx/{key}", post(telnyx::keyed))
        .route("/cb/sendgrid", post(sendgrid::events))
}
