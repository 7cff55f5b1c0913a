//! `[hooks.NAME]`: other programs that get events, in order.

use crate::channel;
use crate::config::Kinds;
use crate::config::model::HookConfig;
use crate::config::read::entries::{by_name, named, some_time};
use crate::domain::time::Span;
use crate::settings::Table;
use std::collections::BTreeMap;

const TIMEOUT: Span = Span::secs(15);
const ALARM_AFTER: Span = Span::mins(15);

pub fn read(root: &mut Table<'_>) -> BTreeMap<String, HookConfig> {
    by_name(named(root, "hooks"), hook)
}

fn hook(table: &mut Table<'_>) -> Option<HookConfig> {
    let patterns = table.texts("events").unwrap_or_default();
    let kinds = Kinds::parse(&patterns).map_err(|why| {
        let (message, hint) = why.split_once("; ").unwrap_or((&why, "see docs/events.md"));
        table.error("events", message, hint);
    });
    let timeout = some_time(table, "timeout").unwrap_or(TIMEOUT);
    let alarm_after = some_time(table, "alarm_after").unwrap_or(ALARM_AFTER);
    for key in ["method", "content_type", "body", "format"] {
        if table.has(key) {
            table.error(
                key,
                "what a receiver of events gets has one form",
                "leave it out; a channel of kind \"webhook\" has it",
            );
        }
    }
    // On the wire it is a webhook: same settings, same signature, same care for secrets.
    let adapter = (channel::kind("webhook")?.read)(table)?;
    Some(HookConfig { kinds: kinds.ok()?, timeout, alarm_after, adapter })
}
