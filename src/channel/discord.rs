//! Discord by a webhook: one fixed place, the URL is the credential.
//!
//! `POST ...?wait=true`, JSON; 200 and the message's `id` are a success: without `wait` Discord says
//! 204 before it has kept anything (docs.discord.com/developers/resources/webhook). The headline is
//! the content, the rest an embed with the colour of the level; nothing in it can ping anybody, and
//! marks in the text are shown as they are. There is no idempotency: a lost answer may mean a
//! second message. When Discord says that no request is left, the next one waits as long as it said.
//!
//! Settings: `webhook_url` (the whole URL, a secret), `username` (the name it writes under, at most
//! 80 letters), `avatar_url`, `thread_id` (of a thread of the webhook's channel) or `forum` (the channel is a
//! forum: each incident is a post there, named as its first message begins, and what follows stands under
//! it; so is each message that belongs to none), and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed, markdown};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::time::Span;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub const KIND: Kind = Kind { name: "discord", sort: Sort::Fixed, provider: "discord", format: Format::Chat, read };

/// Of `content`, and of an embed's `description`; in UTF-16 units, the stricter of the ways to count.
const CONTENT: usize = 2000;
const DESCRIPTION: usize = 4096;
/// Letters of a post's name.
const NAME: usize = 100;
/// What means something in Discord's markdown.
const MARKS: &str = "\\*_~`|>#[]<";
/// `Unknown Channel`, also of a thread.
const NO_CHANNEL: &str = "10003";
/// An attempt waits so long for its turn; what must wait longer goes back to the queue.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Discord {
    /// Without our query.
    hook: Endpoint,
    url: Endpoint,
    username: Option<String>,
    avatar_url: Option<String>,
    /// Each incident is a post.
    forum: bool,
    way: Way,
    /// Not before this time: no request was left.
    held: Mutex<Option<Instant>>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let username = table.parsed("username", name);
    let avatar_url = table.text("avatar_url").filter(|url| !url.is_empty());
    let thread = table.parsed("thread_id", |id| match id.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(id.to_owned()),
        false => Err(format!("{id:?} is not the id of a thread; it is all digits")),
    });
    let forum = table.flag("forum").unwrap_or(false);
    if forum && table.has("thread_id") {
        table.error("thread_id", "in a forum each incident has a thread of its own", "leave out thread_id or forum");
    }
    let hook = http::secret_url(table, "webhook_url", "https://discord.com/api/v10/webhooks/ID/TOKEN", way.reach)?;
    way.hide(hook.hidden());
    let url = hook.clone().with("wait", "true");
    let url = thread.filter(|id| !id.is_empty()).iter().fold(url, |url, id| url.with("thread_id", id));
    Some(Arc::new(Discord { hook, url, username, avatar_url, forum, way, held: Mutex::default() }))
}

/// Discord refuses these words in a name.
fn name(text: &str) -> Result<String, String> {
    let lower = text.to_lowercase();
    match ["discord", "clyde"].iter().find(|word| lower.contains(**word)) {
        Some(word) => Err(format!("{text:?} holds {word:?}, which Discord refuses; write another name")),
        None if text.chars().count() > 80 => Err("the name is longer than 80 letters; write a shorter one".into()),
        None => Ok(text.to_owned()),
    }
}

impl Discord {
    fn document(&self, out: &Outgoing) -> Value {
        let (first, rest) = markdown::headline(&out.text.text);
        let mut document = json!({
            "content": markdown::escape(first, MARKS, CONTENT),
            "allowed_mentions": { "parse": [] },
        });
        if !rest.is_empty() {
            let rest = markdown::escape(rest, MARKS, DESCRIPTION);
            document["embeds"] = json!([{ "description": rest, "color": out.matter.colour(out.level) }]);
        }
        if self.forum && self.post_of(out).is_none() {
            document["thread_name"] = http::shorten(first, NAME).into();
        }
        let settings = [("username", &self.username), ("avatar_url", &self.avatar_url)];
        for (key, value) in settings {
            if let Some(value) = value.as_ref().filter(|v| !v.is_empty()) {
                document[key] = value.as_str().into();
            }
        }
        document
    }

