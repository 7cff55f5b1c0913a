//! The body of a report: an array of alerts, read straight into what they are.
//!
//! What is no JSON, or no array, is refused as a whole, with its place. A value of the wrong sort spoils its alert
//! alone: it becomes a fault of that alert, and reading goes on.

use crate::api::body::strict::{Walk, text_of, words_of};
use crate::domain::Labels;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

/// Alerts of one request that are taken.
pub const MOST: usize = 10_000;
/// Levels above a value of an alert: the array, the alert, and its labels.
const INSIDE: usize = 3;
/// Labels that most alerts have at most.
const USUAL: usize = 8;

/// One alert as it was written. Nothing but its form has been looked at.
#[derive(Debug, Default, PartialEq)]
pub struct Posted {
    pub labels: Labels,
    pub annotations: Labels,
    pub starts_at: Option<String>,
    pub ends_at: Option<String>,
    pub generator_url: Option<String>,
    /// The field, and what is wrong with it.
    pub faults: Vec<String>,
}

/// Reads a body.
///
/// # Errors
/// What is wrong with the whole of it, with line and column.
pub fn parse(bytes: &[u8]) -> Result<Vec<Posted>, String> {
    // As Go reads JSON: a byte that is no text spoils its place and nothing else.
    let text = text_of(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    if !text.trim_ascii_start().starts_with('[') {
        return Err("the body has to be one JSON array of alerts: [{\"labels\": {...}}]".to_owned());
    }
    let mut json = serde_json::Deserializer::from_str(&text);
    let alerts = json.deserialize_seq(Alerts).and_then(|alerts| json.end().map(|()| alerts));
    alerts.map_err(|e| words_of(&e))
}

struct Alerts;

impl<'de> Visitor<'de> for Alerts {
    type Value = Vec<Posted>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of alerts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<Posted>, A::Error> {
        let mut alerts = Vec::new();
        while alerts.len() < MOST {
            let Some(alert) = elements.next_element_seed(One(Alert))? else { return Ok(alerts) };
            alerts.push(alert.unwrap_or_else(|what| fault(what, "an object")));
        }
        let (blamed, mut more) = (RefCell::new(None), 0);
        while elements.next_element_seed(Walk::inside(INSIDE, &blamed))?.is_some() {
            more += 1;
        }
        if more > 0 {
            let words = format!(": {MOST} alerts are taken of one request; this one and all after it ({more}) are not");
            alerts.push(Posted { faults: vec![words], ..Posted::default() });
        }
        Ok(alerts)
    }
}

fn fault(what: &str, wanted: &str) -> Posted {
    Posted { faults: vec![format!(": it is {what}, and has to be {wanted}")], ..Posted::default() }
}

/// What some value is wanted to be; of another sort it is passed over, and named.
trait Sort<'de>: Sized {
    type Value;

    fn text(self, _text: Cow<'de, str>) -> Result<Self::Value, &'static str> {
        Err("a text")
    }
    fn null(self) -> Result<Self::Value, &'static str> {
        Err("null")
    }
    /// `None`: no object is wanted.
    fn map<A: MapAccess<'de>>(self, _entries: &mut A) -> Option<Result<Self::Value, A::Error>> {
        None
    }
}

/// One value, of the sort that is wanted or named as what it is.
struct One<S>(S);

impl<'de, S: Sort<'de>> DeserializeSeed<'de> for One<S> {
    type Value = Result<S::Value, &'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sort<'de>> Visitor<'de> for One<S> {
    type Value = Result<S::Value, &'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Err("true or false"))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.0.null())
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let blamed = RefCell::new(None);
        while elements.next_element_seed(Walk::inside(INSIDE + 1, &blamed))?.is_some() {}
        Ok(Err("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        if let Some(read) = self.0.map(&mut entries) {
            return read.map(Ok);
        }
        let blamed = RefCell::new(None);
        while entries.next_key_seed(Name)?.is_some() {
            entries.next_value_seed(Walk::inside(INSIDE + 1, &blamed))?;
        }
        Ok(Err("an object"))
    }
}

