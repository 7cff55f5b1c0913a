//! What a caller says of its own request beside the message: names, metadata, an idempotency key; each bounded.

use super::asked::SendRequest;
use super::refusal::{Answer, Code, Refusal};
use super::turn::{Turn, refuse};
use std::collections::BTreeMap;

/// Idempotency keys that are remembered at the most.
const KEYS: usize = 100_000;
/// Bytes of a name or a key.
const NAME: usize = 255;
/// Of metadata: entries, and bytes of a name, a value and all of it.
const ENTRIES: usize = 32;
const ENTRY_NAME: usize = 64;
const ENTRY: usize = 1_024;
const METADATA: usize = 8_192;

/// # Errors
/// The first field that is out of bounds.
pub(super) fn check(request: &SendRequest) -> Result<(), Refusal> {
    let named = [
        ("tenant", &request.tenant),
        ("correlation_id", &request.correlation_id),
        ("request_id", &request.request_id),
        ("actor", &request.actor),
    ];
    for (field, value) in named {
        if let Some(value) = value
            && !is_name(value)
        {
            return refuse(Refusal::field(
                field,
                format!("{field} has 1 to {NAME} bytes, none of them a control character"),
            ));
        }
    }
    check_metadata(&request.metadata)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME && !text.contains(char::is_control)
}

/// A name in a request: of somebody, of a type. `person:alice` is alice.
///
/// # Errors
/// It is empty or blank, too long, or has control characters.
pub(super) fn named(field: &'static str, value: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let name = value.strip_prefix("person:").unwrap_or(&value);
    if name.trim().is_empty() || !is_name(name) {
        let words = format!("{field} has 1 to {NAME} bytes, not all of them spaces and none a control character");
        return refuse(Refusal::field(field, words));
    }
    Ok(Some(name.to_owned()))
}

fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let wrong = |words: String| refuse(Refusal::field("metadata", words));
    if metadata.len() > ENTRIES {
        return wrong(format!("metadata has {} entries; at most {ENTRIES} are taken", metadata.len()));
    }
    let odd = |name: &str| name.is_empty() || name.len() > ENTRY_NAME || name.contains(char::is_control);
    if let Some((name, _)) = metadata.iter().find(|(name, value)| odd(name) || value.len() > ENTRY) {
        return wrong(format!(
            "metadata {name:?}: a name has 1 to {ENTRY_NAME} bytes without control characters, a value at most {ENTRY} bytes"
        ));
    }
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA { wrong(format!("metadata has {bytes} bytes; at most {METADATA} are taken")) } else { Ok(()) }
}

impl Turn<'_> {
    /// The first answer, when the key was seen before with the same content.
    pub fn same_as_before(&mut self, request: &SendRequest) -> Result<Option<Answer>, Refusal> {
        let Some(key) = &request.idempotency_key else { return Ok(None) };
        if key.is_empty() || key.len() > NAME {
            return refuse(Refusal::field("idempotency_key", "an idempotency key has 1 to 255 bytes"));
        }
        let full = super::State::idempotency_key(request.tenant.as_deref(), &self.by.name, key);
        match self.state.idempotency.get(&full) {
            Some(first) if first.content == content_hash(request) => {
                let id = first.notification;
                Ok(Some(Ok(self.notification_or_id(id))))
            }
            Some(_) => refuse(Refusal {
                field: Some("idempotency_key".into()),
                ..Refusal::new(Code::Conflict, "this idempotency key was used before with another content")
            }),
            None if self.state.idempotency.len() >= KEYS => refuse(
                Refusal::new(Code::RateLimited, "100000 idempotency keys are remembered; none is forgotten early")
                    .retry_after(60),
            ),
            None => Ok(None),
        }
    }
}

/// BLAKE3 (hex) of what would be sent; the key itself and what only names this request do not count.
pub(super) fn content_hash(request: &SendRequest) -> String {
    let bare = SendRequest { idempotency_key: None, correlation_id: None, request_id: None, ..request.clone() };
    // A struct of plain values always serialises.
    blake3::hash(&serde_json::to_vec(&bare).unwrap_or_default()).to_hex().to_string()
}
