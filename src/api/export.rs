//! The whole ledger as a stream: one entry a line.

use super::Api;
use super::entry::document;
use super::fault::Fault;
use super::history::{Entry, Filter};
use super::ledger::turn;
use super::numbers::Numbers;
use super::params::Params;
use crate::engine::Caller;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::io;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Entries of one reading.
const PAGE: usize = 1_000;
const HEADER: &str = "seq,at,kind,initiator,number,hash,fields,payload\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Jsonl,
    Csv,
}

impl Format {
    fn read(text: &str) -> Result<Format, String> {
        match text {
            "jsonl" => Ok(Format::Jsonl),
            "csv" => Ok(Format::Csv),
            _ => Err(format!("{text:?} is no format; there are jsonl and csv")),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::Jsonl => "application/x-ndjson",
            Format::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// A reading that breaks off in the middle breaks the connection, so that half a ledger is not taken for
/// a whole one.
pub async fn export(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    mut params: Params,
) -> Result<Response, Fault> {
    let format = params.read("format", Format::read)?.unwrap_or(Format::Jsonl);
    params.done()?;
    let zone = api.handle.config().daemon.timezone.clone();
    let mut export = Export { _turn: turn(&api)?, by, zone, format, after: Some(0), numbers: Numbers::default(), api };
    // What cannot even begin is an error document.
    let first = export.next().await?;
    let head = if format == Format::Csv { HEADER.to_owned() } else { String::new() };
    let first = stream::iter([Ok(head + &first)]);
    let rest = stream::unfold(export, |mut export| async {
        export.after?;
        let text = export.next().await.map_err(|fault| io::Error::other(fault.refusal.message));
        Some((text, export))
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
    Ok(([(CONTENT_TYPE, format.content_type())], body).into_response())
}

struct Export {
    api: Arc<Api>,
    by: Caller,
    zone: TimeZone,
    format: Format,
    /// `None` at the end.
    after: Option<u64>,
    numbers: Numbers,
    _turn: OwnedSemaphorePermit,
}

impl Export {
    async fn next(&mut self) -> Result<String, Fault> {
        let Some(after_seq) = self.after.take() else { return Ok(String::new()) };
        let filter = Filter { after_seq, limit: PAGE, ..Filter::default() };
        let page = self.api.history.query(filter).await?;
        self.after = page.next.filter(|next| *next > after_seq);
        self.numbers.learn(&self.api, &self.by, &page.entries).await;
        Ok(page.entries.iter().map(|entry| self.line(entry)).collect())
    }

    fn line(&self, entry: &Entry) -> String {
        let entry = document(entry, self.numbers.of(entry), &self.zone);
        match self.format {
            Format::Jsonl => format!("{entry}\n"),
            Format::Csv => csv(entry),
        }
    }
}

/// RFC 4180, in the order of [`HEADER`]; the fields of the kind are one cell of JSON.
fn csv(mut entry: Value) -> String {
    let common = ["seq", "at", "kind", "initiator", "number", "hash"].map(|name| take(&mut entry, name));
    let payload = take(&mut entry, "payload");
    let cells = common.into_iter().chain([entry, payload]).map(|value| cell(&value));
    cells.collect::<Vec<_>>().join(",") + "\n"
}

fn take(entry: &mut Value, name: &str) -> Value {
    entry.as_object_mut().and_then(|fields| fields.remove(name)).unwrap_or_default()
}

/// A text that a spreadsheet would run as a formula gets an apostrophe before it.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_of_csv_has_the_columns_of_the_header() {
        let entry = json!({"seq": 7, "at": "2026", "kind": "heartbeat_late", "initiator": "=cmd()", "number": null,
            "hash": "ab", "name": "a,\"b\"", "payload": {"subject": "x"}});
        assert_eq!(
            csv(entry),
            "7,2026,heartbeat_late,'=cmd(),,ab,\"{\"\"name\"\":\"\"a,\\\"\"b\\\"\"\"\"}\",\"{\"\"subject\"\":\"\"x\"\"}\"\n"
        );
    }
}
