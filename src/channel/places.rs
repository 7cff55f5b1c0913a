//! Places in a URL or in a body that each message fills: `{to}`, `{text}`.
//!
//! What a message holds is written as its place needs it, and is not looked at for places again.

use crate::channel::http;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::{Endpoint, Reach, percent};
use crate::settings::Table;

/// Names of places and what a message puts there.
pub(super) type Values<'a> = [(&'a str, &'a str)];

/// A URL, which may have places; a secret.
#[derive(Debug)]
pub(super) struct Address {
    url: Secret,
    /// The same without a message in it, to connect to.
    place: Endpoint,
    reach: Reach,
    names: &'static [&'static str],
    /// It has no places.
    fixed: bool,
}

impl Address {
    /// The setting `url`, in which these names may stand, but not in its host.
    pub fn read(table: &mut Table<'_>, example: &str, names: &'static [&'static str], reach: Reach) -> Option<Address> {
        let url = table.require_secret("url", example)?;
        if url.is_empty() {
            return Some(Address { url, place: http::nowhere()?, reach, names, fixed: true });
        }
        let fixed = names.iter().all(|name| !url.reveal().contains(&format!("{{{name}}}")));
        let host = url.reveal().split('/').nth(2).unwrap_or_default();
        let parsed = if host.contains('{') {
            Err("the host of the URL cannot come from a message".to_owned())
        } else {
            let empty: Vec<(&str, &str)> = names.iter().map(|name| (*name, "")).collect();
            Endpoint::parse(&fill(url.reveal(), &empty, percent::encoded), reach)
        };
        match parsed {
            Ok(place) => Some(Address { url, place, reach, names, fixed }),
            Err(why) => {
                let otherwise = format!("write url = \"{example}\"");
                let (message, hint) = why.split_once("; ").unwrap_or((&why, &otherwise));
                table.error("url", message, hint);
                None
            }
        }
    }

    /// To connect to, without a message.
    pub fn place(&self) -> &Endpoint {
        &self.place
    }

    /// Whether every message goes to the same place.
    pub fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// Where this message goes.
    pub fn to(&self, values: &Values<'_>) -> Result<Endpoint, Failure> {
        if self.fixed {
            return Ok(self.place.clone());
        }
        let wrong = |words: String| Failure::new(FailureClass::ValidationError, Blame::Message, words);
        Endpoint::parse(&fill(self.url.reveal(), values, percent::encoded), self.reach).map_err(wrong)
    }

    /// The same for people: of the secret URL the host, and what the message puts into its query.
    pub fn shown(&self, values: &Values<'_>) -> String {
        let query = self.url.reveal().split_once('?').map_or("", |(_, query)| query);
        let is_place = |text: &str| self.names.iter().any(|name| text == format!("{{{name}}}"));
        let filled: Vec<String> = query
            .split('&')
            .filter(|pair| pair.split_once('=').is_some_and(|(_, value)| is_place(value)))
            .map(|pair| fill(pair, values, percent::encoded))
            .collect();
        let query = if filled.is_empty() { String::new() } else { format!("?{}", filled.join("&")) };
        format!("{}/[secret]{query}", self.place.place())
    }
}

/// Puts the values in; what they hold is not looked at again.
pub(super) fn fill(template: &str, values: &Values<'_>, write: fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = values
            .iter()
            .find_map(|(name, value)| Some((rest.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?, value)));
        match found {
            Some((after, value)) => {
                out.push_str(&write(value));
                rest = after;
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_their_place_needs_it_and_never_read_again() {
        let values = [("to", "+1555"), ("text", "a\"{to}\n&=ü")];
        let as_is: fn(&str) -> String = str::to_owned;
        assert_eq!(fill("{to}: {text}", &values, as_is), "+1555: a\"{to}\n&=ü");
        assert_eq!(
            fill("to={to}&t={text}&{other}{", &values, percent::encoded),
            "to=%2B1555&t=a%22%7Bto%7D%0A%26%3D%C3%BC&{other}{"
        );
    }
}
