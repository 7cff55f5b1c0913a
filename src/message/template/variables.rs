//! What a template can say: the fields of the webhook's document, what the built-in texts are put
//! together from, and the request's own `vars`.

use crate::domain::level::Level;
use crate::message::context::Context;
use crate::message::sample::Sample;
use crate::message::{document, phrase};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everything about a message. `text` is the built-in text. What may be absent is null.
pub fn tree(context: &Context<'_>, text: &str) -> Value {
    let mut tree = document::tree(context);
    let time = context.at.zoned(&context.zone).strftime("%H:%M").to_string();
    let more = json!({
        "text": text,
        "vars": context.vars,
        "tag": phrase::tag(context),
        "time": time,
        "since": context.incident.as_ref().map(|about| phrase::clock(context, about)),
        "ack": phrase::acknowledge(context),
        "reply": context.reply,
    });
    if let (Some(fields), Value::Object(more)) = (tree.as_object_mut(), more) {
        fields.extend(more);
    }
    if let (Some(about), Some(fields)) = (&context.incident, tree["incident"].as_object_mut()) {
        fields.insert("opened_at".into(), about.opened_at.rfc3339(&context.zone).into());
        fields.insert("by".into(), phrase::who(about).into());
        fields.insert("lasted".into(), about.lasted.map(phrase::brief).into());
    }
    tree
}

/// Top-level names, and those of what is inside `incident`.
pub fn known() -> BTreeSet<String> {
    let sample = tree(&Sample::of("incident.opened", Level::Urgent).context(), "");
    let mut names = BTreeSet::new();
    for (name, value) in sample.as_object().into_iter().flatten() {
        names.insert(name.clone());
        if name == "incident" {
            names.extend(value.as_object().into_iter().flatten().map(|(inner, _)| format!("incident.{inner}")));
        }
    }
    names
}

/// Labels, annotations and vars are the message's own: any name can be there.
pub fn is_known(known: &BTreeSet<String>, path: &str) -> bool {
    let top = path.split('.').next().unwrap_or_default();
    known.contains(path) || (known.contains(top) && top != "incident")
}
