//! One ledger entry in one line: what happened, in words.

use crate::ctl::fields::{plain, short};
use serde_json::Value;

/// A sentence for each kind. `{name}` is a field of the entry, `{name~}` the end of an id; a part in
/// square brackets is left out when one of its fields has nothing.
const SENTENCES: &[(&str, &str)] = &[
    ("started", "stentord {version} started"),
    ("stopping", "stopping: {why}"),
    ("config_applied", "config in force[, changed: {changed}]"),
    ("config_refused", "config refused: {errors}"),
    ("clock_stepped", "the clock was set"),
    ("metrics_seen", "{values}"),
    ("auth_denied", "{action} refused to {role}"),
    ("request_refused", "{code}: {message}[ (field {field})]"),
    ("storage_troubled", "{part}: {words}"),
    ("erased", "texts from {from_seq} to {to_seq} were erased[: {because}]"),
    ("forgotten", "up to {to_seq}[: {because}]"),
    ("checkpoint", "up to {event_seq}"),
    ("notification_accepted", "{id~} {level} {type}[: {subject}]"),
    ("delivery_created", "{id~} by {chain}[ to {who}] {status}[: {reason}]"),
    ("attempt_started", "{delivery~} attempt {n} by {channel}"),
    ("attempt_finished", "{delivery~} attempt {n} by {channel}: {outcome}[ {class}][ {code}][ {words}][ {detail}]"),
    ("delivery_moved", "{id~} {status}[: {because}]"),
    ("delivery_ended", "{id~} {status}[: {reason}]"),
    ("delivery_reported", "{id~} reported {status}"),
    ("delivery_priced", "{id~} cost {cost} {currency}"),
    ("dead_letter_requeued", "{id~} is tried again"),
    ("dead_letter_dropped", "{id~} is given up"),
    ("urgent_unheard", "{notification~}: every way failed for a minute (heard since: {heard})"),
    ("template_failed", "{template}: {words}"),
    ("channel_changed", "{channel} {status}[: {detail}]"),
    ("incident_opened", "{level}[ {subject}], by {opened_by}"),
    ("incident_repeated", "again, counted"),
    ("incident_raised", "raised to {level}"),
    ("incident_stepped", "{because}"),
    ("incident_reminded", "the last sending again"),
    ("incident_replanned", "goes on by the new config"),
    ("incident_acknowledged", "acknowledged by {by}[ ({via})][: {note}]"),
    ("incident_unacknowledged", "open again by {by}[: {because}]"),
    ("incident_snoozed", "quiet for a while, by {by}"),
    ("incident_silenced", "silenced by {silence}"),
    ("incident_unsilenced", "no longer silenced[: {because}]"),
    ("incident_resolved", "resolved by {by}[: {because}][ {note}]"),
    ("silence_added", "{matchers} by {created_by}[: {comment}]"),
    ("silence_began", "{id~}"),
    ("silence_expired", "{id~} ended by {by}"),
    ("heartbeat_known", "{name} is new"),
    ("heartbeat_forgotten", "{name} was taken out of the config"),
    ("watch_forgotten", "{name} was taken out of the config"),
    ("metric_forgotten", "{name} was not set for a day"),
    ("heartbeat_started", "{name}"),
    ("heartbeat_finished", "{name} {status}[: {detail}]"),
    ("heartbeat_pinged", "{name}"),
    ("heartbeat_late", "{name} is late"),
    ("watch_changed", "{name} {status}[ at {value}][: {detail}]"),
    ("sound_started", "{channel} sounds"),
    ("sound_stopped", "{channel} is silent[: {because}]"),
];

/// What every entry has, and what has a column of its own.
const COMMON: &[&str] = &["seq", "at", "kind", "hash", "initiator", "number"];

/// Its sentence; for a kind without one, its fields.
pub fn what(entry: &Value) -> String {
    let kind = entry.get("kind").and_then(Value::as_str).unwrap_or_default();
    match SENTENCES.iter().find(|(name, _)| *name == kind) {
        Some((_, sentence)) => fill(sentence, entry),
        None => others(entry),
    }
}

fn others(entry: &Value) -> String {
    let fields = entry.as_object().into_iter().flatten().filter(|(name, _)| !COMMON.contains(&name.as_str()));
    let shown = fields.filter_map(|(name, _)| plain(entry, name).map(|value| format!("{name}={value}")));
    shown.collect::<Vec<_>>().join(" ")
}

fn fill(sentence: &str, entry: &Value) -> String {
    let mut out = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('[') {
        let (optional, after) = after.split_once(']').unwrap_or((after, ""));
        out.push_str(&part(before, entry, Some("-")).unwrap_or_default());
        out.push_str(&part(optional, entry, None).unwrap_or_default());
        rest = after;
    }
    out.push_str(&part(rest, entry, Some("-")).unwrap_or_default());
    out
}

/// `None` when a field has nothing and nothing stands for it.
fn part(words: &str, entry: &Value, nothing: Option<&str>) -> Option<String> {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&field(name, entry).or_else(|| nothing.map(str::to_owned))?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

fn field(name: &str, entry: &Value) -> Option<String> {
    let (name, is_id) = name.strip_suffix('~').map_or((name, false), |n| (n, true));
    let text = plain(entry, name)?;
    Some(if is_id { short(entry, name) } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sentence_is_filled_from_the_entry() {
        let entry = json!({"kind": "incident_opened", "level": "urgent", "opened_by": "heartbeat twilio",
            "subject": "Twilio credentials refused"});
        assert_eq!(what(&entry), "urgent Twilio credentials refused, by heartbeat twilio");
    }

    #[test]
    fn optional_parts_go_and_needed_ones_are_a_dash() {
        assert_eq!(what(&json!({"kind": "incident_opened", "level": "low"})), "low, by -");
        let skipped = json!({"kind": "delivery_created", "id": "01KABCDEFGHJKMNPQRSTVWXYZ0", "chain": ["sms", "sms-telnyx"],
            "who": "bob", "status": "skipped", "reason": "quiet hours until 07:00"});
        assert_eq!(what(&skipped), "VWXYZ0 by sms, sms-telnyx to bob skipped: quiet hours until 07:00");
    }

    #[test]
    fn a_kind_without_a_sentence_shows_its_fields() {
        let entry = json!({"kind": "from_the_future", "seq": 3, "at": "x", "a": 1, "b": ["x", "y"], "c": null});
        assert_eq!(what(&entry), "a=1 b=x, y");
    }

    #[test]
    fn every_sentence_is_about_a_kind_that_exists() {
        use crate::domain::event::EventKind;
        for (kind, _) in SENTENCES {
            // A known kind misses its fields here; only an unknown one is read without any.
            let read = serde_json::from_value::<EventKind>(json!({ "kind": kind }));
            assert!(!matches!(read, Ok(EventKind::Unknown)), "{kind} is no kind");
        }
    }

    #[test]
    fn real_events_make_sentences() {
        use crate::domain::event::EventKind;
        let late = EventKind::HeartbeatLate { name: "backup".into() };
        assert_eq!(what(&serde_json::to_value(late).unwrap()), "backup is late");
        let denied = EventKind::AuthDenied { role: "viewer".into(), action: "reload".into() };
        assert_eq!(what(&serde_json::to_value(denied).unwrap()), "reload refused to viewer");
    }

    #[test]
    fn every_sentence_is_well_formed() {
        for (kind, sentence) in SENTENCES {
            for (open, close) in [('{', '}'), ('[', ']')] {
                let count = |c| sentence.matches(c).count();
                assert_eq!(count(open), count(close), "{kind}");
            }
        }
    }
}
