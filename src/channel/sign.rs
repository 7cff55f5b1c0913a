//! What requests are signed with, and the ways in which signatures are written.

use crate::settings::Table;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};
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

/// The keys that a provider signs its calls with: the one, and the next one while it is changed.
#[derive(Debug)]
pub(super) struct PublicKeys(Vec<Vec<u8>>);

impl PublicKeys {
    /// `public_key` and `public_key_2`; `None` where nothing could be checked. `wrong` says what a key is that `parse`
    /// does not take, and what to write.
    pub fn read(table: &mut Table<'_>, parse: fn(&str) -> Option<Vec<u8>>, wrong: &str) -> Option<PublicKeys> {
        let key = |text: &str| match text {
            "" => Ok(Vec::new()),
            text => parse(text).ok_or_else(|| format!("{text:?} is not {wrong}")),
        };
        let keys = ["public_key", "public_key_2"].map(|name| table.parsed(name, key).filter(|key| !key.is_empty()));
        let keys: Vec<Vec<u8>> = keys.into_iter().flatten().collect();
        (!keys.is_empty()).then_some(PublicKeys(keys))
    }

    /// # Errors
    /// What is wrong with this signature, which is base64.
    pub fn verify(
        &self,
        by: &'static dyn VerificationAlgorithm,
        data: &[u8],
        signature: Option<&str>,
    ) -> Result<(), String> {
        let signature = signature.ok_or("it has no signature")?;
        let signature = from_base64(signature).ok_or("its signature is not base64")?;
        let fits = |key: &Vec<u8>| UnparsedPublicKey::new(by, key).verify(data, &signature).is_ok();
        if self.0.iter().any(fits) { Ok(()) } else { Err("its signature is wrong".to_owned()) }
    }
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
    }
}
