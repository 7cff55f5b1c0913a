//! Texts of templates as files of their own: `templates/` beside the config.
//!
//! `NAME.KEY.txt` is `[templates.NAME] KEY`, `NAME.LEVEL.KEY.txt` is that of one level. A file ends in
//! .txt, .html, .json or .j2; what ends otherwise, or is hidden, is none of ours. What it says is
//! taken as it is, without placeholders.

use crate::domain::level::Level;
use crate::message::KEYS;
use crate::settings::{Item, Place, Reading, Tree, Value};
use std::path::Path;

/// The folder beside the main file.
pub const FOLDER: &str = "templates";
const ENDINGS: [&str; 4] = ["txt", "html", "json", "j2"];
const RIGHT: &str = "call it NAME.KEY.txt or NAME.LEVEL.KEY.txt, as outage.sms.txt, outage.urgent.speech.txt, \
                     outage.html; other endings than .txt, .html, .json and .j2 are not looked at";

/// Whether a file of this name is taken for a text.
pub fn is_one(name: &Path) -> bool {
    let ending = name.extension().and_then(|e| e.to_str());
    let hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
    ending.is_some_and(|ending| ENDINGS.contains(&ending)) && !hidden
}

/// Puts a file's text where it would stand if it were written in the config.
pub fn put(merged: &mut Tree, name: &Path, place: Place, text: &str, kinds: &[&str], reading: &Reading<'_>) {
    let file = name.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let Some(path) = path_of(file, kinds) else {
        return reading.error_at(Place { end: place.start, ..place }, format!("{file} is no name of a text"), RIGHT);
    };
    let mut table = merged;
    for step in &path[..path.len() - 1] {
        let new = Item { value: Value::Table(Tree::default()), key_at: place, at: place };
        let item = table.entries.entry(step.clone()).or_insert(new);
        match &mut item.value {
            Value::Table(inner) => table = inner,
            // It is complained about where it is written.
            _ => return,
        }
    }
    let Some(key) = path.last() else { return };
    if let Some(there) = table.entries.get(key) {
        let message = format!("{} is written twice, first in {}", path.join("."), reading.line_of(there.key_at));
        return reading.error_at(place, message, "write it once");
    }
    // A placeholder is for the config's own strings.
    let value = Value::Text(text.replace("${", "$${"));
    table.entries.insert(key.clone(), Item { value, key_at: place, at: place });
}

/// `outage.urgent.sms.txt`: templates, outage, levels, urgent, sms.
fn path_of(file: &str, kinds: &[&str]) -> Option<Vec<String>> {
    let is_key = |word: &str| KEYS.iter().any(|(key, _)| *key == word) || kinds.contains(&word);
    let mut words: Vec<&str> = file.split('.').collect();
    words.pop_if(|last| *last == "j2");
    let ending = *words.last()?;
    // outage.html is a name and a key; outage.smtp.txt, a key and an ending.
    if !is_key(ending) {
        words.pop();
    }
    let key = words.pop().filter(|word| is_key(word))?;
    let level = words.last().and_then(|word| Level::parse_strict(word)).filter(|_| words.len() > 1);
    words.truncate(words.len() - usize::from(level.is_some()));
    if words.is_empty() || words.last().is_some_and(|word| is_key(word)) {
        return None;
    }
    let mut path = vec![FOLDER.to_owned(), words.join(".")];
    path.extend(level.into_iter().flat_map(|level| ["levels".to_owned(), level.to_string()]));
    path.push(key.to_owned());
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_which_text_it_is() {
        let path = |file| path_of(file, &["slack", "twilio-sms"]).map(|path| path.join("/"));
        for (file, right) in [
            ("outage.sms.txt", "templates/outage/sms"),
            ("outage.html", "templates/outage/html"),
            ("outage.html.j2", "templates/outage/html"),
            ("outage.urgent.speech.txt", "templates/outage/levels/urgent/speech"),
            ("outage.body.json", "templates/outage/body"),
            ("db.prod.high.slack.j2", "templates/db.prod/levels/high/slack"),
            ("urgent.sms.txt", "templates/urgent/sms"),
        ] {
            assert_eq!(path(file).as_deref(), Some(right), "{file}");
        }
        for wrong in ["outage.txt", "sms.txt", "readme.html.txt.txt", "outage.mail.html", "outage.smms.txt", ".txt", ""]
        {
            assert_eq!(path(wrong), None, "{wrong}");
        }
    }
}
