//! Who is on call: the last layer of a schedule that has somebody at that moment.

use crate::config::{Layer, OnCall, Rotation, Turn as Shift};
use crate::domain::time::Timestamp;
use jiff::{Unit, Zoned};

/// The member on call at this instant, if any.
pub fn on_call(schedule: &OnCall, at: Timestamp) -> Option<&str> {
    let local = at.zoned(&schedule.timezone);
    schedule.layers.iter().rev().find_map(|layer| in_layer(layer, &local))
}

fn in_layer<'a>(layer: &'a Layer, local: &Zoned) -> Option<&'a str> {
    let (day, time) = (local.weekday(), local.time());
    if !layer.hours.is_empty() && !layer.hours.iter().any(|w| w.contains(day, time)) {
        return None;
    }
    let turn = match &layer.rotation {
        None => 0,
        Some(rotation) => turns_since(rotation, local)?,
    };
    let place = turn.rem_euclid(layer.members.len().max(1) as i64);
    layer.members.get(place as usize).map(String::as_str)
}

/// Whole turns since the start; `None` before it. Days and weeks are local ones, so a hand-over
/// at nine stays at nine when the clock changes.
fn turns_since(rotation: &Rotation, local: &Zoned) -> Option<i64> {
    let start = rotation.start.with_time_zone(local.time_zone().clone());
    if *local < start {
        return None;
    }
    let days = || local.since((Unit::Day, &start)).map_or(0, |s| i64::from(s.get_days()));
    Some(match rotation.turn {
        Shift::Daily => days(),
        Shift::Weekly => days() / 7,
        Shift::Every(length) => {
            let passed = local.timestamp().as_microsecond() - start.timestamp().as_microsecond();
            passed / length.0.max(1)
        }
    })
}
