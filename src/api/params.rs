//! The parameters after the question mark: each is known, well formed, and given once.

use super::fault::Fault;
use crate::domain::clock;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Code, Refusal};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;

/// What is left to be read. A handler takes what it knows, then calls [`Params::done`].
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Params(pairs))
            .map_err(|e| Refusal::field("query", e.body_text()).into())
    }
}

/// The one name or id in a path.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Path(name) = Path::from_request_parts(parts, state)
            .await
            .map_err(|e| Refusal::new(Code::ValidationError, e.body_text()))?;
        Ok(Named(name))
    }
}

impl Params {
    /// The value of this parameter.
    ///
    /// # Errors
    /// When it is given twice.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let mut values = self.all(name);
        let value = values.pop();
        if values.is_empty() { Ok(value) } else { Err(Refusal::field(name, format!("{name} is given twice"))) }
    }

    /// Every value of a parameter that may be given again.
    pub fn all(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// A value in its own form.
    ///
    /// # Errors
    /// When it is given twice, or `read` has something to say about it.
    pub fn read<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Refusal> {
        self.take(name)?.map(|text| read(&text).map_err(|words| Refusal::field(name, words))).transpose()
    }

    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read(name, |text| text.parse().map_err(|_| format!("{text:?} is neither true nor false")))
    }

    /// A whole number from 0.
    ///
    /// # Errors
    /// As [`Params::read`].
    pub fn number(&mut self, name: &str) -> Result<Option<u64>, Refusal> {
        self.read(name, |text| text.parse().map_err(|_| format!("{text:?} is not a whole number")))
    }

    /// Rows of one answer: 1 to 200.
    ///
    /// # Errors
    /// As [`Params::read`].
    pub fn limit(&mut self) -> Result<usize, Refusal> {
        match self.number("limit")? {
            Some(0) => Err(Refusal::field("limit", "a limit is at least 1")),
            Some(n) => Ok(usize::try_from(n).unwrap_or(ROWS).min(ROWS)),
            None => Ok(ROWS),
        }
    }

    /// A time, or a duration back from now.
    ///
    /// # Errors
    /// As [`Params::read`].
    pub fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        self.read(name, |text| {
            // In a query an offset's plus sign arrives as a blank when nobody escaped it.
            Timestamp::parse(&text.replace(' ', "+"))
                .or_else(|_| Span::parse(text).map(|ago| clock::wall() - ago))
                .map_err(|_| {
                    format!("{text:?} is neither a time (RFC 3339) nor a duration back from now such as \"24h\"")
                })
        })
    }

    /// `since` and `until`, in their order.
    ///
    /// # Errors
    /// As [`Params::read`].
    pub fn period(&mut self) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
        let (since, until) = (self.moment("since")?, self.moment("until")?);
        match since.zip(until) {
            Some((since, until)) if until < since => {
                Err(Refusal::field("until", "this is before the time that since says"))
            }
            _ => Ok((since, until)),
        }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// Names the first parameter that nobody knows.
    pub fn done(self) -> Result<(), Refusal> {
        match self.0.first() {
            Some((name, _)) => Err(Refusal::field(name, format!("there is no parameter {name:?} here"))),
            None => Ok(()),
        }
    }
}

/// Rows of one answer at the most.
pub const ROWS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        let uri: axum::http::Uri = format!("http://stentor/x?{query}").parse().unwrap();
        Params(Query::try_from_uri(&uri).unwrap().0)
    }

    #[test]
    fn what_is_given_is_taken_once() {
        let mut p = params("status=dead&kind=a&kind=b&limit=500");
        assert_eq!(p.take("status").unwrap().as_deref(), Some("dead"));
        assert_eq!(p.all("kind"), ["a", "b"]);
        assert_eq!(p.limit().unwrap(), 200);
        assert_eq!(p.take("channel").unwrap(), None);
        assert!(p.done().is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let field = |r: Refusal| r.field.unwrap();
        assert_eq!(field(params("since=1h&until=2h").period().unwrap_err()), "until");
        assert!(params("since=2h&until=1h").period().is_ok_and(|(since, until)| since < until));
        assert!(params("until=1h").period().is_ok_and(|(since, until)| since.is_none() && until.is_some()));
        assert_eq!(field(params("a=1&a=2").take("a").unwrap_err()), "a");
        assert_eq!(field(params("limit=0").limit().unwrap_err()), "limit");
        assert_eq!(field(params("limit=-1").limit().unwrap_err()), "limit");
        assert_eq!(field(params("since=soon").moment("since").unwrap_err()), "since");
        assert_eq!(field(params("all=yes").flag("all").unwrap_err()), "all");
        assert_eq!(field(params("statsu=dead").done().unwrap_err()), "statsu");
    }

    #[test]
    fn moments_are_times_or_back_from_now() {
        let at = params("since=2026-11-20T07:00:00+01:00").moment("since").unwrap().unwrap();
        assert_eq!(at, Timestamp::parse("2026-11-20T06:00:00Z").unwrap());
        let then = params("since=24h").moment("since").unwrap().unwrap();
        let ago = clock::wall() - then;
        assert!(ago >= Span::hours(24) && ago < Span::hours(25));
    }
}
