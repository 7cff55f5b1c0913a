//! What an alert has to be: labels with good names, times that follow each other, and nothing too large.

use super::parse::{Posted, within};
use crate::domain::Labels;
use crate::domain::matcher::is_label_name;
use crate::domain::time::Timestamp;
use crate::engine::AlertReport;

/// Labels and, by itself, annotations of one alert.
const MOST: usize = 64;
/// Bytes of a name, and of a label's value.
const LONGEST: usize = 1_024;
/// Bytes of an annotation; what is over is cut, with a mark: nobody is to be left asleep for it.
const ANNOTATION: usize = 16 << 10;
/// Bytes of a generator's URL; a longer one is left out.
const URL: usize = 4 << 10;
/// How Go writes a time that nobody set: 0001-01-01T00:00:00Z.
const UNSET: Timestamp = Timestamp(-62_135_596_800_000_000);

/// The good ones; and what is wrong with the others, each with its place: `alerts[3].labels.job: ...`.
pub fn sort(posted: Vec<Posted>) -> (Vec<AlertReport>, Vec<String>) {
    let (mut good, mut faults) = (Vec::with_capacity(posted.len()), Vec::new());
    for (index, alert) in posted.into_iter().enumerate() {
        match check(alert) {
            Ok(report) => good.push(report),
            Err(wrong) => faults.extend(wrong.into_iter().map(|fault| format!("alerts[{index}]{fault}"))),
        }
    }
    (good, faults)
}

fn check(alert: Posted) -> Result<AlertReport, Vec<String>> {
    let Posted { labels, mut annotations, starts_at, ends_at, generator_url, mut faults } = alert;
    let starts_at = time(".startsAt", starts_at, &mut faults);
    let ends_at = time(".endsAt", ends_at, &mut faults);
    if starts_at.zip(ends_at).is_some_and(|(starts, ends)| ends < starts) {
        faults.push(".endsAt: it is before startsAt".to_owned());
    }
    if labels.is_empty() && faults.is_empty() {
        faults.push(".labels: at least one label is needed, with a value".to_owned());
    }
    check_count("labels", &labels, &mut faults);
    check_count("annotations", &annotations, &mut faults);
    let odd = labels.keys().filter(|name| !is_label_name(name) || name.len() > LONGEST);
    for name in odd.take(3) {
        let what = "a name has letters, digits and _, not first a digit, and at most 1024 bytes";
        faults.push(format!("{}: {what}", within("labels", name)));
    }
    // They are text for people, whatever they are called.
    for name in annotations.keys().filter(|name| name.is_empty() || name.len() > LONGEST).take(3) {
        faults.push(format!("{}: a name has 1 to {LONGEST} bytes", within("annotations", name)));
    }
    for (name, _) in labels.iter().filter(|(_, value)| value.len() > LONGEST) {
        faults.push(format!("{}: a value has at most {LONGEST} bytes", within("labels", name)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if annotations.values().any(|text| text.len() > ANNOTATION) {
        annotations = annotations.iter().map(|(name, text)| (name, cut(text))).collect();
    }
    let generator_url = generator_url.filter(|url| url.len() <= URL).unwrap_or_default();
    Ok(AlertReport { fingerprint: fingerprint(&labels), labels, annotations, starts_at, ends_at, generator_url })
}

fn check_count(field: &str, pairs: &Labels, faults: &mut Vec<String>) {
    if pairs.len() > MOST {
        faults.push(format!(".{field}: {} of them; at most {MOST} are taken", pairs.len()));
    }
}

/// `None` when it is not set, too.
fn time(field: &str, text: Option<String>, faults: &mut Vec<String>) -> Option<Timestamp> {
    match Timestamp::parse(&text?) {
        Ok(UNSET) => None,
        Ok(at) => Some(at),
        Err(why) => {
            faults.push(format!("{field}: {}", crate::domain::failure::cut(&why, 200)));
            None
        }
    }
}

fn cut(text: &str) -> String {
    let all = text.len();
    if all <= ANNOTATION {
        return text.to_owned();
    }
    let end = (0..=ANNOTATION).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{} ... (cut, it has {all} bytes)", &text[..end])
}

/// Of the whole set of labels: the same set, the same number, for ever.
fn fingerprint(labels: &Labels) -> u64 {
    // In one piece: each piece by itself costs as much as the hash.
    let mut whole = Vec::with_capacity(labels.bytes());
    for (name, value) in labels {
        // No text has this byte.
        for part in [name, value] {
            whole.extend_from_slice(part.as_bytes());
            whole.push(0xff);
        }
    }
    let hash = blake3::hash(&whole);
    u64::from_be_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
}
