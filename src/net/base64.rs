//! What credentials look like on the wire (RFC 7617 and 4954 send them in base64), so that a far end
//! that says them back is noticed.

/// RFC 4648, 4, without the padding, which an echo may have lost.
pub fn encode(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let letters = (0..=chunk.len()).filter_map(|n| LETTERS.get((bits >> (18 - 6 * n)) as usize & 63));
        out.extend(letters.map(|letter| char::from(*letter)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfcs() {
        assert_eq!(encode("Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ");
        assert_eq!(encode("test:123\u{a3}"), "dGVzdDoxMjPCow");
        for (text, encoded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(encode(text), encoded);
        }
    }
}
