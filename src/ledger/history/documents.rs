//! Lists of notifications and incidents that ended, the newest first, and whose id has a certain end.

use crate::domain::id::Ending;
use crate::ledger::extract::DocumentKind;
use crate::ledger::history::query::MOST;
use crate::ledger::history::store::StoreError;
use crate::ledger::history::view::View;
use std::collections::{BTreeMap, BTreeSet};
use ulid::Ulid;

/// Which documents.
#[derive(Clone, Debug)]
pub struct DocumentQuery {
    pub kind: DocumentKind,
    /// Older than this one: the last id of the page before.
    pub before: Option<Ulid>,
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    pub found: Vec<(Ulid, String)>,
    /// `before` of the next page; `None`: there are no more.
    pub next: Option<Ulid>,
}

const LAST: Ulid = Ulid(u128::MAX);

/// # Errors
/// When the store cannot be read.
pub fn find(view: &View<'_>, query: &DocumentQuery) -> Result<Documents, StoreError> {
    let before = query.before.unwrap_or(LAST);
    let limit = query.limit.clamp(1, MOST);
    let mut found: BTreeMap<Ulid, Option<String>> = BTreeMap::new();
    for document in view.tail.documents(query.kind).filter(|d| d.id < before) {
        found.entry(document.id).or_insert_with(|| Some(document.json.text().to_owned()));
    }
    for id in view.store.document_ids(query.kind, before) {
        let id = id?;
        let enough = found.range(id..).count() >= limit;
        if enough {
            break;
        }
        found.entry(id).or_insert(None);
    }
    let mut out = Documents::default();
    for (id, json) in found.into_iter().rev().take(limit) {
        let json = json.map_or_else(|| view.store.document(query.kind, id), |json| Ok(Some(json)))?;
        out.found.extend(json.map(|json| (id, json)));
    }
    out.next = out.found.last().filter(|_| out.found.len() == limit).map(|(id, _)| *id);
    Ok(out)
}

/// Whose ids people shorten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortened {
    Incident,
    Delivery,
    Notification,
}

/// The only one of them whose id ends so: of two, nobody can say which is meant.
///
/// # Errors
/// When the store cannot be read.
pub fn ending(view: &View<'_>, of: Shortened, ending: Ending) -> Result<Option<Ulid>, StoreError> {
    let mut found: BTreeSet<Ulid> = match of {
        Shortened::Incident => view.tail.documents(DocumentKind::Incident).map(|d| d.id).collect(),
        Shortened::Notification => view.tail.documents(DocumentKind::Notification).map(|d| d.id).collect(),
        Shortened::Delivery => {
            view.tail.documents(DocumentKind::Notification).flat_map(|d| &d.parts).copied().collect()
        }
    };
    found.retain(|id| ending.fits(*id));
    let ids: Box<dyn Iterator<Item = _>> = match of {
        Shortened::Incident => Box::new(view.store.document_ids(DocumentKind::Incident, LAST)),
        Shortened::Notification => Box::new(view.store.document_ids(DocumentKind::Notification, LAST)),
        Shortened::Delivery => Box::new(view.store.part_ids()),
    };
    for id in ids {
        found.extend(Some(id?).filter(|id| ending.fits(*id)));
        if found.len() > 1 {
            return Ok(None);
        }
    }
    Ok(found.pop_first())
}
