//! The folds of single events, by what they are about.

mod alert;
mod attempt;
mod incident;
mod notification;
mod price;
mod silence;

use super::content::Content;
use crate::domain::event::Payload;
use std::sync::Arc;

/// What the payload of this event says; whether it was erased since makes no difference to what happened.
fn content(payload: Option<&Payload>, seq: u64) -> Arc<Content> {
    Arc::new(match payload {
        Some(p) if p.erased => Content::erased(),
        Some(p) => Content::of(p, seq),
        None => Content::default(),
    })
}
