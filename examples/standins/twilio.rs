//! Twilio's REST API of 2010-04-01, as far as alarms use it: messages, calls, the account.
//!
//! Stricter than the original in three points, so that our mistakes show: a field that it does not
//! know is refused, TwiML is looked at when the call is made, and a number needs 7 digits.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000017";
pub const AUTH_TOKEN: &str = "standInAuthTokenOfTwilio00000017";
/// A standard API key: may send and list, but not read the account.
pub const API_KEY: &str = "SK00000000000000000000000000000017";
pub const API_SECRET: &str = "standInApiSecretOfTwilio00000017";

/// What is remembered between requests.
#[derive(Debug, Default)]
pub struct State {
    revoked: Mutex<bool>,
    account: Mutex<Option<String>>,
    made: Mutex<Vec<Value>>,
    later: Mutex<Option<(String, Option<u32>)>>,
}

impl State {
    pub fn revoke(&self, revoked: bool) {
        *self.revoked.lock().unwrap() = revoked;
    }

    pub fn set_account(&self, status: &str) {
        *self.account.lock().unwrap() = Some(status.into());
    }

    pub fn say_later(&self, status: &str, code: Option<u32>) {
        *self.later.lock().unwrap() = Some((status.to_owned(), code));
    }

    /// What was told to be said of everything, and with which error.
    pub fn later(&self) -> Option<(String, Option<u32>)> {
        self.later.lock().unwrap().clone()
    }

    fn account(&self) -> String {
        self.account.lock().unwrap().clone().unwrap_or_else(|| "active".into())
    }
}

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    let state = &shared.twilio;
    let Some(rest) = request.path.strip_prefix("/2010-04-01/Accounts/") else { return not_found(&request.path) };
    let Some(by_key) = who(state, request) else { return error(401, 20003, "Authenticate") };
    let (account, resource) = rest.split_once('/').unwrap_or((rest.trim_end_matches(".json"), ""));
    if account != ACCOUNT_SID {
        return not_found(&request.path);
    }
    let single = |folder: &str| resource.strip_prefix(folder)?.strip_suffix(".json").map(str::to_owned);
    match (request.method.as_str(), resource) {
        ("GET", "") if by_key => error(401, 70051, "Authorization Error"),
        ("GET", "") => fetch_account(state),
        ("POST", "Messages.json") => create(state, request, "SM", message_error, message),
        ("POST", "Calls.json") => create(state, request, "CA", call_error, call),
        ("GET", "Messages.json") => list(state, request, "SM", "messages"),
        ("GET", "Calls.json") => list(state, request, "CA", "calls"),
        ("GET", _) => match single("Messages/").or_else(|| single("Calls/")) {
            Some(sid) => fetch(state, &sid),
            None => not_found(&request.path),
        },
        ("POST", _) => match single("Calls/") {
            Some(sid) => end_call(state, request, &sid),
            None => not_found(&request.path),
        },
        (_, _) => error(405, 20004, "Method not allowed"),
    }
}

/// HTTP Basic: `Some(true)` for the API key, `None` when refused.
fn who(state: &State, request: &Request) -> Option<bool> {
    if *state.revoked.lock().unwrap() {
        return None;
    }
    let given = request.header("authorization");
    let is = |user: &str, password: &str| given == format!("Basic {}", base64(&format!("{user}:{password}")));
    if is(ACCOUNT_SID, AUTH_TOKEN) {
        return Some(false);
    }
    is(API_KEY, API_SECRET).then_some(true)
}

fn fetch_account(state: &State) -> Reply {
    let account = json!({
        "sid": ACCOUNT_SID, "status": state.account(), "type": "Full", "friendly_name": "stand-in",
        "auth_token": AUTH_TOKEN, "owner_account_sid": ACCOUNT_SID, "date_created": DATE,
        "uri": format!("/2010-04-01/Accounts/{ACCOUNT_SID}.json"),
    });
    Reply::json(200, account)
}

const DATE: &str = "Fri, 20 Nov 2026 07:00:00 +0000";

/// RFC 2822, in whole seconds.
fn now() -> String {
    let seconds = stentor::domain::clock::wall().0 / 1_000_000;
    let at = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    jiff::fmt::rfc2822::to_string(&at).unwrap()
}

