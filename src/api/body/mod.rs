//! A request's body: one JSON object of at most 1 MiB, read within 30 s, without surprises.

pub mod strict;

use super::fault::Fault;
use crate::engine::{Code, Refusal};
use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Bytes of a body.
pub const LARGEST: usize = 1 << 20;
/// For a whole body.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Of a body that is too large so much more is thrown away, so that the sender gets to read why.
const THROWN_AWAY: usize = 16 << 20;
const THROWING: Duration = Duration::from_secs(2);

/// A request's body as `T`. An empty one is an object without fields.
pub struct Sent<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let bytes = match tokio::time::timeout(DEADLINE, read(request.into_body())).await {
            Ok(bytes) => bytes?,
            Err(_) => {
                let message = "the body did not come within 30 seconds";
                return Err(Fault::new(StatusCode::REQUEST_TIMEOUT, Code::Timeout, message));
            }
        };
        Ok(Sent(strict::parse(&bytes)?))
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Fault> {
    // By its Content-Length it may be too large before a byte of it has come.
    let announced = body.size_hint().lower();
    let mut chunks = body.into_data_stream();
    if announced > LARGEST as u64 {
        return Err(too_large(chunks).await);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| Refusal::new(Code::ValidationError, "the body broke off"))?;
        if bytes.len() + chunk.len() > LARGEST {
            return Err(too_large(chunks).await);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// 413, when some more of it has been thrown away.
pub async fn too_large(chunks: BodyDataStream) -> Fault {
    throw_away(chunks).await;
    Refusal::new(Code::TooLarge, "a request's body has at most 1 MiB").into()
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
