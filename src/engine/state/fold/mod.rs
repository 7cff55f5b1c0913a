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

/// What a payload says; whether it was erased since makes no difference to what happened.
fn content(payload: Option<&Payload>) -> Arc<Content> {
    Arc::new(match payload {
        Some(p) if p.erased => Content::erased(),
        Some(p) => Content {
            subject: p.subject.clone(),
            body: p.body.clone(),
            annotations: p.annotations.clone(),
            templated: None,
            metadata: p.metadata.clone(),
        },
        None => Content::default(),
    })
}
