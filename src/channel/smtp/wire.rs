//! The connection under lettre's conversation: how it is made, and that nothing said before TLS is
//! taken for something said in it.
//!
//! lettre keeps what it has read ahead when a connection turns to TLS. Whoever stands in between
//! could so slip in answers to questions that are asked in TLS (the EHLO after it, the AUTH). While
//! all is plain, one line at a time is therefore handed up, and a line that is left over when the
//! handshake begins ends the connection.

use crate::net::{CONNECT_TIMEOUT, dial};
use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The first byte of a TLS handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;

/// Plain, to be turned to TLS perhaps.
#[derive(Debug)]
pub(super) struct Plain {
    tcp: TcpStream,
    /// Read and not yet handed up.
    ahead: Vec<u8>,
    in_tls: bool,
}

/// TLS from the first byte.
#[derive(Debug)]
pub(super) struct Implicit {
    tls: Box<TlsStream<TcpStream>>,
}

/// Connects within [`CONNECT_TIMEOUT`].
pub(super) async fn plain(host: &str, port: u16) -> io::Result<Plain> {
    let tcp = in_time(dial(host, port, false)).await?;
    Ok(Plain { tcp, ahead: Vec::new(), in_tls: false })
}

/// Connects, with the handshake, within [`CONNECT_TIMEOUT`]; and the server's certificate.
pub(super) async fn implicit(host: &str, port: u16, tls: Arc<ClientConfig>) -> io::Result<(Implicit, Option<Vec<u8>>)> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare).map_err(io::Error::other)?;
    let connecting = async { TlsConnector::from(tls).connect(name, dial(host, port, false).await?).await };
    let tls = in_time(connecting).await?;
    let leaf = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|c| c.to_vec());
    Ok((Implicit { tls: Box::new(tls) }, leaf))
}

async fn in_time<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

impl AsyncRead for Plain {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if me.in_tls {
            if !me.ahead.is_empty() {
                let words = "the server said something more before TLS began; nothing was sent";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, words)));
            }
            return Pin::new(&mut me.tcp).poll_read(cx, buf);
        }
        if me.ahead.is_empty() {
            let mut space = [0; 1_024];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut me.tcp).poll_read(cx, &mut read))?;
            me.ahead.extend_from_slice(read.filled());
        }
        let line = me.ahead.iter().position(|byte| *byte == b'\n').map_or(me.ahead.len(), |at| at + 1);
        let line = line.min(buf.remaining());
        buf.put_slice(&me.ahead[..line]);
        me.ahead.drain(..line);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Plain {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // No command begins with it.
        self.in_tls |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Plain {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}

impl AsyncRead for Implicit {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for Implicit {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Implicit {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tls.get_ref().0.peer_addr()
    }
}
