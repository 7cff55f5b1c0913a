//! `GET /api/v2/alerts`: what is open, filtered, page by page so that nobody else waits for it.

use super::told::Told;
use crate::api::Api;
use crate::domain::Labels;
use crate::domain::matcher::{Matcher, Op};
use crate::engine::{Ask, Caller, Read, Refusal};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;

/// Filters of one question.
const FILTERS: usize = 100;

/// An array, sorted by fingerprint.
pub async fn list(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, uri: Uri) -> Result<Response, Told> {
    let Query(pairs) =
        Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|e| Told::parameter(e.body_text()))?;
    let wanted = Wanted::read(pairs)?;
    let mut pages = Pages { api, by, wanted, next: Some(None), written: false };
    // The first before the head: what is wrong with it can still be answered.
    let first = pages.page().await.map_err(Told::refused)?;
    let head = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    if pages.next.is_none() {
        return Ok((head, first).into_response());
    }
    let rest = futures_util::stream::unfold((Some(first), pages), |(ready, mut pages)| async move {
        let page = match ready {
            Some(page) => page,
            // The end comes before its bracket, so that nobody takes a part for the whole.
            None => pages.page().await.ok().filter(|page| !page.is_empty())?,
        };
        Some((Ok::<Bytes, Infallible>(page.into()), (None, pages)))
    });
    Ok((head, Body::from_stream(rest)).into_response())
}

/// One answer under way.
struct Pages {
    api: Arc<Api>,
    by: Caller,
    wanted: Wanted,
    /// Where the next page begins; `None` after the last.
    next: Option<Option<u64>>,
    /// An alert has been written, so that a comma comes before the next.
    written: bool,
}

impl Pages {
    /// The next part of the text; empty after the last.
    async fn page(&mut self) -> Result<String, Refusal> {
        let mut text = if self.next == Some(None) { "[".to_owned() } else { String::new() };
        while let Some(after) = self.next {
            let mut page = self.api.handle.ask(self.by.clone(), Ask::Read(Read::Alerts { after })).await?;
            self.next = page["next_cursor"].as_u64().map(Some);
            let Value::Array(rows) = page["alerts"].take() else { break };
            for row in rows.iter().filter(|row| self.wanted.fits(row)) {
                if std::mem::replace(&mut self.written, true) {
                    text.push(',');
                }
                text.push_str(&row.to_string());
            }
            if self.next.is_none() {
                text.push(']');
            } else if text.len() < 2 {
                continue;
            }
            return Ok(text);
        }
        Ok(text)
    }
}

/// What is asked for.
#[derive(Debug)]
struct Wanted {
    active: bool,
    silenced: bool,
    matchers: Vec<Matcher>,
    /// The name of one of its receivers.
    receivers: Vec<Matcher>,
}

impl Wanted {
    fn read(pairs: Vec<(String, String)>) -> Result<Wanted, Told> {
        let mut wanted = Wanted { active: true, silenced: true, matchers: Vec::new(), receivers: Vec::new() };
        for (name, value) in pairs {
            match name.as_str() {
                "active" => wanted.active = flag(&name, &value)?,
                "silenced" => wanted.silenced = flag(&name, &value)?,
                // Nothing is inhibited, and nothing unprocessed is shown.
                "inhibited" | "unprocessed" => drop(flag(&name, &value)?),
                "filter" => wanted.matchers.extend(Matcher::parse_list(&value).map_err(Told::wrong)?),
                "receiver" => wanted.receivers.push(Matcher::new("receiver", Op::Match, value).map_err(Told::wrong)?),
                "receiver_matchers" => wanted.receivers.extend(Matcher::parse_list(&value).map_err(Told::wrong)?),
                // Clients of newer servers ask for more.
                _ => {}
            }
        }
        if wanted.matchers.len() + wanted.receivers.len() > FILTERS {
            return Err(Told::wrong(format!("more than {FILTERS} matchers")));
        }
        Ok(wanted)
    }

    fn fits(&self, row: &Value) -> bool {
        let suppressed = row["status"]["state"] == "suppressed";
        (if suppressed { self.silenced } else { self.active }) && self.fits_labels(row) && self.fits_receivers(row)
    }

    fn fits_labels(&self, row: &Value) -> bool {
        if self.matchers.is_empty() {
            return true;
        }
        let text = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
        let labels: Labels = row["labels"].as_object().into_iter().flatten().map(text).collect();
        self.matchers.iter().all(|matcher| matcher.matches(&labels))
    }

    /// All of them, by one receiver or another.
    fn fits_receivers(&self, row: &Value) -> bool {
        let receivers = row["receivers"].as_array().into_iter().flatten().filter_map(|r| r["name"].as_str());
        let fits = |name: &str| {
            let labels: Labels = ["receiver", "name"].map(|label| (label.to_owned(), name.to_owned())).into();
            self.receivers.iter().all(|matcher| matcher.matches(&labels))
        };
        self.receivers.is_empty() || receivers.into_iter().any(fits)
    }
}

fn flag(name: &str, value: &str) -> Result<bool, Told> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" => Ok(true),
        "false" | "0" | "f" => Ok(false),
        _ => Err(Told::parameter(format!("{name} in query must be of type boolean: {value:?}"))),
    }
}
