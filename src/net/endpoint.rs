//! A URL to send to, treated as a secret: neither it nor an error about it ever shows its path,
//! its query or a password.

use crate::net::resolve::{forbidden, literal};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// Where requests may go beyond TLS to anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Plain `http://` to other hosts than loopback.
    pub plain: bool,
    /// Link-local and metadata addresses (169.254.0.0/16, fe80::/10, fd00:ec2::254).
    pub link_local: bool,
}

/// A checked `http` or `https` URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    /// Scheme, host and port.
    place: Arc<str>,
}

impl Endpoint {
    /// # Errors
    /// A sentence that says what would be right, without a word of the URL.
    pub fn parse(text: &str, reach: Reach) -> Result<Endpoint, String> {
        let mut url = Url::parse(text.trim()).map_err(|e| format!("this is not a URL ({e})"))?;
        let Some(host) = url.host_str().filter(|h| !h.is_empty()) else {
            return Err("the URL has no host; write it as \"https://host/path\"".into());
        };
        match url.scheme() {
            "https" => {}
            "http" if reach.plain || is_loopback(host) => {}
            "http" => return Err("plain http goes to loopback only; write https, or set allow_plain = true".into()),
            _ => return Err("the URL must begin with https:// (or http:// for loopback)".into()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the URL holds a user or a password; they belong into settings of their own".into());
        }
        if !reach.link_local && literal(host).is_some_and(forbidden) {
            return Err("link-local and metadata addresses are refused".into());
        }
        url.set_fragment(None);
        let place = url.origin().ascii_serialization().into();
        Ok(Endpoint { url, place })
    }

    /// The same with more path segments, each percent-encoded.
    pub fn join(&self, segments: &[&str]) -> Endpoint {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Endpoint { url, place: self.place.clone() }
    }

    /// The same with one more query parameter.
    pub fn with(mut self, name: &str, value: &str) -> Endpoint {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// What may be shown: scheme, host and port.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The same with its path, for a provider's own address, which is no secret.
    pub fn shown(&self) -> String {
        format!("{}{}", self.place, self.url.path())
    }

    /// Host, and port where it is not the usual one: what the header `Host` holds.
    pub fn authority(&self) -> &str {
        self.place.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// As it stands in the first line of a request.
    pub fn path_and_query(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// What may not be shown: path and query, whole and in the parts that may be tokens.
    pub fn hidden(&self) -> Vec<String> {
        let path = self.url.path();
        let whole = [Some(path).filter(|p| *p != "/"), self.url.query()];
        let raw = self.url.query().unwrap_or_default().split('&').filter_map(|pair| Some(pair.split_once('=')?.1));
        let segments = path.split('/').filter(|s| s.len() >= 12);
        let mut hidden: Vec<String> =
            whole.into_iter().flatten().chain(segments).chain(raw).map(str::to_owned).collect();
        hidden.extend(self.url.query_pairs().map(|(_, value)| value.into_owned()));
        hidden.retain(|text| !text.is_empty());
        hidden
    }

    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/[secret]", self.place())
    }
}

/// Whether this host can only be this machine.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || literal(host).is_some_and(|ip| ip.to_canonical().is_loopback())
}
