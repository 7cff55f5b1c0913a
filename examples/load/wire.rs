//! HTTP/1.1 as this program speaks it on both ends, over sockets that are kept: as little work as honesty permits, so that
//! what is measured is not this program.

use super::Failed;
use std::fmt::Write;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A TCP or Unix socket.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// Bytes of a head or a body; nobody here sends more.
const LARGEST: usize = 1 << 20;
const HEADERS: usize = 48;

/// A connection and what of it was read and not used yet.
pub struct Wire {
    stream: Box<dyn Socket>,
    read: Vec<u8>,
    used: usize,
    out: String,
}

/// A head, as far as this program cares.
struct Head {
    /// 0 in a request.
    status: u16,
    length: usize,
    /// Of the body.
    chunked: bool,
    /// The far end closes after this.
    last: bool,
    bytes: usize,
}

impl Wire {
    pub fn new(stream: impl Socket + 'static) -> Wire {
        Wire { stream: Box::new(stream), read: Vec::with_capacity(16 << 10), used: 0, out: String::new() }
    }

    /// Sends a request and reads its answer: the status and the body.
    pub async fn ask(&mut self, path: &str, json: &str) -> Result<(u16, &[u8]), Failed> {
        self.out.clear();
        let length = json.len();
        write!(
            self.out,
            "POST {path} HTTP/1.1\r\nhost: stentor\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
        )?;
        self.stream.write_all(self.out.as_bytes()).await?;
        let (head, body) = self.message(answer_head).await?.ok_or("the server hung up")?;
        Ok((head.status, &self.read[body]))
    }

    /// The body of the next request and whether it is the last; `None` when the far end is gone.
    pub async fn request(&mut self) -> Result<Option<(&[u8], bool)>, Failed> {
        Ok(self.message(request_head).await?.map(|(head, body)| (&self.read[body], head.last)))
    }

    pub async fn answer(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next message, and where in `read` its body is.
    async fn message(
        &mut self,
        parse: fn(&[u8]) -> Result<Option<Head>, Failed>,
    ) -> Result<Option<(Head, std::ops::Range<usize>)>, Failed> {
        self.read.drain(..std::mem::take(&mut self.used));
        let head = loop {
            match parse(&self.read)? {
                Some(head) => break head,
                None if !self.more().await? => return Ok(None),
                None => {}
            }
        };
        if head.chunked {
            return Err("a chunked body; this program reads those with a length".into());
        }
        let end = head.bytes + head.length;
        while self.read.len() < end {
            if !self.more().await? {
                return Err("a body that broke off".into());
            }
        }
        self.used = end;
        let body = head.bytes..end;
        Ok(Some((head, body)))
    }

    async fn more(&mut self) -> Result<bool, Failed> {
        if self.read.len() > LARGEST {
            return Err("a message that does not end".into());
        }
        self.read.reserve(4 << 10);
        Ok(self.stream.read_buf(&mut self.read).await? > 0)
    }
}

fn answer_head(bytes: &[u8]) -> Result<Option<Head>, Failed> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = answer.parse(bytes)? else { return Ok(None) };
    let status = answer.code.unwrap_or_default();
    Ok(Some(head(status, answer.headers, length)?))
}

fn request_head(bytes: &[u8]) -> Result<Option<Head>, Failed> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(bytes)? else { return Ok(None) };
    Ok(Some(head(0, request.headers, length)?))
}

fn head(status: u16, headers: &[httparse::Header<'_>], bytes: usize) -> Result<Head, Failed> {
    let mut head = Head { status, length: 0, chunked: false, last: false, bytes };
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            head.length = std::str::from_utf8(header.value)?.trim().parse()?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.last = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(head)
}
