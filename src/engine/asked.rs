//! What a caller writes: the bodies of `send` and `page`, and the words in them.

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::domain::who::Who;
use crate::message::attachment;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `send`, as the API's body has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SendRequest {
    pub level: Option<LevelWord>,
    pub subject: String,
    #[serde(deserialize_with = "or_default")]
    pub body: String,
    pub to: Option<Vec<Who>>,
    pub channels: Option<Vec<String>>,
    #[serde(rename = "type")]
    pub kind_of: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    pub initiator: Option<String>,
    #[serde(alias = "tenant_id")]
    pub tenant: Option<String>,
    pub idempotency_key: Option<String>,
    pub correlation_id: Option<String>,
    /// The caller's own name for this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who caused it, in the caller's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Comes back as it was given.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// A duration, or whole seconds.
    #[serde(deserialize_with = "seconds_or_span")]
    pub ttl: Option<SpanWord>,
    pub at: Option<TimeWord>,
    /// Which template says it, and what it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Labels::is_empty")]
    pub vars: Labels,
    /// Files that go along.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Upload>,
    /// When its caller asked, where that was a while ago: `ttl` counts from then.
    #[serde(skip)]
    pub asked_at: Option<Timestamp>,
    #[serde(skip)]
    pub heartbeat: Option<String>,
}

/// A file, as it is given with a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    pub name: String,
    pub content_base64: Content64,
}

/// What a file holds: hashed and looked at where it is read, at the door.
#[derive(Clone, Debug)]
pub struct Content64 {
    pub bytes: Arc<[u8]>,
    /// BLAKE3 (hex).
    pub hash: String,
    /// Its media type, by what is in it.
    pub mime: &'static str,
}

impl<'de> Deserialize<'de> for Content64 {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let bytes = STANDARD.decode(text.trim_ascii().as_bytes());
        let bytes = bytes.map_err(|e| serde::de::Error::custom(format!("this is not base64 (RFC 4648, 4): {e}")))?;
        let (hash, mime) = (blake3::hash(&bytes).to_hex().to_string(), attachment::media_type(&bytes));
        Ok(Content64 { bytes: bytes.into(), hash, mime })
    }
}

/// The hash stands for it.
impl Serialize for Content64 {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.hash)
    }
}

/// `page`, as the API's body has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenRequest {
    pub level: Option<LevelWord>,
    pub subject: String,
    #[serde(deserialize_with = "or_default")]
    pub body: String,
    pub fingerprint: Option<String>,
    pub policy: Option<String>,
    pub to: Option<Vec<Who>>,
    pub channels: Option<Vec<String>>,
    #[serde(rename = "type")]
    pub kind_of: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    pub initiator: Option<String>,
    #[serde(alias = "tenant_id")]
    pub tenant: Option<String>,
    /// Files that go along with whatever calls for it.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Upload>,
}

/// What may bring files, and so may be large.
pub trait Laden {
    fn brings_files(&self) -> bool;
}

impl Laden for SendRequest {
    fn brings_files(&self) -> bool {
        !self.attachments.is_empty()
    }
}

impl Laden for OpenRequest {
    fn brings_files(&self) -> bool {
        !self.attachments.is_empty()
    }
}

/// A null is as good as nothing, as it is for whatever is optional.
fn or_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// `90` as `"90s"`.
///
/// # Errors
/// What is neither.
pub fn seconds_or_span<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<SpanWord>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(u64),
        Text(String),
        Other(serde_json::Value),
    }
    let text = match Option::<Written>::deserialize(from)? {
        None => return Ok(None),
        Some(Written::Seconds(seconds)) => format!("{seconds}s"),
        Some(Written::Text(text)) => text,
        Some(Written::Other(value)) => value.to_string(),
    };
    let wrong = || format!("{text:?} is no time to live; write whole seconds such as 90, or a duration such as \"5m\"");
    Span::parse(&text).map(|span| Some(SpanWord(span))).map_err(|_| serde::de::Error::custom(wrong()))
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $parse:expr, $show:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                parse(&text).map($name).map_err(serde::de::Error::custom)
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                let show: fn(&$inner) -> String = $show;
                s.serialize_str(&show(&self.0))
            }
        }
    };
}
word!(
    /// A level or one of its aliases.
    LevelWord, Level,
    |t| Level::parse(t).ok_or_else(|| format!("{t:?} is not a level; write low, normal, high or urgent")),
    |l| l.to_string()
);
word!(
    /// A duration, as `"5m"`.
    SpanWord, Span, Span::parse, |s| s.to_string()
);
word!(
    /// A time, RFC 3339.
    TimeWord, Timestamp, Timestamp::parse, |t| t.rfc3339(&jiff::tz::TimeZone::UTC)
);
