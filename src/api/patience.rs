//! The far end's time: a connection on which a head does not come whole, or which takes nothing of
//! its answer for too long, is broken off, so that nobody holds a place for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What a connection may take its time for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the connecting, or the first byte of a further request, to the end of its head.
    pub head: Duration,
    /// For one write.
    pub write: Duration,
}

/// A head is on its way, or the first one is awaited.
const HEAD: u8 = 0;
/// A request is under way.
const BUSY: u8 = 1;
/// It is answered, and the next may come when it likes.
const IDLE: u8 = 2;

/// How far the requests of a connection are, told by who serves them.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    /// A head is whole.
    pub fn asked(&self) {
        self.0.store(BUSY, Ordering::Relaxed);
    }

    pub fn answered(&self) {
        self.0.store(IDLE, Ordering::Relaxed);
    }

    /// Of a next request something has come.
    fn begun(&self) {
        self.0.store(HEAD, Ordering::Relaxed);
    }

    fn is(&self, phase: u8) -> bool {
        self.0.load(Ordering::Relaxed) == phase
    }
}

/// Bytes in and out, in time.
pub struct Patient<S> {
    stream: S,
    limits: Limits,
    progress: Progress,
    /// The end of the time for a head.
    head: Pin<Box<Sleep>>,
    /// Since when a write waits; `None` when none does.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub fn new(stream: S, limits: Limits, progress: Progress) -> Patient<S> {
        let head = Box::pin(tokio::time::sleep(limits.head));
        Patient { stream, limits, progress, head, waiting: None }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let longest = self.limits.write;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(late("the reader takes nothing"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn late(words: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, words)
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if me.progress.is(HEAD) && me.head.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(late("the head of a request does not come")));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut me.stream).poll_read(cx, buf);
        if buf.filled().len() > before && me.progress.is(IDLE) {
            me.head = Box::pin(tokio::time::sleep(me.limits.head));
            me.progress.begun();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    const LIMITS: Limits = Limits { head: Duration::from_secs(10), write: Duration::from_secs(30) };

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_given_up() {
        let (near, far) = tokio::io::duplex(16);
        let mut patient = Patient::new(near, LIMITS, Progress::default());
        let error = patient.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }

    #[tokio::test(start_paused = true)]
    async fn f64_only_a_head_has_to_hurry() {
        let (near, mut far) = tokio::io::duplex(16);
        let progress = Progress::default();
        let mut patient = Patient::new(near, LIMITS, progress.clone());
        // A body, and the pause between two requests, have other limits.
        for phase in [Progress::asked, Progress::answered] {
            phase(&progress);
            let waited = tokio::time::timeout(Duration::from_secs(59), patient.read_u8()).await;
            assert!(waited.is_err(), "{waited:?}");
        }
        far.write_all(b"GE").await.unwrap();
        assert_eq!(patient.read_u8().await.unwrap(), b'G');
        assert_eq!(patient.read_u8().await.unwrap(), b'E');
        let begun = Instant::now();
        assert_eq!(patient.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
    }
}
