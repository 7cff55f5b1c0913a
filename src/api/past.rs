//! Where the state ends the history goes on: single things, and lists of both.

use super::Api;
use super::history::{Key, Older, Thing};
use crate::domain::id::Ending;
use crate::engine::{Caller, Code, Read, Refusal};
use serde_json::{Value, json};
use std::collections::HashSet;
use ulid::Ulid;

/// Documents that are looked at for one page, when most of them don't fit the filter.
const LOOKED_AT: usize = 50_000;

/// An incident by number, id, or the end of an id.
///
/// # Errors
/// NOT_FOUND; REBUILDING when it is not at hand and the history cannot be asked.
pub async fn incident(api: &Api, by: &Caller, text: &str) -> Result<Value, Refusal> {
    match api.read(by, Read::Incident(text.to_owned())).await {
        Err(refusal) if refusal.code == Code::NotFound => {
            let bare = text.trim().trim_start_matches('#');
            find(api, Thing::Incident, incident_key(bare), refusal).await
        }
        answer => answer,
    }
}

/// A delivery by id, or the end of an id.
///
/// # Errors
/// As [`incident`].
pub async fn delivery(api: &Api, by: &Caller, text: &str) -> Result<Value, Refusal> {
    match api.read(by, Read::Delivery(text.to_owned())).await {
        Err(refusal) if refusal.code == Code::NotFound => {
            find(api, Thing::Delivery, id_key(text.trim()), refusal).await
        }
        answer => answer,
    }
}

/// A notification with its deliveries, by id, or the end of an id.
///
/// # Errors
/// As [`incident`].
async fn notification(api: &Api, by: &Caller, text: &str) -> Result<Value, Refusal> {
    match api.read(by, Read::Notification(text.to_owned())).await {
        Err(refusal) if refusal.code == Code::NotFound => {
            find(api, Thing::Notification, id_key(text.trim()), refusal).await
        }
        answer => answer,
    }
}

/// A number, a whole id, or the last 4 or more characters of one.
fn incident_key(text: &str) -> Option<Key> {
    let number = || text.parse().map(Key::Number).ok();
    Ulid::from_string(text).ok().map(Key::Id).or_else(number).or_else(|| id_key(text))
}

/// A whole id, or the last 4 or more characters of one.
fn id_key(text: &str) -> Option<Key> {
    Ulid::from_string(text).ok().map(Key::Id).or_else(|| Ending::parse(text).map(Key::Ending))
}

async fn find(api: &Api, thing: Thing, key: Option<Key>, otherwise: Refusal) -> Result<Value, Refusal> {
    let Some(key) = key else { return Err(otherwise) };
    api.history.find(thing, key).await?.ok_or(otherwise)
}

/// What an id is of, beside its document: for `explain`.
pub enum About {
    Incident(Ulid),
    /// One, or all of a notification.
    Deliveries(Vec<Ulid>),
}

/// # Errors
/// NOT_FOUND when it is of no incident, no delivery and no notification.
pub async fn any(api: &Api, by: &Caller, text: &str) -> Result<(About, Value), Refusal> {
    let named = |document: Value, about: fn(Ulid) -> About| match id_of(&document) {
        Some(id) => Ok((about(id), document)),
        None => Err(unknown(text)),
    };
    match incident(api, by, text).await {
        Ok(incident) => return named(incident, About::Incident),
        Err(refusal) if refusal.code != Code::NotFound => return Err(refusal),
        Err(_) => {}
    }
    match delivery(api, by, text).await {
        Ok(delivery) => return named(delivery, |id| About::Deliveries(vec![id])),
        Err(refusal) if refusal.code != Code::NotFound => return Err(refusal),
        Err(_) => {}
    }
    match notification(api, by, text).await {
        Ok(sent) => {
            let ids = sent["deliveries"].as_array().into_iter().flatten().filter_map(id_of).collect();
            Ok((About::Deliveries(ids), sent))
        }
        Err(refusal) if refusal.code == Code::NotFound => Err(unknown(text)),
        Err(refusal) => Err(refusal),
    }
}

