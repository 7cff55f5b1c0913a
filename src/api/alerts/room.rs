//! How much of alerts may be in memory, from the first byte of a body to its answer.

use super::told::Told;
use crate::api::body::{DEADLINE, throw_away, too_large};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use futures_util::StreamExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one body. Prometheus sends some hundreds of alerts at once, and drops what is refused.
const LARGEST: usize = 8 << 20;
/// Bytes of all bodies.
const ALL: usize = 32 << 20;
/// A larger body leaves the last tenth alone while it is read; what a smaller one reports, nobody knows
/// before it has been read.
const SMALL: usize = 256 << 10;

/// What is left of it.
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Room {
        Room(Arc::new(Semaphore::new(ALL)))
    }
}

impl Room {
    /// As if so much of it were taken.
    #[cfg(test)]
    pub fn fill(&self, part: f64) -> Option<OwnedSemaphorePermit> {
        self.take((ALL as f64 * part) as usize, 0).ok()
    }

    /// Room for so many bytes, if so many stay free beside them.
    fn take(&self, bytes: usize, reserve: usize) -> Result<OwnedSemaphorePermit, Told> {
        if self.0.available_permits() < bytes.saturating_add(reserve) {
            return Err(full());
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.clone().try_acquire_many_owned(bytes).map_err(|_| full())
    }

    /// Asked for what is not urgent.
    ///
    /// # Errors
    /// 503 when the last tenth has begun.
    pub fn leave_some_for_urgent(&self) -> Result<(), Told> {
        if self.0.available_permits() < ALL / 10 { Err(full()) } else { Ok(()) }
    }
}

fn full() -> Told {
    Told::refused(crate::engine::Refusal::new(crate::engine::Code::Overloaded, "too many alerts wait").retry_after(1))
}

/// A body of at most 8 MiB, within 30 s, and the room that it takes until this is dropped.
///
/// # Errors
/// 408, 413, 503, and 400 for one that breaks off.
pub async fn read(room: &Room, body: Body) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Told> {
    match tokio::time::timeout(DEADLINE, read_all(room, body)).await {
        Ok(read) => read,
        Err(_) => Err(Told::new(StatusCode::REQUEST_TIMEOUT, "the body did not come within 30 seconds")),
    }
}

async fn read_all(room: &Room, body: Body) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Told> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut chunks = body.into_data_stream();
    if announced > LARGEST {
        return Err(too_large(chunks, LARGEST).await.into());
    }
    // What is announced has not come: a slow sender takes no room from the others.
    let (mut bytes, mut place) = (Vec::new(), None::<OwnedSemaphorePermit>);
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| Told::wrong("the body broke off"))?;
        if bytes.len() + chunk.len() > LARGEST {
            return Err(too_large(chunks, LARGEST).await.into());
        }
        let reserve = if bytes.len() + chunk.len() > SMALL { ALL / 10 } else { 0 };
        match (room.take(chunk.len(), reserve), &mut place) {
            (Ok(more), Some(place)) => place.merge(more),
            (Ok(more), None) => place = Some(more),
            (Err(full), place) => {
                // Its room is for others at once; what is still to come takes none.
                drop((place.take(), bytes, chunk));
                throw_away(chunks).await;
                return Err(full);
            }
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, place))
}
