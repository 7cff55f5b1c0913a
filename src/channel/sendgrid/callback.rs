//! SendGrid calling us: a list of events, signed with ECDSA P-256 over timestamp and body.
//!
//! Which delivery an event is of stands in the custom argument `stentor_callback`, which SendGrid gives back.

use crate::channel::Incoming;
use crate::channel::sign::{self, PublicKeys};
use crate::domain::event::{Heard, Said};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::settings::Table;
use ring::signature::ECDSA_P256_SHA256_ASN1;
use serde_json::Value;

/// Before the 65 bytes of a point: what says that a key is one of P-256 (RFC 5480).
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Events of one call that are looked at.
const MOST: usize = 2_000;

/// The name of the custom argument.
pub(super) const ARGUMENT: &str = "stentor_callback";

/// The verification keys of the event webhook.
#[derive(Debug)]
pub(super) struct Keys(PublicKeys);

impl Keys {
    /// `None` where nothing could be checked.
    pub fn read(table: &mut Table<'_>) -> Option<Keys> {
        let wrong = "a verification key of SendGrid; write the base64 that its event webhook shows";
        PublicKeys::read(table, point, wrong).map(Keys)
    }

    /// # Errors
    /// What is wrong with the signature.
    pub fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        let timestamp = call.header("x-twilio-email-event-webhook-timestamp").ok_or("it has no timestamp")?;
        let data = [timestamp.as_bytes(), call.body].concat();
        let signature = call.header("x-twilio-email-event-webhook-signature");
        self.0.verify(&ECDSA_P256_SHA256_ASN1, &data, signature)
    }
}

fn point(text: &str) -> Option<Vec<u8>> {
    let der = sign::from_base64(text)?;
    let point = der.strip_prefix(&HEAD)?;
    (point.len() == 65 && point[0] == 4).then(|| point.to_vec())
}

/// Whose each event is, and what it says; `None` for what is not SendGrid's form.
pub fn read(body: &[u8]) -> Option<Vec<(String, Heard)>> {
    let events: Vec<Value> = serde_json::from_slice(body).ok()?;
    Some(
        events
            .iter()
            .take(MOST)
            .filter_map(|event| Some((event[ARGUMENT].as_str()?.to_owned(), heard(event)?)))
            .collect(),
    )
}

fn heard(event: &Value) -> Option<Heard> {
    let status = event["event"].as_str()?;
    let said = match status {
        "processed" | "deferred" => Said::Queued,
        "delivered" => Said::Delivered,
        "bounce" | "dropped" => Said::Failed(failure(event, status)),
        // Opened, clicked, unsubscribed: nothing about the way.
        _ => return None,
    };
    let provider_id = event["sg_message_id"].as_str()?;
    // The id of the request is what stands before the first dot.
    let provider_id = provider_id.split('.').next().unwrap_or_default().to_owned();
    Some(Heard { provider_id, status: status.to_owned(), said, price: None })
}

/// A bounce is the address; what was blocked was not, and may go another way.
fn failure(event: &Value, status: &str) -> Failure {
    let reason = event["reason"].as_str().unwrap_or_default();
    let words = if reason.is_empty() { format!("SendGrid says {status}") } else { reason.to_owned() };
    let blocked = event["type"] == "blocked";
    let address = ["Bounced Address", "Unsubscribed Address", "Spam Reporting Address", "Invalid"];
    let (class, blame) = match status {
        "bounce" if !blocked => (FailureClass::ValidationError, Blame::Message),
        "dropped" if address.iter().any(|known| reason.starts_with(known)) => {
            (FailureClass::ValidationError, Blame::Message)
        }
        _ => (FailureClass::ProviderError, Blame::Provider),
    };
    Failure::new(class, blame, words).code(event["status"].as_str().filter(|s| !s.is_empty()).unwrap_or(status))
}
