//! Whether a call is Twilio's: `X-Twilio-Signature` over the URL and the fields of the form.
//!
//! HMAC-SHA1 with the account's auth token, also where requests go with an API key; HMAC-SHA256 with a
//! shared key where the header `X-Twilio-Webhooks-Signature-Settings` names one. The URL is the public one,
//! never what the request says of its host. Twilio signs it with or without the port. All comparing takes
//! the same time whatever is wrong.
//!
//! Settings: `callback_token` (the account's auth token, where `auth_token` is not given), `callback_token_2`
//! (taken as well, while it is changed), `callback_key_id` and `callback_key_secret` (the shared key).

use crate::channel::Incoming;
use crate::channel::sign;
use crate::domain::secret::Secret;
use crate::settings::Table;
use ring::hmac;
use std::collections::{BTreeMap, BTreeSet};

const SIGNATURE: &str = "x-twilio-signature";
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
const FORM: &str = "application/x-www-form-urlencoded";

/// What Twilio's calls to us are signed with.
#[derive(Debug)]
pub(super) struct Keys {
    tokens: Vec<Secret>,
    shared: Option<(String, Secret)>,
}

impl Keys {
    /// `None` where nothing could be checked.
    pub fn read(table: &mut Table<'_>, auth_token: Option<&Secret>) -> Option<Keys> {
        let mut secret = |key: &str| table.secret(key).filter(|s| !s.is_empty());
        let own = secret("callback_token").or_else(|| auth_token.cloned());
        let second = secret("callback_token_2");
        let shared_secret = secret("callback_key_secret");
        let id = table.text("callback_key_id").filter(|id| !id.is_empty());
        if id.is_some() != shared_secret.is_some() {
            let (given, missing) = match id {
                Some(_) => ("callback_key_id", "callback_key_secret"),
                None => ("callback_key_secret", "callback_key_id"),
            };
            table.error(given, format!("{given} without {missing}"), "a shared key is an id and its secret");
        }
        let tokens: Vec<Secret> = own.into_iter().chain(second).filter(|token| !token.is_empty()).collect();
        let shared = id.zip(shared_secret);
        (!tokens.is_empty() || shared.is_some()).then_some(Keys { tokens, shared })
    }

    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().chain(self.shared.iter().map(|(_, secret)| secret)).map(Secret::reveal)
    }

    /// # Errors
    /// What is wrong with the signature.
    pub fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        let given = call.header(SIGNATURE).ok_or("it has no signature")?;
        let given = sign::from_base64(given).ok_or("its signature is not base64")?;
        let keys = self.keys(call.header(SETTINGS))?;
        let fields = fields(call)?;
        // Each is tried, so that the time tells nothing.
        let fits = urls(call.url).iter().fold(false, |fits, url| {
            let data = [url.as_bytes(), fields.as_bytes()].concat();
            keys.iter().fold(fits, |fits, key| hmac::verify(key, &data, &given).is_ok() | fits)
        });
        if fits { Ok(()) } else { Err("its signature is wrong".to_owned()) }
    }

    /// By what it says to be signed with. What we do not know is refused, and never tried another way.
    fn keys(&self, settings: Option<&str>) -> Result<Vec<hmac::Key>, String> {
        let Some(settings) = settings else {
            let key = |token: &Secret| hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.reveal().as_bytes());
            return Ok(self.tokens.iter().map(key).collect());
        };
        let said = |name: &str| {
            let mut pairs = settings.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        match (&self.shared, said("key"), said("algorithm")) {
            (Some((id, secret)), Some(key), Some("HMAC_SHA256")) if id == key => {
                Ok(vec![hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes())])
            }
            (None, ..) => Err("it is signed with a shared key, and none is in the config".to_owned()),
            (_, _, Some("HMAC_SHA256")) => Err("it is signed with another shared key".to_owned()),
            _ => Err("it is signed by an algorithm that is not known".to_owned()),
        }
    }
}

/// What follows the URL in the signed text: each name with each of its values, sorted; nothing of a body
/// whose hash stands in the URL.
fn fields(call: &Incoming<'_>) -> Result<String, String> {
    if call.get {
        return Ok(String::new());
    }
    let kind = call.header("content-type").unwrap_or(FORM);
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM)) {
        let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in call.form() {
            fields.entry(name).or_default().insert(value);
        }
        let named = |(name, values): (&String, &BTreeSet<String>)| -> String {
            values.iter().map(|value| format!("{name}{value}")).collect()
        };
        return Ok(fields.iter().map(named).collect());
    }
    let mut query = form_urlencoded::parse(call.query().as_bytes());
    let (_, hash) = query.find(|(name, _)| name == "bodySHA256").ok_or("nothing vouches for its body")?;
    let whole = sign::hex(&sign::sha256(call.body));
    match whole.eq_ignore_ascii_case(&hash) {
        true => Ok(String::new()),
        false => Err("its body is not the one that was signed".to_owned()),
    }
}

/// The URL as it is, with the usual port, and without any.
fn urls(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let usual = if scheme == "http" { "80" } else { "443" };
    let bare = match authority.rsplit_once(':') {
        // Of an IPv6 address the colons are its own.
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    all.push(if bare == authority {
        format!("{scheme}://{bare}:{usual}{path}")
    } else {
        format!("{scheme}://{bare}{path}")
    });
    all
}
