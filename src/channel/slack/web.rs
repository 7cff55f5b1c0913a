//! The Web API: `chat.postMessage`, `chat.update`, and `auth.test` as the probe
//! (docs.slack.dev/reference/methods).
//!
//! JSON with a charset, `Authorization: Bearer`. The status is 200 for nearly everything: what
//! counts is `ok`. A message's id is its channel's id and its `ts`, joined by a slash.

use crate::channel::http::{self, Way};
use crate::channel::matter::Occasion;
use crate::channel::slack::{LONGEST, Persona, escape};
use crate::channel::{Channel, Outgoing, Probed, markdown};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// Letters of a section, with its entities.
const SECTION: usize = 3000;
/// What makes Slack refuse a message for what is in it; the same as plain text may pass.
const FORM: &[&str] = &[
    "msg_too_long",
    "no_text",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_arguments",
    "invalid_attachments",
    "too_many_attachments",
];

#[derive(Debug)]
pub(super) struct Web {
    base: Endpoint,
    token: Secret,
    channel: String,
    persona: Persona,
    /// One thread for each incident.
    thread: bool,
    way: Way,
}

/// A message that Slack keeps.
struct Kept<'a> {
    channel: &'a str,
    ts: &'a str,
}

impl Web {
    pub fn read(
        table: &mut Table<'_>,
        mut way: Way,
        persona: Persona,
        base: Option<Endpoint>,
        thread: bool,
    ) -> Option<Web> {
        let token = table.require_secret("token", "${SLACK_BOT_TOKEN}");
        let channel = table.require_text("channel", "#alarms");
        let token = token?;
        way.hide([token.reveal()]);
        Some(Web { base: base?, token, channel: channel?, persona, thread, way })
    }

    /// The first message about the same incident, if there is one to answer to.
    fn first<'a>(&self, out: &'a Outgoing) -> Option<Kept<'a>> {
        let first = out.matter.incident.as_ref()?.first.as_deref().filter(|_| self.thread)?;
        let (channel, ts) = first.split_once('/')?;
        Some(Kept { channel, ts })
    }

    fn message(&self, out: &Outgoing, under: Option<&Kept<'_>>) -> Value {
        let mut message = content(out, &out.text.text);
        message["channel"] = under.map_or(self.channel.as_str(), |first| first.channel).into();
        message["unfurl_links"] = false.into();
        if let Some(first) = under {
            message["thread_ts"] = first.ts.into();
            // Who sleeps through a thread is to see that it goes on; a notice disturbs nobody.
            let loud = !matches!(out.matter.occasion, Occasion::Acknowledged | Occasion::Resolved);
            message["reply_broadcast"] = loud.into();
        }
        self.persona.sign(&mut message);
        message
    }

    /// What the first message becomes: how it stands, and what it was about.
    fn changed(out: &Outgoing, first: &Kept<'_>) -> Value {
        let (headline, _) = markdown::headline(&out.text.text);
        let mut message = content(out, &format!("{headline}\n{}", out.matter.body));
        message["channel"] = first.channel.into();
        message["ts"] = first.ts.into();
        message
    }

    /// Posts it; refused for its form, once more as plain text.
    async fn post(&self, out: &Outgoing, under: Option<&Kept<'_>>) -> Result<AttemptResult, Failure> {
        let mut message = self.message(out, under);
        let mut answer = self.call("chat.postMessage", &message).await?;
        if error_of(&answer).is_some_and(|error| FORM.contains(&error.as_str())) {
            message["text"] = escape(&http::shorten(&out.text.text, LONGEST)).into();
            if let Some(fields) = message.as_object_mut() {
                let bare = ["channel", "text", "thread_ts"];
                fields.retain(|field, _| bare.contains(&field.as_str()));
            }
            answer = self.call("chat.postMessage", &message).await?;
        }
        kept(&answer)
    }

    async fn tell(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let Some(first) = self.first(out) else { return self.post(out, None).await };
        let said = match self.post(out, Some(&first)).await {
            // Somebody has deleted the first message.
            Err(failure) if matches!(failure.code.as_deref(), Some("thread_not_found" | "message_not_found")) => {
                return self.post(out, None).await;
            }
            said => said?,
        };
        if !matches!(out.matter.occasion, Occasion::Acknowledged | Occasion::Resolved) {
            return Ok(said);
        }
        let changed = self.call("chat.update", &Web::changed(out, &first)).await.and_then(|answer| kept(&answer));
        match (said, changed) {
            // It was said; that the first message looks as before loses nothing.
            (AttemptResult::Delivered { provider_id, detail }, Err(failure)) => {
                let detail = format!("{detail}; the first message could not be changed: {}", failure.said());
                Ok(AttemptResult::Delivered { provider_id, detail })
            }
            (said, _) => Ok(said),
        }
    }

    async fn call(&self, method: &str, body: &Value) -> Result<Answer, Failure> {
        let dress = |r: crate::net::RequestBuilder| {
            r.bearer_auth(self.token.reveal())
                .header("Content-Type", "application/json; charset=utf-8")
                .body(body.to_string())
        };
        self.way.send(Method::POST, &self.base.join(&[method]), dress).await
    }

    async fn test(&self) -> Probed {
        let answer = self.call("auth.test", &json!({})).await?;
        let document = fine(&answer)?;
        let (team, user) = (document["team"].as_str(), document["user"].as_str());
        Ok(format!("token accepted, {} in {}", user.unwrap_or("a bot"), team.unwrap_or("its workspace")))
    }
}

