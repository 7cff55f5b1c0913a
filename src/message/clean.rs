//! Strangers' words made harmless: no control characters, no escape sequences, no reversal of the
//! writing direction. Letters of every language stay.

use crate::domain::failure::is_treacherous;

/// One line: every kind of blank is one space, none at the ends.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_trick(*c)) {
        if c.is_whitespace() || c.is_control() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Lines as they are, without blanks at their ends; at most one empty line in a row.
pub fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for raw in
        text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n").split('\n')
    {
        let clean: String =
            raw.replace('\t', "    ").chars().filter(|c| !is_trick(*c)).map(unprintable_is_blank).collect();
        out.push_str(clean.trim_end());
        if !out.ends_with("\n\n") {
            out.push('\n');
        }
    }
    out.trim_matches('\n').to_owned()
}

fn unprintable_is_blank(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// Letters that only change how others are shown: marks and overrides of direction, tags, and nothing at
/// all. Breaks of lines are blanks.
fn is_trick(c: char) -> bool {
    is_treacherous(c) && !c.is_whitespace()
}

/// The first `max` letters; a cut text ends with three dots.
pub fn short(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let cut: String = text.chars().take(max.saturating_sub(3)).collect();
    format!("{}...", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_direction_and_letters_that_nobody_sees_are_gone_and_words_stay_apart() {
        for trick in ["\u{61c}", "\u{200e}", "\u{200f}", "\u{202e}", "\u{2066}", "\u{2060}", "\u{200b}", "\u{e0041}"] {
            assert_eq!(
                (line(&format!("a{trick}b")), block(&format!("a{trick}b"))),
                ("ab".into(), "ab".into()),
                "{trick:?}"
            );
        }
        assert_eq!(line("disk\u{2028}full\u{2029}now"), "disk full now");
        assert_eq!(block("disk\u{2028}full"), "disk\nfull");
        // Joiners belong to the writing of some languages, and to pictures.
        assert_eq!(line("می\u{200c}خواهم 👨\u{200d}👩"), "می\u{200c}خواهم 👨\u{200d}👩");
    }
}