type Form = BTreeMap<String, String>;
type Refusal = (u16, u32, &'static str);

fn create(
    state: &State,
    request: &Request,
    prefix: &str,
    refuse: fn(&Form) -> Option<Refusal>,
    make: fn(&Form) -> Value,
) -> Reply {
    if !request.header("content-type").starts_with("application/x-www-form-urlencoded") {
        return error(415, 20415, "Unsupported Media Type");
    }
    let form: Form = request.form().into_iter().collect();
    if let Some((status, code, words)) = refuse(&form) {
        return error(status, code, words);
    }
    let mut made = state.made.lock().unwrap();
    let sid = format!("{prefix}{:032x}", made.len() + 1);
    let mut document = make(&form);
    document["sid"] = sid.into();
    document["account_sid"] = ACCOUNT_SID.into();
    document["to"] = form["To"].clone().into();
    document["from"] = form.get("From").cloned().into();
    document["date_created"] = now().into();
    document["price"] = Value::Null;
    document["price_unit"] = "USD".into();
    made.push(document.clone());
    Reply::json(201, document)
}

fn message(form: &Form) -> Value {
    let service = form.contains_key("MessagingServiceSid");
    json!({
        "status": if service { "accepted" } else { "queued" }, "body": form["Body"], "error_code": null,
        "error_message": null, "num_segments": if service { "0" } else { "1" }, "num_media": "0",
        "direction": "outbound-api", "api_version": "2010-04-01",
        "messaging_service_sid": form.get("MessagingServiceSid"),
    })
}

fn call(_form: &Form) -> Value {
    json!({ "status": "queued", "duration": null, "answered_by": null, "direction": "outbound-api" })
}

fn message_error(form: &Form) -> Option<Refusal> {
    let known = ["To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "SmartEncoded"];
    let number = |name: &str| form.get(name).and_then(|n| n.strip_prefix("+1500555000")).unwrap_or_default();
    let validity = form.get("ValidityPeriod").map(|v| v.parse::<u32>());
    Some(match (number("To"), number("From")) {
        _ if form.keys().any(|k| !known.contains(&k.as_str())) => (400, 20001, "Unknown parameter"),
        _ if !form.contains_key("To") => (400, 21604, "A 'To' phone number is required."),
        _ if !is_number(&form["To"]) => (400, 21211, "The 'To' number is not a valid phone number."),
        _ if form.contains_key("From") == form.contains_key("MessagingServiceSid") => {
            (400, 21603, "A 'From' phone number is required.")
        }
        _ if form.get("From").is_some_and(|f| !is_number(f)) => (400, 21212, "The 'From' number is not valid."),
        _ if form.get("Body").is_none_or(String::is_empty) => (400, 21602, "Message body is required."),
        _ if form["Body"].chars().count() > 1600 => (400, 21617, "The concatenated message body exceeds the limit."),
        _ if validity.is_some_and(|v| !v.is_ok_and(|v| (1..=36_000).contains(&v))) => {
            (400, 21624, "The ValidityPeriod is not valid.")
        }
        ("1", _) => (400, 21211, "The 'To' number is not a valid phone number."),
        ("2", _) => (400, 21612, "The 'To' phone number is not currently reachable via SMS."),
        ("3", _) => (400, 21408, "Permission to send an SMS has not been enabled for the region."),
        ("4", _) => (400, 21610, "Attempt to send to unsubscribed recipient"),
        ("9", _) => (400, 21614, "'To' number is not a valid mobile number"),
        (_, "1") => (400, 21212, "The 'From' number is not a valid phone number."),
        (_, "7") => (400, 21606, "The 'From' number is not a valid, message-capable number."),
        (_, "8") => (429, 21611, "This 'From' number has exceeded the maximum number of queued messages"),
        _ => return None,
    })
}

fn call_error(form: &Form) -> Option<Refusal> {
    let known = ["To", "From", "Twiml", "Url", "Timeout", "TimeLimit"];
    let known = [known.as_slice(), &["StatusCallback", "StatusCallbackMethod", "StatusCallbackEvent"]].concat();
    let known = [known.as_slice(), &["MachineDetection", "AsyncAmd"]].concat();
    let test = form.get("To").and_then(|n| n.strip_prefix("+1500555000")).unwrap_or_default();
    let timeout = form.get("Timeout").map(|t| t.parse::<u32>());
    Some(match test {
        _ if form.keys().any(|k| !known.contains(&k.as_str())) => (400, 20001, "Unknown parameter"),
        _ if form
            .get("MachineDetection")
            .is_some_and(|how| !["Enable", "DetectMessageEnd"].contains(&how.as_str())) =>
        {
            (400, 21624, "The MachineDetection is not valid.")
        }
        _ if !form.contains_key("To") => (400, 21201, "No 'To' number is specified"),
        _ if !is_number(&form["To"]) => (400, 21211, "The 'To' number is not a valid phone number."),
        _ if !form.get("From").is_some_and(|f| is_number(f)) => (400, 21212, "The 'From' number is not valid."),
        _ if form.contains_key("Url") == form.contains_key("Twiml") => (400, 21205, "Url is not valid"),
        _ if timeout.is_some_and(|t| !t.is_ok_and(|t| t <= 600)) => (400, 21624, "The Timeout is not valid."),
        _ if form.get("Twiml").is_some_and(|t| t.chars().count() >= 4000 || !well_formed(t)) => {
            (400, 12100, "Document parse failure")
        }
        "1" => (400, 21217, "Phone number does not appear to be valid"),
        "2" => (400, 21214, "'To' phone number cannot be reached"),
        "3" => (400, 21215, "Account not authorized to call the number"),
        "4" => (400, 21216, "Account not allowed to call the number"),
        _ => return None,
    })
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// Whether tags nest, the outermost is `<Response>`, and every `&` begins an entity.
fn well_formed(xml: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let Some(end) = rest[at..].find('>') else { return false };
        let (text, tag) = (&rest[..at], &rest[at + 1..at + end]);
        if !entities_are_right(text) || (open.is_empty() && !text.trim().is_empty()) {
            return false;
        }
        let name = tag.trim_matches('/').split_whitespace().next().unwrap_or_default();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) if open.pop() != Some(name) => return false,
            (false, false) if open.is_empty() && name != "Response" => return false,
            (false, false) => open.push(name),
            _ => {}
        }
        rest = &rest[at + end + 1..];
    }
    open.is_empty() && rest.is_empty() && xml.starts_with("<Response>")
}

