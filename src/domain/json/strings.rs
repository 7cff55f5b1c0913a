//! Strings of JSON, RFC 8259 section 7: quotation mark, backslash and control characters are escaped, nothing else.

use std::fmt;

/// With its quotation marks.
#[inline]
pub fn quoted(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    escaped(out, text.as_bytes());
    out.push(b'"');
}

/// What `Display` writes, as a string with its quotation marks.
///
/// # Errors
/// Those of `Display` itself.
pub fn displayed<T: fmt::Display + ?Sized>(out: &mut Vec<u8>, value: &T) -> fmt::Result {
    struct Inside<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Inside<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            escaped(self.0, text.as_bytes());
            Ok(())
        }
    }
    out.push(b'"');
    fmt::write(&mut Inside(out), format_args!("{value}"))?;
    out.push(b'"');
    Ok(())
}

#[inline]
fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    if is_clean(text) { out.extend_from_slice(text) } else { one_by_one(out, text) }
}

fn one_by_one(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = text.iter().position(|byte| is_special(*byte)) {
        out.extend_from_slice(&text[..at]);
        escape(out, text[at]);
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
}

/// Whether nothing is to be escaped, as in nearly all: sixteen or eight bytes at a time, some at the end twice.
#[inline]
fn is_clean(text: &[u8]) -> bool {
    let (chunks, rest) = text.as_chunks::<16>();
    if let Some(last) = text.last_chunk::<16>() {
        return chunks.iter().all(are_clean) && are_clean(last);
    }
    match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        (Some(first), Some(last)) => are_clean(first) && are_clean(last),
        _ => !rest.iter().any(|byte| is_special(*byte)),
    }
}

#[inline]
fn are_clean<const N: usize>(bytes: &[u8; N]) -> bool {
    !bytes.iter().fold(false, |any, byte| any | is_special(*byte))
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |half: u8| HEX[usize::from(half & 15)];
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
