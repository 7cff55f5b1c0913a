//! Server-sent events, as <https://html.spec.whatwg.org/multipage/server-sent-events.html> has
//! them; `event:` and `retry:` are not used and passed over.

use crate::ctl::client::bytes::Bytes;
use crate::ctl::trouble::Trouble;

/// A line may not be longer; an event is a few KiB.
const LONGEST_LINE: usize = 16 << 20;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub id: Option<String>,
    pub data: String,
}

/// The events of a stream as they come.
pub struct Messages<'a> {
    bytes: Bytes<'a>,
    parser: Parser,
}

impl<'a> Messages<'a> {
    pub fn new(bytes: Bytes<'a>) -> Self {
        Messages { bytes, parser: Parser::default() }
    }

    /// The next one; `None` when the far end has closed the stream.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Message>, Trouble> {
        loop {
            if let Some(message) = self.parser.take() {
                return Ok(Some(message));
            }
            match self.bytes.next().await? {
                Some(bytes) => self.parser.feed(&bytes)?,
                None => return Ok(None),
            }
        }
    }
}

/// Makes events out of bytes, wherever these are cut.
#[derive(Default)]
pub struct Parser {
    pending: Vec<u8>,
    id: Option<String>,
    data: Option<String>,
    ready: std::collections::VecDeque<Message>,
}

impl Parser {
    /// # Errors
    /// A line without an end.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.pending.extend_from_slice(bytes);
        while let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            self.line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        }
        if self.pending.len() > LONGEST_LINE {
            return Err(Trouble::Failed("the event stream has a line of more than 16 MiB".into()));
        }
        Ok(())
    }

    pub fn take(&mut self) -> Option<Message> {
        self.ready.pop_front()
    }

    fn line(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" if line.is_empty() => {
                let id = self.id.take();
                self.ready.extend(self.data.take().map(|data| Message { id, data }));
            }
            "id" => self.id = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut parser = Parser::default();
        chunks.iter().for_each(|c| parser.feed(c).unwrap());
        std::iter::from_fn(|| parser.take()).map(|m| (m.id, m.data)).collect()
    }

    #[test]
    fn events_are_put_together_wherever_the_bytes_are_cut() {
        let stream =
            b": hello\n\nid: 7\nevent: x\ndata: {\"a\":\"\xc3\xa9\"}\n\ndata:one\r\ndata: two\r\n\r\nid: 9\n\n";
        let whole = all(&[stream]);
        let expected = vec![(Some("7".into()), "{\"a\":\"é\"}".into()), (None, "one\ntwo".into())];
        assert_eq!(whole, expected);
        for cut in 1..stream.len() {
            assert_eq!(all(&[&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_without_its_end_is_not_given_out() {
        assert!(all(&[b"data: x\n"]).is_empty());
    }
}
