//! What a webhook gets: the JSON document that CLI and `events` show, too.

use crate::domain::{Labels, json};
use crate::message::attachment::Enclosure;
use crate::message::context::Context;
use serde::Serialize;

/// Bytes of most documents.
const USUAL: usize = 1_024;

/// The fields in the order of the contract; what does not exist is left out.
#[derive(Serialize)]
struct Document<'a> {
    /// The notification's id.
    id: &'a str,
    /// RFC 3339 with milliseconds, in the reader's zone.
    at: String,
    kind: &'a str,
    from: &'a str,
    level: &'a str,
    #[serde(rename = "type")]
    kind_of: &'a str,
    /// Subject and body are as given.
    subject: &'a str,
    body: &'a str,
    labels: &'a Labels,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    annotations: &'a Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident<'a>>,
    delivery: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<File<'a>>,
    /// An earlier attempt may have arrived; the Idempotency-Key is the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    possibly_duplicate: bool,
}

#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    mime: &'a str,
    bytes: u64,
    /// Where it can be fetched, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Incident<'a> {
    number: u64,
    id: &'a str,
    fingerprint: &'a str,
    status: &'a str,
    step: u32,
    round: u32,
}

/// The document as one line.
pub fn text(context: &Context<'_>) -> String {
    // Only maps with strange keys and failing writers are errors; there is neither.
    json::text(&document(context), USUAL).unwrap_or_default()
}

/// The same as a tree, for templates: everything that can be absent is there as `null`, so that
/// `{% if incident %}` can be asked.
pub fn tree(context: &Context<'_>) -> serde_json::Value {
    let mut tree = serde_json::to_value(document(context)).unwrap_or_default();
    if let Some(fields) = tree.as_object_mut() {
        for name in ["url", "incident"] {
            fields.entry(name).or_insert(serde_json::Value::Null);
        }
        fields.entry("attachments").or_insert_with(|| serde_json::json!([]));
        fields.entry("annotations").or_insert_with(|| serde_json::json!({}));
        fields.insert("possibly_duplicate".to_owned(), context.possibly_duplicate.into());
    }
    tree
}

fn file<'a>(enclosure: &'a Enclosure<'_>) -> File<'a> {
    let file = enclosure.file;
    File { name: &file.name, mime: &file.mime, bytes: file.place.bytes, url: enclosure.link.as_deref() }
}

fn document<'a>(context: &'a Context<'_>) -> Document<'a> {
    Document {
        id: &context.id,
        at: context.at.rfc3339(&context.zone),
        kind: context.kind,
        from: context.from,
        level: context.level.as_str(),
        kind_of: context.kind_of,
        subject: context.subject,
        body: context.body,
        labels: context.labels,
        annotations: context.annotations,
        url: context.link.as_deref(),
        incident: context.incident.as_ref().map(|about| Incident {
            number: about.number,
            id: &about.id,
            fingerprint: about.fingerprint,
            status: about.status,
            step: about.step,
            round: about.round,
        }),
        delivery: &context.delivery,
        attachments: context.enclosures.files.iter().map(file).collect(),
        possibly_duplicate: context.possibly_duplicate,
    }
}
