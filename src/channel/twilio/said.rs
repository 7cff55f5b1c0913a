//! What Twilio says of a message or a call, by a callback or when asked for it.

use crate::channel::twilio::{Account, errors};
use crate::domain::event::{Heard, Price, Said};
use crate::domain::failure::Failure;
use crate::domain::money::Money;
use crate::net::Method;
use serde_json::Value;

/// `None` for a word that says nothing.
pub(super) fn of_message(status: &str, code: Option<u64>, words: Option<&str>) -> Option<Said> {
    Some(match status {
        "accepted" | "scheduled" | "queued" | "sending" => Said::Queued,
        // It may be the last word ever: not every carrier reports.
        "sent" | "partially_delivered" => Said::Sent,
        "delivered" | "read" => Said::Delivered,
        "failed" | "undelivered" | "canceled" => Said::Failed(errors::later(code, words, status)),
        _ => return None,
    })
}

/// A machine picked up: nobody has heard it. The word is ours, for people.
const VOICE_MAIL: &str = "voice-mail";

/// The status of a call, where Twilio knows who has answered it.
fn answered<'a>(status: &'a str, by: Option<&str>) -> &'a str {
    let machine = by.is_some_and(|by| by.starts_with("machine") || by == "fax");
    if status == "completed" && machine { VOICE_MAIL } else { status }
}

/// That somebody, or something, picked up is all that `completed` means.
pub(super) fn of_call(status: &str, code: Option<u64>, words: Option<&str>) -> Option<Said> {
    Some(match status {
        "queued" | "initiated" => Said::Queued,
        "ringing" | "in-progress" | "answered" => Said::Sent,
        "completed" => Said::Delivered,
        "busy" | "no-answer" | VOICE_MAIL => Said::Unanswered,
        "failed" | "canceled" => Said::Failed(errors::later(code, words, status)),
        _ => return None,
    })
}

/// Of the fields of a callback: which id, which status.
pub(super) fn in_form(form: &[(String, String)], call: bool) -> Option<Heard> {
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty());
    let code = field("ErrorCode").and_then(|code| code.parse().ok());
    let (id, status) = match call {
        false => (field("MessageSid").or(field("SmsSid"))?, field("MessageStatus").or(field("SmsStatus"))?),
        true => (field("CallSid")?, answered(field("CallStatus")?, field("AnsweredBy"))),
    };
    let said = if call { of_call(status, code, None) } else { of_message(status, code, field("ErrorMessage")) }?;
    Some(Heard { provider_id: id.to_owned(), status: status.to_owned(), said, price: None })
}

impl Account {
    /// `GET .../Messages/{Sid}.json` or `.../Calls/{Sid}.json`.
    pub(super) async fn look_up(&self, list: &str, sid: &str) -> Result<Heard, Failure> {
        let from = self.resource(&[&self.sid, list, &format!("{sid}.json")]);
        let dress = |r: crate::net::RequestBuilder| r.basic_auth(&self.user, Some(self.password.reveal()));
        let answer = self.way.send(Method::GET, &from, dress).await?;
        let document = answer.json().unwrap_or_default();
        let text = |key: &str| document[key].as_str();
        if !answer.is_success() {
            return Err(errors::refused(&answer, document["code"].as_u64(), text("message").map(str::to_owned)));
        }
        let status = answered(text("status").unwrap_or_default(), text("answered_by"));
        let (code, words) = (document["error_code"].as_u64(), text("error_message"));
        let said = if list == "Calls" { of_call(status, code, words) } else { of_message(status, code, words) };
        let heard = said.filter(|_| text("sid") == Some(sid)).map(|said| Heard {
            provider_id: sid.to_owned(),
            status: status.to_owned(),
            said,
            price: price(&document),
        });
        heard.ok_or_else(|| crate::channel::http::not_theirs(&answer, "Twilio"))
    }

    /// Ends a call.
    pub(super) async fn hang_up(&self, sid: &str, picked_up: bool) -> Result<(), Failure> {
        let to = self.resource(&[&self.sid, "Calls", &format!("{sid}.json")]);
        let form = [("Status", if picked_up { "completed" } else { "canceled" })];
        let dress = |r: crate::net::RequestBuilder| r.basic_auth(&self.user, Some(self.password.reveal())).form(&form);
        let answer = self.way.send(Method::POST, &to, dress).await?;
        if answer.is_success() {
            return Ok(());
        }
        let document = answer.json().unwrap_or_default();
        let words = document["message"].as_str().map(str::to_owned);
        Err(errors::refused(&answer, document["code"].as_u64(), words))
    }
}

/// A negative text, null until it is billed: `"-0.00790"`.
fn price(document: &Value) -> Option<Price> {
    let currency = document["price_unit"].as_str().unwrap_or("USD");
    let money = Money::reported(document["price"].as_str()?, currency)?;
    let segments = document["num_segments"].as_str().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    Some(Price { money, segments })
}
