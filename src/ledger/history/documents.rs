//! Lists of notifications and incidents that ended, the newest first.

use crate::ledger::extract::DocumentKind;
use crate::ledger::history::query::MOST;
use crate::ledger::history::store::StoreError;
use crate::ledger::history::view::View;
use std::collections::BTreeMap;
use ulid::Ulid;

/// Which documents.
#[derive(Clone, Debug)]
pub struct DocumentQuery {
    pub kind: DocumentKind,
    /// Older than this one: the last id of the page before.
    pub before: Option<Ulid>,
    /// Whose id ends so, in capitals as ULIDs are written.
    pub ending: Option<String>,
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    pub found: Vec<(Ulid, String)>,
    /// `before` of the next page; `None`: there are no more.
    pub next: Option<Ulid>,
}

/// # Errors
/// When the store cannot be read.
pub fn find(view: &View<'_>, query: &DocumentQuery) -> Result<Documents, StoreError> {
    let before = query.before.unwrap_or(Ulid(u128::MAX));
    let limit = query.limit.clamp(1, MOST);
    let fits = |id: Ulid| query.ending.as_deref().is_none_or(|e| id.to_string().ends_with(e));
    let mut found: BTreeMap<Ulid, Option<String>> = BTreeMap::new();
    for document in view.tail.documents(query.kind).filter(|d| d.id < before && fits(d.id)) {
        found.entry(document.id).or_insert_with(|| Some(document.json.text().to_owned()));
    }
    for id in view.store.document_ids(query.kind, before) {
        let id = id?;
        let enough = found.range(id..).count() >= limit;
        if enough {
            break;
        }
        if fits(id) {
            found.entry(id).or_insert(None);
        }
    }
    let mut out = Documents::default();
    for (id, json) in found.into_iter().rev().take(limit) {
        let json = json.map_or_else(|| view.store.document(query.kind, id), |json| Ok(Some(json)))?;
        out.found.extend(json.map(|json| (id, json)));
    }
    out.next = out.found.last().filter(|_| out.found.len() == limit).map(|(id, _)| *id);
    Ok(out)
}
