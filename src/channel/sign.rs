//! What requests are signed with, and the ways in which signatures are written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

/// RFC 2104 over SHA-256.
pub(super) fn hmac_sha256(key: &[u8], data: impl AsRef<[u8]>) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data.as_ref()).as_ref().to_vec()
}

pub(super) fn sha256(data: impl AsRef<[u8]>) -> Vec<u8> {
    digest::digest(&digest::SHA256, data.as_ref()).as_ref().to_vec()
}

/// In small letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 4648, 4.
pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}

/// RFC 3986: all but letters, digits and `-._~`.
pub(super) fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_come_out() {
        // RFC 4231, 4.3.
        let mac = hmac_sha256(b"Jefe", "what do ya want for nothing?");
        assert_eq!(hex(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(hex(&sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((base64("foob"), from_base64("Zm9vYg==")), ("Zm9vYg==".into(), Some(b"foob".to_vec())));
        assert_eq!(percent("disk full +1~ü"), "disk%20full%20%2B1~%C3%BC");
    }
}