fn entities_are_right(text: &str) -> bool {
    let entities = ["amp;", "lt;", "gt;", "quot;", "apos;"];
    text.split('&').skip(1).all(|after| entities.iter().any(|e| after.starts_with(e)))
        && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// Some time later: delivered, or answered, and billed.
fn fetch(state: &State, sid: &str) -> Reply {
    let made = state.made.lock().unwrap();
    match made.iter().find(|d| d["sid"] == sid) {
        Some(document) => {
            let mut document = document.clone();
            let is_call = sid.starts_with("CA");
            document["status"] = if is_call { "completed" } else { "delivered" }.into();
            if let Some((status, code)) = state.later() {
                document["status"] = status.into();
                document["error_code"] = code.into();
            }
            document["price"] = if is_call { "-0.01400" } else { "-0.00790" }.into();
            Reply::json(200, document)
        }
        None => not_found(sid),
    }
}

/// Hung up, or never to ring.
fn end_call(state: &State, request: &Request, sid: &str) -> Reply {
    let form: Form = request.form().into_iter().collect();
    let known = state.made.lock().unwrap().iter().any(|d| d["sid"] == sid);
    match form.get("Status").map(String::as_str) {
        _ if !known => not_found(sid),
        Some("completed" | "canceled") => fetch(state, sid),
        _ => error(400, 20001, "Invalid parameter"),
    }
}

fn list(state: &State, request: &Request, prefix: &str, name: &str) -> Reply {
    let made = state.made.lock().unwrap();
    let size = request.query.get("PageSize").and_then(|n| n.parse().ok()).unwrap_or(50);
    let to = request.query.get("To");
    let fits = |d: &&Value| {
        d["sid"].as_str().is_some_and(|s| s.starts_with(prefix)) && to.is_none_or(|to| d["to"] == to.as_str())
    };
    let page: Vec<_> = made.iter().rev().filter(fits).take(size).collect();
    Reply::json(200, json!({ name: page, "page": 0, "page_size": size, "next_page_uri": null }))
}

fn not_found(what: &str) -> Reply {
    error(404, 20404, &format!("The requested resource {what} was not found"))
}

fn error(status: u16, code: u32, message: &str) -> Reply {
    let more_info = format!("https://www.twilio.com/docs/errors/{code}");
    Reply::json(status, json!({ "code": code, "message": message, "more_info": more_info, "status": status }))
}

/// What Twilio says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        401 => error(401, 20003, "Authenticate"),
        403 => error(403, 70051, "Authorization Error"),
        429 => error(429, 20429, "Too Many Requests"),
        500 => error(500, 20500, "Internal Server Error"),
        503 => error(503, 20503, "Service Unavailable"),
        _ => error(status, u32::from(status), "stand-in error"),
    }
}

/// 201, and failed already.
pub fn failed_at_once() -> Reply {
    let document = json!({
        "sid": "SMffffffffffffffffffffffffffffffff", "status": "failed", "error_code": 30007,
        "error_message": "Message filtered", "price": null,
    });
    Reply::json(201, document)
}

/// RFC 4648, 4.
pub fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            out.push(if i <= chunk.len() { letter(bits >> (18 - 6 * i)) } else { '=' });
        }
    }
    out
}
