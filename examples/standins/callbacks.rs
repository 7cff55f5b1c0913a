//! Providers call back: forms and documents as Twilio, Telnyx and SendGrid post them, signed as they sign.
//!
//! Written apart from the code that checks it. The URL that is signed is the public one; it is called where
//! the daemon listens.

use super::twilio::{ACCOUNT_SID, AUTH_TOKEN};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use ring::{hmac, rand::SystemRandom};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The public key of Telnyx' vector: the private one is the bytes 0 to 31.
pub const TELNYX_PUBLIC_KEY: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

/// One call, ready to be made, and made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes it at this address: status and text.
    pub async fn at(&self, address: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}", self.target);
        let request = format!("{head}Content-Length: {}\r\n\r\n{}", self.body.len(), self.body);
        // A refusal may come before all is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

fn target(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// A form as Twilio posts it.
pub fn twilio(url: &str, fields: &[(&str, &str)]) -> Call {
    twilio_by(AUTH_TOKEN, ACCOUNT_SID, url, fields)
}

/// The same, signed with this token, of this account.
pub fn twilio_by(token: &str, account: &str, url: &str, fields: &[(&str, &str)]) -> Call {
    let mut fields = fields.to_vec();
    fields.extend([("AccountSid", account), ("ApiVersion", "2010-04-01"), ("ToCity", "")]);
    let mut sorted = fields.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let data = sorted.iter().fold(url.to_owned(), |data, (name, value)| data + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, data.as_bytes()));
    let mut place = url::Url::parse("http://x/").unwrap();
    place.query_pairs_mut().extend_pairs(&fields);
    let call = Call { target: target(url), headers: Vec::new(), body: place.query().unwrap().to_owned() };
    call.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .header("x-twilio-signature", &signature)
        .header("i-twilio-idempotency-token", "c1d2")
}

/// Of a message: `queued`, `sent`, `delivered`, `undelivered`.
pub fn message_status(url: &str, sid: &str, status: &str, code: Option<&str>) -> Call {
    let mut fields = vec![("MessageSid", sid), ("SmsSid", sid), ("MessageStatus", status), ("SmsStatus", status)];
    fields.extend([("To", "+15550100"), ("From", "+15550099")]);
    fields.extend(code.map(|code| ("ErrorCode", code)));
    twilio(url, &fields)
}

/// Of a call: `ringing`, `completed`, `busy`.
pub fn call_status(url: &str, sid: &str, status: &str) -> Call {
    let fields = [("CallSid", sid), ("CallStatus", status), ("Direction", "outbound-api"), ("SequenceNumber", "2")];
    twilio(url, &fields)
}

/// A key pressed.
pub fn key(url: &str, sid: &str, digits: &str) -> Call {
    let fields = [("CallSid", sid), ("CallStatus", "in-progress"), ("Digits", digits), ("msg", "Gather End")];
    twilio(url, &[fields.as_slice(), &[("FinishedOnKey", "")]].concat())
}

/// Somebody wrote.
pub fn inbound(url: &str, sid: &str, from: &str, text: &str) -> Call {
    let fields = [("MessageSid", sid), ("SmsMessageSid", sid), ("From", from), ("To", "+15550099"), ("Body", text)];
    twilio(url, &[fields.as_slice(), &[("NumMedia", "0"), ("SmsStatus", "received"), ("FromCity", "")]].concat())
}

/// A document as Telnyx posts it, signed at this unix time.
pub fn telnyx(url: &str, event: &str, payload: &Value, at: i64) -> Call {
    let data = json!({ "event_type": event, "id": "e1", "occurred_at": "2026-11-20T00:00:00Z", "payload": payload,
        "record_type": "event" });
    let body = json!({ "data": data, "meta": { "attempt": 1, "delivered_to": url } }).to_string();
    let seed: Vec<u8> = (0..32).collect();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    assert_eq!(STANDARD.encode(pair.public_key()), TELNYX_PUBLIC_KEY);
    let signature = STANDARD.encode(pair.sign(format!("{at}|{body}").as_bytes()));
    Call { target: target(url), headers: Vec::new(), body }
        .header("content-type", "application/json")
        .header("telnyx-timestamp", &at.to_string())
        .header("telnyx-signature-ed25519", &signature)
}

/// SendGrid's event webhook, with a key pair of its own.
pub struct SendGrid(EcdsaKeyPair);

impl SendGrid {
    pub fn new() -> SendGrid {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        SendGrid(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap())
    }

    /// As SendGrid shows it: base64 of a SubjectPublicKeyInfo.
    pub fn public_key(&self) -> String {
        let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let head = (0..head.len()).step_by(2).map(|i| u8::from_str_radix(&head[i..i + 2], 16).unwrap());
        STANDARD.encode(head.chain(self.0.public_key().as_ref().iter().copied()).collect::<Vec<u8>>())
    }

    pub fn events(&self, url: &str, events: &Value) -> Call {
        let (body, timestamp) = (events.to_string(), "1795138023");
        let signature = self.0.sign(&SystemRandom::new(), format!("{timestamp}{body}").as_bytes()).unwrap();
        Call { target: target(url), headers: Vec::new(), body }
            .header("content-type", "application/json")
            .header("x-twilio-email-event-webhook-timestamp", timestamp)
            .header("x-twilio-email-event-webhook-signature", &STANDARD.encode(signature))
    }
}
