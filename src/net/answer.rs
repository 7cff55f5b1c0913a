//! What came back, and what a way that broke says about the request.

use crate::domain::clock;
use crate::domain::failure::{Blame, Failure, FailureClass, cut};
use crate::domain::time::{Span, Timestamp};
use crate::net::ANSWER_CAP;
use crate::net::line::Line;
use crate::net::names::NameError;
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::header::{HeaderMap, RETRY_AFTER};
use std::error::Error;
use tokio::time::{Instant, timeout_at};

/// An HTTP answer of any status, its body cut at [`ANSWER_CAP`].
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// How long we are asked to wait (`Retry-After`).
    pub retry_after: Option<Span>,
    headers: HeaderMap,
    /// In bytes as they came; text in error answers goes through [`Answer::words`].
    pub body: Vec<u8>,
    /// The body is complete: neither cut by us nor broken off by the other side.
    pub whole: bool,
}

impl Answer {
    /// Reads the body until it is whole, too long, or late.
    pub(super) async fn read(line: &mut Line, response: Response<Incoming>, end: Instant) -> Answer {
        let (head, mut body) = response.into_parts();
        let header = head.headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok());
        let retry_after = header.and_then(|h| retry_after(h, clock::wall()));
        let mut answer =
            Answer { status: head.status.as_u16(), retry_after, headers: head.headers, body: Vec::new(), whole: false };
        // Its length is known, mostly, and then so is its end, without another look at the connection.
        answer.whole = body.is_end_stream();
        // The status says enough; who needs the body looks at `whole`.
        while !answer.whole
            && let Ok(part) = timeout_at(end, line.part(&mut body)).await
        {
            match part {
                Some(Ok(part)) => {
                    let chunk = part.data_ref().map_or(&[][..], |data| data);
                    let room = ANSWER_CAP - answer.body.len();
                    answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        return answer;
                    }
                    answer.whole = body.is_end_stream();
                }
                None => answer.whole = true,
                Some(Err(_)) => return answer,
            }
        }
        answer
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if it is printable ASCII; of several the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Takes out every header whose value fits.
    pub fn drop_headers(&mut self, fits: impl Fn(&str) -> bool) {
        if !self.headers.values().any(|value| value.to_str().map_or(true, &fits)) {
            return;
        }
        let kept = self.headers.drain().filter_map(|(name, value)| Some((name?, value)));
        self.headers = kept.filter(|(_, value)| value.to_str().is_ok_and(|text| !fits(text))).collect();
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as one line of at most 200 characters, for people; `answer 503` when it is empty.
    pub fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        match text.trim() {
            "" => format!("answer {} without words", self.status),
            text => cut(text, 200),
        }
    }
}

/// `Retry-After` in seconds (also fractional) or as an HTTP date; a time gone by is zero.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Span> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        // Nobody means more than a year, and NaN is no time at all.
        return (seconds >= 0.0).then(|| Span((seconds.min(31_536_000.0) * 1e6) as i64));
    }
    // The form of today, and the two that are obsolete and still to be understood (RFC 9110, 5.6.7).
    let since_1970 = httpdate::parse_http_date(header).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let at = i64::try_from(since_1970.as_micros()).ok()?;
    Some(Span((at - now.0).max(0)))
}

/// No answer in time; it may have been processed.
pub(super) fn late() -> Failure {
    Failure::new(FailureClass::Timeout, Blame::Channel, "no answer in time").unknown()
}

/// The connection ended before the answer; it may have been processed.
pub(super) fn broken(error: &(dyn Error + 'static)) -> Failure {
    let words = format!("the connection broke before the answer: {}", innermost(error));
    Failure::new(FailureClass::ProviderError, Blame::Channel, words).unknown()
}

/// There is no connection; nothing was sent.
pub fn unreached(error: &(dyn Error + 'static)) -> Failure {
    let words = format!("cannot connect: {}", innermost(error));
    let late = chain(error).any(|e| matches!(e.downcast_ref(), Some(NameError::Late(_))));
    let class = if late { FailureClass::Timeout } else { FailureClass::ProviderError };
    Failure::new(class, Blame::Channel, words)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e| cause(*e))
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>() {
        // Its own source is that of what it wraps.
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// The words of the last error in the chain: "Connection refused (os error 111)".
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