/// The headline as text, which is also what a phone shows, and the rest beside a bar of the level's
/// colour.
fn content(out: &Outgoing, text: &str) -> Value {
    let text = http::shorten(text, LONGEST);
    let (headline, rest) = markdown::headline(&text);
    let sections: Vec<Value> = sections(rest)
        .into_iter()
        .map(|text| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } }))
        .collect();
    let mut message = json!({ "text": escape(headline) });
    let colour = format!("#{:06x}", out.matter.colour(out.level));
    // An empty list takes the old ones away when a message is changed.
    message["attachments"] =
        if sections.is_empty() { json!([]) } else { json!([{ "color": colour, "blocks": sections }]) };
    message
}

/// The text in pieces that fit, none ending inside an entity or a link. Slack is told to look for nothing in
/// it (`verbatim`), or a stranger's `@channel` would wake everybody; links are therefore written as links.
fn sections(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for part in text.split_inclusive(char::is_whitespace).flat_map(parts) {
        match pieces.last_mut() {
            Some(piece) if piece.chars().count() + part.chars().count() <= SECTION => piece.push_str(&part),
            _ => pieces.push(part),
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

/// What of a word stays whole: a link, or each letter.
fn parts(word: &str) -> Vec<String> {
    let letters = |text: &str| text.chars().map(|c| escape(c.encode_utf8(&mut [0; 4]))).collect::<Vec<String>>();
    let is_end = |c: char| c.is_whitespace() || ".,;:!?)'\"".contains(c);
    let link = word.trim_end_matches(is_end);
    // A bar would begin the link's name.
    let written = format!("<{}>", escape(&link.replace('|', "%7C")));
    let begins = link.starts_with("https://") || link.starts_with("http://");
    if !begins || written.chars().count() > SECTION {
        return letters(word);
    }
    std::iter::once(written).chain(letters(&word[link.len()..])).collect()
}

impl Channel for Web {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.tell(out).await) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move { self.test().await.map_err(http::harmless) })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let message = self.message(out, self.first(out).as_ref());
        let to = self.base.join(&["chat.postMessage"]).shown();
        let head = format!("POST {to}\nAuthorization: Bearer [secret]");
        format!("{head}\nContent-Type: application/json; charset=utf-8\n\n{message:#}")
    }
}

/// `{"ok": true, "channel", "ts"}`.
fn kept(answer: &Answer) -> Result<AttemptResult, Failure> {
    let document = fine(answer)?;
    match (document["channel"].as_str(), document["ts"].as_str()) {
        (Some(channel), Some(ts)) => Ok(AttemptResult::Delivered {
            provider_id: Some(format!("{channel}/{ts}")),
            detail: "Slack says ok".into(),
        }),
        _ => Err(http::not_theirs(answer, "Slack")),
    }
}

fn error_of(answer: &Answer) -> Option<String> {
    answer.json()?["error"].as_str().map(str::to_owned)
}

fn fine(answer: &Answer) -> Result<Value, Failure> {
    let document = answer.json().unwrap_or_default();
    if answer.is_success() && document["ok"] == true {
        return Ok(document);
    }
    let Some(error) = document["error"].as_str() else {
        return Err(if answer.is_success() {
            http::not_theirs(answer, "Slack")
        } else {
            http::by_status(answer, answer.words())
        });
    };
    let mut words = error.to_owned();
    for more in document["response_metadata"]["messages"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        words += &format!("; {more}");
    }
    let failure = match meaning(error) {
        Some((class, blame)) => Failure::new(class, blame, words).retry_after(answer.retry_after),
        None if answer.is_success() => Failure::new(FailureClass::ProviderError, Blame::Provider, words),
        None => http::by_status(answer, words),
    };
    let lost = matches!(error, "fatal_error" | "internal_error" | "service_unavailable" | "request_timeout");
    Err(if lost { failure.code(error).unknown() } else { failure.code(error) })
}

fn meaning(error: &str) -> Option<(FailureClass, Blame)> {
    use FailureClass::{AuthError, ProviderError, RateLimited, Timeout, ValidationError};
    Some(match error {
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" | "no_permission"
        | "missing_scope" | "ekm_access_denied" => (AuthError, Blame::Account),
        // Nothing works by this channel until somebody mends it.
        "channel_not_found" | "not_in_channel" | "is_archived" | "restricted_action" => (ProviderError, Blame::Account),
        "msg_too_long"
        | "no_text"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_arguments"
        | "invalid_attachments"
        | "too_many_attachments" => (ValidationError, Blame::Message),
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => (RateLimited, Blame::Channel),
        "fatal_error" | "internal_error" | "service_unavailable" => (ProviderError, Blame::Channel),
        "request_timeout" => (Timeout, Blame::Channel),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_one_and_a_mention_is_none() {
        let text = "@channel see https://x.example/a?b=1&c=<2>|x.\nthen (http://y.example/) ftp://z";
        let said = "@channel see <https://x.example/a?b=1&amp;c=&lt;2&gt;%7Cx>.\nthen (http://y.example/) ftp://z";
        assert_eq!(sections(text), [said]);
    }

    #[test]
    fn a_section_ends_between_letters_and_never_in_an_entity() {
        let pieces = sections(&"&".repeat(1300));
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [3000, 3000, 500]);
        assert!(pieces.iter().all(|piece| piece.ends_with("&amp;")));
        assert!(sections("").is_empty() && sections(" \n").is_empty());
        let long = format!("{} https://x.example/a", "x".repeat(2_995));
        assert_eq!(sections(&long)[1], "<https://x.example/a>");
    }
}
