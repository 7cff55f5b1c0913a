//! Slack: one fixed place, by an incoming webhook, or by the Web API with a token and a channel.
//!
//! By the webhook a message is its text, and no more. By the Web API each incident is a thread: its
//! first message begins it, what follows is said in it (a further step and a reminder are shown in
//! the channel, too), and an acknowledgement and the end also change the first message.
//! There is no idempotency in either: a lost answer may mean a second message.
//!
//! Settings: `webhook_url` (the whole URL, a secret); or `token` (of a bot, `xoxb-...`) and `channel`
//! (an id, or "#name"), with `thread` (default true) and `base_url` (default
//! `https://slack.com/api`). With both: `username`, `icon_emoji` (":siren:") or `icon_url`, which
//! need the right `chat:write.customize`; webhooks of today ignore them. And those of [`http`].

mod web;
mod webhook;

use crate::channel::http::{self, Way};
use crate::channel::slack::web::Web;
use crate::channel::slack::webhook::Webhook;
use crate::channel::{Channel, Format, Kind};
use crate::domain::delivery::Sort;
use crate::settings::Table;
use serde_json::Value;
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "slack", sort: Sort::Fixed, provider: "slack", format: Format::Chat, read };

/// Slack advises against longer texts and cuts them itself at ten times as much.
const LONGEST: usize = 4000;

/// Whom it writes as.
#[derive(Debug, Default)]
struct Persona {
    username: Option<String>,
    icon_emoji: Option<String>,
    icon_url: Option<String>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let way = Way::read(table);
    let persona = Persona::read(table);
    let base = http::base_url(table, "https://slack.com/api", way.reach);
    let thread = table.flag("thread").unwrap_or(true);
    table.known(&["token", "channel", "webhook_url"]);
    if !table.has("token") && !table.has("channel") {
        return Webhook::read(table, way, persona).map(|hook| Arc::new(hook) as Arc<dyn Channel>);
    }
    if table.has("webhook_url") {
        let hint = "leave out webhook_url, or token and channel";
        table.error("webhook_url", "either an incoming webhook, or a token and a channel", hint);
    }
    let web = Web::read(table, way, persona, base, thread)?;
    Some(Arc::new(web))
}

impl Persona {
    fn read(table: &mut Table<'_>) -> Persona {
        let mut filled = |key: &str| table.text(key).filter(|text| !text.is_empty());
        let persona =
            Persona { username: filled("username"), icon_emoji: filled("icon_emoji"), icon_url: filled("icon_url") };
        if persona.icon_emoji.is_some() && persona.icon_url.is_some() {
            table.error("icon_url", "either icon_emoji or icon_url", "leave one of them out");
        }
        persona
    }

    fn sign(&self, document: &mut Value) {
        let parts = [("username", &self.username), ("icon_emoji", &self.icon_emoji), ("icon_url", &self.icon_url)];
        for (key, value) in parts {
            if let Some(value) = value {
                document[key] = value.as_str().into();
            }
        }
    }
}

/// The three characters that mean something to Slack, so that no text makes a link or a mention.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