fn unknown(text: &str) -> Refusal {
    let message = format!("there is no incident, no delivery and no notification {text:?}");
    Refusal { field: Some("id".into()), ..Refusal::new(Code::NotFound, message) }
}

pub fn id_of(document: &Value) -> Option<Ulid> {
    document["id"].as_str().and_then(|id| Ulid::from_string(id).ok())
}

/// A part of a list, newest (by id) first.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Value>,
    /// Below this id there may be more.
    floor: Option<Ulid>,
}

impl Rows {
    /// From the engine's page.
    pub fn of_page(mut page: Value, name: &str) -> Rows {
        let rows = match page[name].take() {
            Value::Array(rows) => rows,
            _ => Vec::new(),
        };
        Rows { rows, floor: page["next_cursor"].as_str().and_then(|id| Ulid::from_string(id).ok()) }
    }

    /// Each thing once; what is at hand wins over its document.
    pub fn merge(mut self, other: Rows) -> Rows {
        let known: HashSet<Option<Ulid>> = self.rows.iter().map(id_of).collect();
        self.rows.extend(other.rows.into_iter().filter(|row| !known.contains(&id_of(row))));
        self.rows.sort_by_key(|row| std::cmp::Reverse(id_of(row)));
        self.floor = self.floor.max(other.floor);
        // Below a floor one of the two may have left something out.
        if let Some(floor) = self.floor {
            self.rows.retain(|row| id_of(row).is_none_or(|id| id >= floor));
        }
        self
    }

    /// The page of the API; its cursor is the id of its last row.
    pub fn page(mut self, name: &str, limit: usize) -> Value {
        let more = self.rows.len() > limit || self.floor.is_some();
        self.rows.truncate(limit);
        let last = self.rows.last().and_then(id_of).or(self.floor);
        let next = last.filter(|_| more).map(|id| id.to_string());
        json!({ name: self.rows, "next_cursor": next })
    }
}

/// Ended ones from the history. When it cannot be asked there are none: the list is then what is at hand.
pub async fn ended(
    api: &Api,
    thing: Thing,
    mut before: Option<Ulid>,
    limit: usize,
    fits: impl Fn(&Value) -> bool,
) -> Rows {
    let mut found = Rows::default();
    let mut looked_at = 0;
    loop {
        let Ok(Older { documents, next }) = api.history.older(thing, before).await else { return found };
        // A page may be empty and yet not the last.
        looked_at += documents.len().max(1);
        found.rows.extend(documents.into_iter().filter(&fits));
        let Some(next) = next else { return found };
        if found.rows.len() > limit || looked_at >= LOOKED_AT {
            found.floor = Some(next);
            return found;
        }
        before = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[u128], floor: Option<u128>) -> Rows {
        let rows = ids.iter().map(|id| json!({ "id": Ulid(*id).to_string(), "floor": floor })).collect();
        Rows { rows, floor: floor.map(Ulid) }
    }

    fn ids(page: &Value) -> Vec<u128> {
        page["x"].as_array().unwrap().iter().filter_map(id_of).map(|id| id.0).collect()
    }

    #[test]
    fn both_parts_make_one_list() {
        let page = rows(&[9, 5, 3], None).merge(rows(&[8, 5, 2], None)).page("x", 10);
        assert_eq!(ids(&page), [9, 8, 5, 3, 2]);
        assert!(page["next_cursor"].is_null());
    }

    #[test]
    fn a_page_ends_where_one_part_is_not_known_further() {
        let page = rows(&[9, 7, 6], Some(6)).merge(rows(&[8, 5, 2], None)).page("x", 10);
        assert_eq!(ids(&page), [9, 8, 7, 6]);
        assert_eq!(page["next_cursor"], Ulid(6).to_string());
        let page = rows(&[9, 7], None).merge(rows(&[8, 5], Some(5))).page("x", 2);
        assert_eq!(ids(&page), [9, 8]);
        assert_eq!(page["next_cursor"], Ulid(8).to_string());
    }

    #[test]
    fn a_page_without_a_fitting_row_still_goes_on() {
        let page = Rows::default().merge(rows(&[], Some(40))).page("x", 10);
        assert_eq!(page, json!({ "x": [], "next_cursor": Ulid(40).to_string() }));
    }
}
