//! `[schedules.NAME]`: who is on call.

use crate::config::later::{self, Home};
use crate::config::model::{Daemon, Layer, OnCall, Rotation, Turn};
use crate::config::options::LoadOptions;
use crate::config::read::daemon;
use crate::config::read::entries::{by_name, named};
use crate::domain::time::Span;
use crate::domain::window::Window;
use crate::settings::Table;
use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

const START: &str = "start = \"2026-01-05 09:00\"";

pub fn read(root: &mut Table<'_>, daemon: &Daemon, options: &LoadOptions<'_>) -> BTreeMap<String, OnCall> {
    by_name(named(root, "schedules"), |table| {
        table.renamed("handover", START);
        let zone = table.parsed("timezone", daemon::timezone).map(|(zone, _)| zone);
        let timezone = zone.unwrap_or_else(|| daemon.timezone.clone());
        let layers = table.tables("layers");
        if layers.is_empty() {
            table.error("layers", "a schedule has layers", "write layers = [ { members = [\"alice\"] } ]");
        }
        let layers = layers.into_iter().filter_map(|mut layer| read_layer(&mut layer, &timezone, options)).collect();
        Some(OnCall { name: table.name().to_owned(), timezone, layers })
    })
}

fn read_layer(table: &mut Table<'_>, zone: &TimeZone, options: &LoadOptions<'_>) -> Option<Layer> {
    table.renamed("handover", START);
    let hours = later::may_read(table, Home::Layer, "hours", options)
        .then(|| table.parsed_list("hours", Window::parse))
        .flatten()
        .unwrap_or_default();
    let turn = table.parsed("rotate", turn);
    let start = table.parsed("start", |text| local_time(text, zone));
    let members = table.texts("members").unwrap_or_default();
    if members.is_empty() {
        table.error("members", "a layer has members", "write members = [\"alice\", \"bob\"]");
        return None;
    }
    if members.len() > 1 {
        if !table.has("start") && !table.has("handover") {
            table.error(
                "start",
                "several members take turns, and nobody knows from when",
                format!("write {START}: the first member begins then"),
            );
        }
        if !table.has("rotate") {
            table.error("rotate", "several members take turns", "write rotate = \"weekly\", \"daily\" or a duration");
        }
    }
    let rotation = start.map(|start| Rotation { turn: turn.unwrap_or(Turn::Weekly), start });
    Some(Layer { members, rotation, hours })
}

fn turn(text: &str) -> Result<Turn, String> {
    match text {
        "daily" => Ok(Turn::Daily),
        "weekly" => Ok(Turn::Weekly),
        _ => match Span::parse(text) {
            Ok(span) if span >= Span::mins(1) => Ok(Turn::Every(span)),
            _ => Err(format!("{text:?} is no turn; write \"daily\", \"weekly\" or a duration from \"1m\" on")),
        },
    }
}

/// In a skipped hour the time after the jump, in a doubled one the first.
fn local_time(text: &str, zone: &TimeZone) -> Result<Zoned, String> {
    let wrong = || format!("{text:?} is not a local time; write it as \"2026-01-05 09:00\"");
    let time: DateTime = text.trim().parse().map_err(|_| wrong())?;
    time.to_zoned(zone.clone()).map_err(|_| wrong())
}
