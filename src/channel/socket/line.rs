//! Connections over TCP that carry one message after another: made when a message needs one, and
//! used again while they are known to live.
//!
//! What is written to a connection whose far end is gone is lost without a word. So one is used again
//! only within [`IDLE`] (what stands between closes idle ones silently), only when it has been quiet
//! since (an end or a stray word shows at once), and a message that it did not take whole goes over a
//! new one: half a line is no message. What comes after a failure, and when, is the engine's.

use crate::net::Wire;
use futures_util::FutureExt;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

const IDLE: Duration = Duration::from_secs(60);
/// Idle connections that are kept: as many as may be in use at once by default.
const KEPT: usize = 4;

pub(super) type Stream = Box<dyn Wire>;

/// Those of one channel that are not in use.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<(Stream, Instant)>>);

impl Idle {
    /// One that took all of these bytes; `None`: there is none, and whatever was tried has nothing
    /// whole of them.
    pub async fn take_with(&self, bytes: &[u8]) -> Option<Stream> {
        loop {
            let (mut stream, since) = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if since.elapsed() < IDLE && is_quiet(&mut stream) && write(&mut stream, bytes).await.is_ok() {
                return Some(stream);
            }
        }
    }

    pub fn keep(&self, stream: Stream) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        if idle.len() < KEPT {
            idle.push((stream, Instant::now()));
        }
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}

/// Neither ended nor broken, and nothing said that nobody asked for.
fn is_quiet(stream: &mut Stream) -> bool {
    stream.read(&mut [0; 64]).now_or_never().is_none()
}

pub(super) async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
