//! `[channels.NAME]`: what every channel has; the rest is read by its kind.

use crate::channel::{Channel, Format, Kind, apprise};
use crate::config::absent::Absent;
use crate::config::model::{ChannelConfig, Retry, SoundSettings, Updates};
use crate::config::options::LoadOptions;
use crate::config::read::book::Book;
use crate::config::read::entries::{by_name, named, some_time};
use crate::config::read::limits;
use crate::config::read::templates;
use crate::domain::delivery::{Medium, Sort};
use crate::domain::time::Span;
use crate::message::Form;
use crate::settings::{Piece, Table, suggestion};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const TIMEOUT: Span = Span::secs(15);

pub fn read(root: &mut Table<'_>, options: &LoadOptions<'_>, book: Book<'_>) -> BTreeMap<String, ChannelConfig> {
    let mut channels = by_name(named(root, "channels"), |table| channel(table, options, book));
    for channel in channels.values() {
        if let Some(via) = channel.via.as_ref().and_then(|name| channels.get(name)) {
            channel.adapter.connect_via(via.adapter.clone());
        }
    }
    // What sends through a channel that sends nothing sends nothing.
    let simulated: BTreeSet<String> = channels.values().filter(|c| c.simulate).map(|c| c.name.clone()).collect();
    for channel in channels.values_mut() {
        channel.simulate |= channel.via.as_ref().is_some_and(|via| simulated.contains(via));
    }
    channels
}

fn channel(table: &mut Table<'_>, options: &LoadOptions<'_>, book: Book<'_>) -> Option<ChannelConfig> {
    if table.has("apprise") { by_apprise(table, options, book) } else { by_kind(table, options, book) }
}

/// A URL in place of a kind and its settings; what is written beside it wins.
fn by_apprise(table: &mut Table<'_>, options: &LoadOptions<'_>, book: Book<'_>) -> Option<ChannelConfig> {
    let url = table.require_secret("apprise", "slack://A/B/C");
    // What else is written is read with what the URL stands for.
    table.ignore_unknown();
    if table.has("kind") {
        table.error("kind", "the URL in apprise says which kind it is", "leave kind out, or apprise");
        return None;
    }
    let url = url?;
    let pieces = match url.is_empty() {
        // Only where secrets may be missing: nobody can say which kind it is.
        true => vec![("kind", Piece::Text("webhook".into()))],
        false => match apprise::settings(url.reveal()) {
            Ok(pieces) => pieces,
            Err(why) => {
                let (message, hint) = why.split_once("; ").unwrap_or((&why, "see docs/config.md"));
                table.error("apprise", message, hint);
                return None;
            }
        },
    };
    let tree = table.expanded("apprise", pieces);
    by_kind(&mut table.over(&tree), options, book)
}

fn by_kind(table: &mut Table<'_>, options: &LoadOptions<'_>, book: Book<'_>) -> Option<ChannelConfig> {
    let kind = kind(table, options);
    let simulate = table.flag("simulate").unwrap_or(false);
    if simulate {
        table.simulate();
    }
    table.renamed("attempts", "retry = { times = ... }");
    table.renamed("notify", "to = [\"...\"]");
    let to = book.who(table, "to");
    let fallback = table.text("fallback");
    let via = table.text("via");
    let timeout = some_time(table, "timeout").unwrap_or(TIMEOUT);
    let slots = table.integer("slots", 1..=1000).map(|n| n as usize);
    let retry = retry(table);
    let updates = updates(table);
    let (limits, price) = (limits::limits(table, kind), limits::price(table, kind));
    let transliterate = kind.is_none_or(|k| k.format == Format::Sms) && table.flag("transliterate").unwrap_or(false);
    let Some(kind) = kind else {
        // Nobody can say which of the other keys are right.
        table.ignore_unknown();
        return None;
    };
    if kind.sort == Sort::Fixed && to.is_some() {
        table.error(
            "to",
            format!("a {} channel tells the place written here, whoever is named", kind.name),
            "leave `to` out; it is for mail, sms and voice",
        );
    }
    let template = template(table, kind);
    let body = if kind.format == Format::Document { table.text("body") } else { None };
    let body = body.and_then(|text| templates::compile(table, "body", Form::Raw, &text)).map(Arc::new);
    let adapter = adapter(table, kind);
    if table.has("body") && adapter.format().is_some_and(|format| format != Format::Document) {
        table.error("body", "either a ready format, or a body of one's own", "leave out format or body");
    }
    if body.is_some() && template.is_some() {
        table.error("body", "either a template by name, or a body of one's own", "leave out template or body");
    }
    let updates = match updates {
        _ if adapter.follows_incidents() => Updates { acknowledged: true, resolved: true },
        Some(updates) => updates,
        None => default_updates(kind),
    };
    let sound = adapter.sounder().map(|sounder| sounder.terms());
    Some(ChannelConfig {
        name: table.name().to_owned(),
        kind,
        to: to.unwrap_or_default(),
        fallback,
        via,
        timeout,
        slots: slots.unwrap_or_else(|| adapter.slots()),
        retry,
        updates,
        simulate,
        sound: sound.map(|terms| SoundSettings { repeat: terms.repeat, max: terms.max }),
        body,
        template,
        limits,
        price,
        transliterate,
        adapter,
    })
}

