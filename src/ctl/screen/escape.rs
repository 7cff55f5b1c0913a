//! Makes foreign text harmless for a terminal.

use crate::domain::failure::is_treacherous;
use std::fmt::Write;

/// Control characters, line ends and characters that change the direction or hide are written as
/// escapes: `\n`, `\x1b`, `\u{202e}`. Everything else stays.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || c == '\x7f' => push(&mut out, format_args!("\\x{:02x}", c as u32)),
            c if c.is_control() || is_treacherous(c) => push(&mut out, format_args!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(what);
}
