//! The whole ledger as a stream: one entry a line, or its files.

use super::Api;
use super::fault::Fault;
use super::history::{Format, History};
use super::ledger::turn;
use super::params::Params;
use crate::engine::Refusal;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::stream;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Written at a time, and how many of these wait for a slow reader.
const PIECE: usize = 64 << 10;
const PIECES: usize = 4;
/// What could be read gets so much time to leave before the connection is broken.
const FLUSHING: Duration = Duration::from_millis(200);

fn format(text: &str) -> Result<Format, String> {
    match text {
        "jsonl" => Ok(Format::Jsonl),
        "csv" => Ok(Format::Csv),
        _ => Err(format!("{text:?} is no format; there are jsonl and csv")),
    }
}

pub async fn export(State(api): State<Arc<Api>>, mut params: Params) -> Result<Response, Fault> {
    let format = params.read("format", format)?.unwrap_or(Format::Jsonl);
    params.done()?;
    let content_type = match format {
        Format::Jsonl => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
    };
    streamed(&api, content_type, move |history, out| history.export(format, out)).await
}

/// The files themselves, see [`crate::ledger::backup`].
pub async fn backup(State(api): State<Arc<Api>>, params: Params) -> Result<Response, Fault> {
    params.done()?;
    streamed(&api, "application/x-stentor-backup", |history, out| history.backup(out)).await
}

type Out = Box<dyn Write + Send>;

/// A reading that breaks off in the middle breaks the connection, so that half a ledger is not taken for
/// a whole one.
async fn streamed(
    api: &Arc<Api>,
    content_type: &'static str,
    write: impl FnOnce(&dyn History, Out) -> BoxFuture<'_, Result<(), Refusal>> + Send + 'static,
) -> Result<Response, Fault> {
    let turn = turn(api)?;
    let (pieces, mut read) = mpsc::channel(PIECES);
    let (failed, history) = (pieces.clone(), api.history.clone());
    let writing = tokio::spawn(async move {
        let out = io::BufWriter::with_capacity(PIECE, Pieces(pieces));
        if let Err(refusal) = write(history.as_ref(), Box::new(out)).await {
            // Who has hung up does not hear it.
            let _ = failed.send(Err(refusal)).await;
        }
        drop(turn);
    });
    // What cannot even begin is an error document.
    let first = match read.recv().await {
        Some(Err(refusal)) => return Err(refusal.into()),
        Some(Ok(piece)) => piece,
        None => Bytes::new(),
    };
    let rest = stream::unfold((read, writing), |(mut read, writing)| async {
        let piece = read.recv().await?;
        if piece.is_err() {
            // An error drops what the connection has not written yet.
            tokio::time::sleep(FLUSHING).await;
        }
        Some((piece.map_err(|refusal| io::Error::other(refusal.message)), (read, writing)))
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest));
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}

/// From the thread that writes to the connection; a reader that has gone is an error.
struct Pieces(mpsc::Sender<Result<Bytes, Refusal>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        self.0.blocking_send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