    /// The post of the same incident, where there is one already.
    fn post_of<'a>(&self, out: &'a Outgoing) -> Option<&'a str> {
        let first = out.matter.incident.as_ref()?.first.as_deref().filter(|_| self.forum)?;
        first.split_once('/').map(|(post, _)| post)
    }

    /// Waits for its turn, if that comes soon.
    async fn turn(&self) -> Result<(), Failure> {
        let until = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = until.map_or(Duration::ZERO, |t| t.saturating_duration_since(Instant::now()));
        if wait > PATIENCE {
            let failure = Failure::new(FailureClass::RateLimited, Blame::Channel, "Discord takes no more for now");
            return Err(failure.retry_after(Some(Span::from_std(wait))));
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// What the answer says of the next request.
    fn heed(&self, answer: &Answer) {
        let seconds = || answer.header("x-ratelimit-reset-after")?.parse::<f64>().ok();
        let wait = match answer.header("x-ratelimit-remaining") {
            Some("0") => seconds().and_then(|s| Duration::try_from_secs_f64(s).ok()),
            _ => None,
        };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = wait.map(|wait| Instant::now() + wait);
    }

    async fn post(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        self.turn().await?;
        match self.say(out).await {
            // Somebody has deleted the post.
            Err(failure) if failure.code.as_deref() == Some(NO_CHANNEL) && self.post_of(out).is_some() => {
                let mut anew = out.clone();
                anew.matter.incident.iter_mut().for_each(|incident| incident.first = None);
                self.say(&anew).await
            }
            said => said,
        }
    }

    async fn say(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let body = self.document(out);
        let answer = self.way.send(Method::POST, &self.place(out), |r| r.json(&body)).await?;
        self.heed(&answer);
        judge(&answer, self.forum)
    }

    fn place(&self, out: &Outgoing) -> Endpoint {
        self.post_of(out).iter().fold(self.url.clone(), |url, post| url.with("thread_id", post))
    }
}

impl Channel for Discord {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.post(out).await) })
    }

    /// The webhook describes itself to whoever has its URL.
    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let answer = self.way.send(Method::GET, &self.hook, |r| r).await.map_err(http::harmless)?;
            if !answer.is_success() {
                return Err(http::harmless(refused(&answer)));
            }
            let known = answer.json().is_some_and(|hook| hook["id"].is_string() && hook["type"].is_u64());
            if known { Ok("the webhook is there".into()) } else { Err(http::not_theirs(&answer, "Discord")) }
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        format!("POST {}/[secret]\nContent-Type: application/json\n\n{:#}", self.url.place(), self.document(out))
    }
}

/// In a forum the message's id comes after that of its post, which its first message has given its own.
fn judge(answer: &Answer, forum: bool) -> Result<AttemptResult, Failure> {
    if !answer.is_success() {
        return Err(refused(answer));
    }
    let document = answer.json().unwrap_or_default();
    match document["id"].as_str() {
        Some(id) => {
            let post = document["channel_id"].as_str().unwrap_or(id);
            let provider_id = Some(if forum { format!("{post}/{id}") } else { id.to_owned() });
            Ok(AttemptResult::Delivered { provider_id, detail: "Discord keeps it".into() })
        }
        None => Err(http::not_theirs(answer, "Discord")),
    }
}

/// `{"message", "code", "errors"?}`; at 429 `retry_after` in seconds, with fractions.
fn refused(answer: &Answer) -> Failure {
    use FailureClass::{AuthError, ProviderError, ValidationError};
    let document = answer.json().unwrap_or_default();
    let words = document["message"].as_str().map_or_else(|| answer.words(), |m| with_errors(m, &document["errors"]));
    let code = document["code"].as_u64().filter(|code| *code > 0);
    let failure = match (answer.status, code) {
        (401 | 403, _) | (_, Some(50027)) => Failure::new(AuthError, Blame::Account, words),
        // The webhook is gone: nothing works until somebody mends the config.
        (404, _) | (_, Some(10015)) => Failure::new(ProviderError, Blame::Account, words),
        (400 | 413, _) => Failure::new(ValidationError, Blame::Message, words),
        _ => http::by_status(answer, words),
    };
    let wait = document["retry_after"].as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok());
    let failure = failure.retry_after(wait.map(Span::from_std).or(answer.retry_after));
    match code {
        Some(code) => failure.code(code),
        None => failure.code(answer.status),
    }
}

/// Which field is wrong, where Discord says so.
fn with_errors(message: &str, errors: &Value) -> String {
    if errors.is_null() { message.to_owned() } else { format!("{message}: {errors}") }
}