fn template(table: &mut Table<'_>, kind: &Kind) -> Option<String> {
    let name = table.text("template").filter(|name| !name.is_empty())?;
    if kind.format == Format::None {
        table.error("template", format!("a {} channel has no text", kind.name), "leave template out");
    }
    Some(name)
}

fn kind(table: &mut Table<'_>, options: &LoadOptions<'_>) -> Option<&'static Kind> {
    let name = table.require_parsed("kind", "smtp", |word| Ok(word.to_owned()))?;
    if let Some(kind) = options.kinds.iter().find(|k| k.name == name) {
        return Some(kind);
    }
    let hint = suggestion(&name, options.kinds.iter().map(|k| k.name));
    table.error("kind", format!("there is no kind of channel {name:?}"), hint);
    None
}

/// The kind's own keys. A draft has a channel even when they are wrong, so that nothing else is
/// said to name an unknown one.
fn adapter(table: &mut Table<'_>, kind: &'static Kind) -> Arc<dyn Channel> {
    let errors_before = table.reading().error_count();
    if let Some(adapter) = (kind.read)(table) {
        return adapter;
    }
    if !table.simulated() && table.reading().error_count() == errors_before {
        table.error(
            "",
            format!("the settings of a {} channel are incomplete", kind.name),
            "see what this kind needs in the documentation",
        );
    }
    Arc::new(Absent { kind: kind.name })
}

fn retry(table: &mut Table<'_>) -> Retry {
    let default = Retry::default();
    let Some(mut inner) = table.table("retry") else { return default };
    inner.renamed("attempts", "times = 3: what comes after the first try");
    let times = inner.integer("times", 0..=100).map_or(default.times, |n| n as u32);
    let base = some_time(&mut inner, "base");
    let max = some_time(&mut inner, "max");
    if let (Some(base), Some(max)) = (base, max)
        && base > max
    {
        inner.error("max", format!("{max} is less than base, {base}"), "write a max that is not under base");
    }
    let base = base.unwrap_or(default.base);
    Retry { times, base, max: max.unwrap_or(default.max).max(base) }
}

fn updates(table: &mut Table<'_>) -> Option<Updates> {
    let words = table.parsed_list("updates", |word| match word {
        "acknowledged" | "resolved" => Ok(word.to_owned()),
        _ => Err(format!("{word:?} is not a notice; write \"acknowledged\", \"resolved\" or neither")),
    })?;
    let has = |word: &str| words.iter().any(|w| w == word);
    Some(Updates { acknowledged: has("acknowledged"), resolved: has("resolved") })
}

/// Both; a call and a sound only stop.
fn default_updates(kind: &Kind) -> Updates {
    let told = kind.sort != Sort::Addressed(Medium::Voice) && kind.format != Format::None;
    Updates { acknowledged: told, resolved: told }
}