/// A text; null is none.
struct Text;

impl<'de> Sort<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn text(self, text: Cow<'de, str>) -> Result<Self::Value, &'static str> {
        Ok(Some(text))
    }
    fn null(self) -> Result<Self::Value, &'static str> {
        Ok(None)
    }
}

/// Names and texts; null is none, as are empty texts.
struct Pairs<'f> {
    field: &'static str,
    faults: &'f mut Vec<String>,
}

impl<'de> Sort<'de> for Pairs<'_> {
    type Value = Labels;

    fn null(self) -> Result<Self::Value, &'static str> {
        Ok(Labels::new())
    }

    fn map<A: MapAccess<'de>>(self, entries: &mut A) -> Option<Result<Labels, A::Error>> {
        Some(self.read(entries))
    }
}

impl Pairs<'_> {
    fn read<'de, A: MapAccess<'de>>(self, entries: &mut A) -> Result<Labels, A::Error> {
        let mut pairs: Vec<(Cow<'de, str>, Cow<'de, str>)> = Vec::with_capacity(USUAL);
        while let Some(name) = entries.next_key_seed(Name)? {
            let value = match entries.next_value_seed(One(Text))? {
                Ok(value) => value.unwrap_or_default(),
                Err(what) => {
                    self.faults.push(format!("{}: it is {what}, and has to be a text", within(self.field, &name)));
                    continue;
                }
            };
            pairs.push((name, value));
        }
        // In the order in which they came where a name comes twice, so that the last one stands.
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        for twice in pairs.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            self.faults.push(format!("{}: the name is there twice", within(self.field, &twice[0].0)));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Labels::of(&pairs))
    }
}

/// A name, borrowed from the body where it stands there as it is.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
}

/// `.labels.job`; a strange name is quoted, a long one cut.
pub fn within(field: &str, name: &str) -> String {
    const LONGEST: usize = 64;
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!(".{field}[{:?}...]", &name[..at]),
        None if crate::domain::matcher::is_label_name(name) => format!(".{field}.{name}"),
        None => format!(".{field}[{name:?}]"),
    }
}

/// One alert.
struct Alert;

impl<'de> Sort<'de> for Alert {
    type Value = Posted;

    fn map<A: MapAccess<'de>>(self, entries: &mut A) -> Option<Result<Posted, A::Error>> {
        Some(read_alert(entries))
    }
}

fn read_alert<'de, A: MapAccess<'de>>(entries: &mut A) -> Result<Posted, A::Error> {
    let mut alert = Posted::default();
    let mut seen = [false; 5];
    while let Some(name) = entries.next_key_seed(Name)? {
        let Some(place) = FIELDS.iter().position(|field| *field == name) else {
            // What newer clients say more is passed over.
            let blamed = RefCell::new(None);
            entries.next_value_seed(Walk::inside(INSIDE - 1, &blamed))?;
            continue;
        };
        let field = FIELDS[place];
        if std::mem::replace(&mut seen[place], true) {
            alert.faults.push(format!(".{field}: it is there twice"));
        }
        let wrong = match place {
            0 => entries
                .next_value_seed(One(Pairs { field, faults: &mut alert.faults }))?
                .map(|found| alert.labels = found),
            1 => entries
                .next_value_seed(One(Pairs { field, faults: &mut alert.faults }))?
                .map(|found| alert.annotations = found),
            2 => entries.next_value_seed(One(Text))?.map(|found| alert.starts_at = found.map(Cow::into_owned)),
            3 => entries.next_value_seed(One(Text))?.map(|found| alert.ends_at = found.map(Cow::into_owned)),
            _ => entries.next_value_seed(One(Text))?.map(|found| alert.generator_url = found.map(Cow::into_owned)),
        };
        if let Err(what) = wrong {
            let wanted = if place < 2 { "an object of texts" } else { "a text" };
            alert.faults.push(format!(".{field}: it is {what}, and has to be {wanted}"));
        }
    }
    Ok(alert)
}

const FIELDS: [&str; 5] = ["labels", "annotations", "startsAt", "endsAt", "generatorURL"];
