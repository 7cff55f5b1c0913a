//! A request's body: one JSON object of at most 1 MiB, read within 30 s, without surprises. One that brings
//! attachments may be larger; two of these at a time, until they are answered.

pub mod strict;

use super::Api;
use super::fault::Fault;
use crate::engine::{self, Code, Refusal};
use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of a body.
pub const LARGEST: usize = 1 << 20;
/// For a whole body.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// What is longer must find room on the disk before it is taken: what does not fit would hold up all that waits
/// with it. And only so much of it goes on its way to the disk at a time, since what is decided has to be held.
const HEAVY: usize = 64 << 10;
/// Bytes of all heavy bodies that are not durable yet.
pub const ON_THEIR_WAY: usize = 16 << 20;
/// Of a body that is too large so much more is thrown away, so that the sender gets to read why.
const THROWN_AWAY: usize = 16 << 20;
const THROWING: Duration = Duration::from_secs(2);

/// A request's body as `T`. An empty one is an object without fields.
pub struct Sent<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        plain(request.headers())?;
        let bytes = in_time(read(request.into_body(), LARGEST)).await?;
        Ok(Sent(strict::parse(&bytes)?))
    }
}

/// The same for a request that may bring attachments. Who holds it holds its place, until it is durable.
pub struct Laden<T> {
    pub request: T,
    pub place: Place,
}

/// Among those with attachments, and among the heavy ones.
#[derive(Default)]
pub struct Place {
    _laden: Option<OwnedSemaphorePermit>,
    _heavy: Option<OwnedSemaphorePermit>,
}

impl<T: DeserializeOwned + engine::Laden> FromRequest<Arc<Api>> for Laden<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Fault> {
        plain(request.headers())?;
        let body = request.into_body();
        // Small ones, by their Content-Length, never wait for large ones.
        let small = body.size_hint().exact().is_some_and(|length| length <= LARGEST as u64);
        let laden = match small {
            true => None,
            false => in_time(async { Ok(api.laden.clone().acquire_owned().await.ok()) }).await?,
        };
        let attachments = usize::try_from(api.handle.config().daemon.attachments).unwrap_or_default();
        // Base64 makes four letters of three bytes.
        let largest = LARGEST + attachments / 3 * 4 + attachments / 64;
        let bytes = in_time(read(body, largest)).await?;
        let heavy = if bytes.len() > HEAVY { Some(on_its_way(api, bytes.len()).await?) } else { None };
        let fits = heavy.is_none() || api.history.has_room(bytes.len() as u64).await;
        let request: T = strict::parse(&bytes)?;
        if bytes.len() > LARGEST && !request.brings_files() {
            return Err(refusal(LARGEST).into());
        }
        if !fits {
            return Err(no_room(bytes.len()).into());
        }
        Ok(Laden { request, place: Place { _laden: laden, _heavy: heavy } })
    }
}

/// What is compressed could be anything when it is unpacked.
fn plain(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => Ok(()),
        Some(_) => Err(Refusal::new(Code::ValidationError, "a body is taken plain; leave Content-Encoding out")),
    }
}

/// Waits until so much can be taken in.
async fn on_its_way(api: &Api, bytes: usize) -> Result<OwnedSemaphorePermit, Fault> {
    let bytes = u32::try_from(bytes.min(ON_THEIR_WAY)).unwrap_or(u32::MAX);
    let taken = tokio::time::timeout(DEADLINE, api.heavy_bodies.clone().acquire_many_owned(bytes)).await;
    let full = || Refusal::new(Code::Overloaded, "too many large requests wait for the disk").retry_after(5);
    taken.ok().and_then(Result::ok).ok_or_else(|| full().into())
}

async fn in_time<T>(what: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(DEADLINE, what).await.unwrap_or_else(|_| {
        let message = "the body did not come within 30 seconds";
        Err(Fault::new(StatusCode::REQUEST_TIMEOUT, Code::Timeout, message))
    })
}

async fn read(body: Body, largest: usize) -> Result<Vec<u8>, Fault> {
    // By its Content-Length it may be too large before a byte of it has come.
    let announced = body.size_hint().lower();
    let mut chunks = body.into_data_stream();
    if announced > largest as u64 {
        return Err(too_large(chunks, largest).await);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| Refusal::new(Code::ValidationError, "the body broke off"))?;
        if bytes.len() + chunk.len() > largest {
            return Err(too_large(chunks, largest).await);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn refusal(largest: usize) -> Refusal {
    Refusal::new(Code::TooLarge, format!("a request's body has at most {} MiB", largest >> 20))
}

fn no_room(bytes: usize) -> Refusal {
    let size = bytes.div_ceil(1 << 20);
    let words =
        format!("the ledger's disk has no room for a request of {size} MiB; without attachments it would be taken");
    Refusal::new(Code::Overloaded, words).retry_after(60)
}

/// 413, when some more of it has been thrown away.
pub async fn too_large(chunks: BodyDataStream, largest: usize) -> Fault {
    throw_away(chunks).await;
    refusal(largest).into()
}

/// Takes no more of a body than is needed for its sender to get to the answer.
pub async fn throw_away(mut chunks: BodyDataStream) {
    let mut left = THROWN_AWAY;
    let rest = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(THROWING, rest).await;
}
