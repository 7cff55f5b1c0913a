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

/// Whether nothing is to be escaped, as in nearly all: sixteen, eight or four bytes at a time, some at the end twice.
#[inline]
fn is_clean(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<16>() {
        return text.as_chunks::<16>().0.iter().all(are_clean) && are_clean(last);
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return !has_special(u64::from_le_bytes(*first)) && !has_special(u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return !has_special(u64::from(first) << 32 | u64::from(last));
    }
    !text.iter().any(|byte| is_special(*byte))
}

#[inline]
fn are_clean(bytes: &[u8; 16]) -> bool {
    !bytes.iter().fold(false, |any, byte| any | is_special(*byte))
}

/// Whether one of eight bytes is special, by the borrows of subtracting from all of them at once
/// ("Determine if a word has a byte less than n", Bit Twiddling Hacks).
#[inline]
fn has_special(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, b' ') | is(b'"') | is(b'\\')) & (ONES << 7) != 0
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
