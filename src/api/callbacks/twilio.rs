//! Twilio: forms, answered with 204 or with TwiML.

use super::Received;
use super::receive::keyed;
use crate::api::Api;
use crate::channel::{Callback, Spoken, twilio};
use crate::domain::event::Heard;
use crate::engine::{Called, Keyed, Pressed, Wrote};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const LONGEST: usize = 64 << 10;
const PROVIDER: &str = "twilio";
/// Nothing is answered to a message by this way: what we have to say goes out as a delivery.
const NO_REPLY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
/// The engine cannot be asked, so nothing can be done about the key.
const LATER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say>Stentor cannot take this now. Please use \
                     another way.</Say></Response>";

pub async fn status(State(api): State<Arc<Api>>, Path(key): Path<String>, request: Request) -> Response {
    report(&api, &key, request, twilio::message_in).await
}

pub async fn call(State(api): State<Arc<Api>>, Path(key): Path<String>, request: Request) -> Response {
    report(&api, &key, request, twilio::call_in).await
}

async fn report(api: &Api, key: &str, request: Request, read: fn(&[(String, String)]) -> Option<Heard>) -> Response {
    let received = match Received::read(api, PROVIDER, LONGEST, request).await {
        Ok(received) => received,
        Err(answer) => return answer,
    };
    // A word that is new to us says nothing, and is no mistake of Twilio's.
    let (Some(keyed), Some(heard)) = (keyed(key), read(&received.form())) else {
        received.unknown(api);
        return StatusCode::NO_CONTENT.into_response();
    };
    match received.tell(api, Called::Reported { keyed, heard }).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// A key was pressed; or nothing yet, and the text is wanted.
pub async fn gather(State(api): State<Arc<Api>>, Path(key): Path<String>, request: Request) -> Response {
    let received = match Received::read(&api, PROVIDER, LONGEST, request).await {
        Ok(received) => received,
        Err(answer) => return answer,
    };
    let form = received.form();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let Some(keyed) = keyed(&key) else {
        received.unknown(&api);
        return xml("<Response><Hangup/></Response>".to_owned());
    };
    let pressed =
        Pressed { keyed: keyed.clone(), call: field("CallSid").to_owned(), digits: field("Digits").to_owned() };
    let Ok(answer) = received.tell(&api, Called::Pressed(pressed)).await else { return xml(LATER.to_owned()) };
    let config = api.handle.config();
    let channel = answer["channel"].as_str().unwrap_or(&received.channel);
    let remark = answer["say"].as_str().unwrap_or_default();
    let action = again(&api, &keyed);
    let menu = answer["text"].as_str().zip(action.as_deref());
    let voices = config.channels.get(channel).into_iter().chain(config.channels.values());
    let spoken = voices
        .filter(|c| c.kind.provider == PROVIDER)
        .filter_map(|c| c.adapter.confirmer())
        .map(|c| c.speak(&Spoken { remark, menu }))
        .find(|twiml| !twiml.is_empty());
    xml(spoken.unwrap_or_else(|| LATER.to_owned()))
}

/// Where the next key goes.
fn again(api: &Api, keyed: &Keyed) -> Option<String> {
    let public_url = api.handle.config().http.as_ref()?.public_url.clone()?;
    let key = format!("{}.{}.{}", keyed.delivery, keyed.n, keyed.nonce);
    Some(Callback { public_url, key, keys: true }.url("twilio/gather"))
}

/// Somebody wrote to one of our numbers.
pub async fn sms(State(api): State<Arc<Api>>, request: Request) -> Response {
    let received = match Received::read(&api, PROVIDER, LONGEST, request).await {
        Ok(received) => received,
        Err(answer) => return answer,
    };
    let form = received.form();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let (Some(from), Some(provider_id)) = (field("From"), field("MessageSid").or(field("SmsSid"))) else {
        return received.malformed(&api).await;
    };
    let opted_out = match field("OptOutType").as_deref() {
        Some("STOP") => Some(true),
        Some("START") => Some(false),
        _ => None,
    };
    let to = field("To").unwrap_or_default();
    let channel = super::receive::channel_of(&api, PROVIDER, &to, &received.channel);
    let wrote = Wrote { channel, provider_id, from, text: field("Body").unwrap_or_default(), opted_out };
    match received.tell(&api, Called::Wrote(wrote)).await {
        Ok(_) => xml(NO_REPLY.to_owned()),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn xml(text: String) -> Response {
    ([(CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}
