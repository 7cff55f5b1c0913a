//! Strangers' text where a chat would read marks into it.

/// The text with a backslash before each of the `marks`, and cut to so many UTF-16 units with all
/// backslashes counted. Links stay as they are, so that they still lead somewhere.
pub(super) fn escape(text: &str, marks: &str, most: usize) -> String {
    let pieces: Vec<(bool, char)> = text
        .split_inclusive(char::is_whitespace)
        .flat_map(|word| {
            let link = word.starts_with("https://") || word.starts_with("http://");
            word.chars().map(move |c| (!link && marks.contains(c), c))
        })
        .collect();
    let size = |(marked, c): &(bool, char)| c.len_utf16() + usize::from(*marked);
    let fits = pieces.iter().map(size).sum::<usize>() <= most;
    let mut room = if fits { most } else { most.saturating_sub(1) };
    let mut out = String::with_capacity(text.len());
    for piece in &pieces {
        let Some(left) = room.checked_sub(size(piece)) else { break };
        room = left;
        if piece.0 {
            out.push('\\');
        }
        out.push(piece.1);
    }
    if !fits && most > 0 {
        out.push('…');
    }
    out
}

/// The first line, and what follows it.
pub(super) fn headline(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    (first, rest.trim_start_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_escaped_and_links_are_not() {
        assert_eq!(escape("db_1 *full* [x]", "*_[]", 100), "db\\_1 \\*full\\* \\[x\\]");
        assert_eq!(escape("see https://x.example/a_b_c now_", "_", 100), "see https://x.example/a_b_c now\\_");
    }

    #[test]
    fn what_is_too_long_is_cut_between_letters_and_never_after_a_lone_backslash() {
        assert_eq!(escape("____", "_", 8), "\\_\\_\\_\\_");
        assert_eq!(escape("_____", "_", 8), "\\_\\_\\_…");
        // Two units each.
        assert_eq!(escape("🔥🔥🔥", "_", 6), "🔥🔥🔥");
        assert_eq!(escape("🔥🔥🔥🔥", "_", 6), "🔥🔥…");
        assert_eq!(escape("abc", "_", 0), "");
    }

    #[test]
    fn a_headline_is_the_first_line() {
        assert_eq!(headline("a\n\nb\nc"), ("a", "b\nc"));
        assert_eq!(headline("a"), ("a", ""));
    }
}
