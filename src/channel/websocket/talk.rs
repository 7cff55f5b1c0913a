//! One connection that stays: a task speaks on it, one message after the other, pings it, and ends
//! with it. Who finds it ended opens another one.

use crate::channel::websocket::{GOODBYE, Socket, goodbye};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;

/// Messages that wait for their turn.
const WAITING: usize = 16;

/// What became of a message: the frame that answered it, nothing where nothing is asked for, or an
/// end of the connection before the answer.
pub(super) enum Said {
    Written,
    Answered(String),
    Ended,
}

/// One message, and whether an answer is waited for.
pub(super) struct Job {
    pub text: String,
    pub answered: bool,
    pub done: oneshot::Sender<Result<Said, Error>>,
}

/// Where messages for the connection go; dropped, the connection is closed in order.
pub(super) type Line = mpsc::Sender<Job>;

/// Must be called inside of a tokio runtime.
pub(super) fn keep(socket: Socket, ping: Duration) -> Line {
    let (line, jobs) = mpsc::channel(WAITING);
    tokio::spawn(talk(socket, jobs, ping));
    line
}

async fn talk(mut socket: Socket, mut jobs: mpsc::Receiver<Job>, ping: Duration) {
    let mut beat = interval_at(Instant::now() + ping, ping);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = true;
    loop {
        tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => {
                    if !tell(&mut socket, job).await {
                        return;
                    }
                    heard = true;
                }
                None => {
                    // Whether it says goodbye changes nothing.
                    let _ = timeout(GOODBYE, goodbye(&mut socket)).await;
                    return;
                }
            },
            frame = socket.next() => match frame {
                Some(Ok(_)) => heard = true,
                _ => return,
            },
            _ = beat.tick() => {
                // Not a word since the last one, not even its pong: it is dead.
                if !heard || timeout(ping, socket.send(Message::Ping(Default::default()))).await.is_err() {
                    return;
                }
                heard = false;
            }
        }
    }
}

/// Whether the connection goes on.
async fn tell(socket: &mut Socket, mut job: Job) -> bool {
    let said = tokio::select! {
        said = speak(socket, job.text, job.answered) => said,
        // Nobody waits any more; an answer that comes now would be taken for another one's.
        () = job.done.closed() => return false,
    };
    let goes_on = matches!(said, Ok(Said::Written | Said::Answered(_)));
    let _ = job.done.send(said);
    goes_on
}

async fn speak(socket: &mut Socket, text: String, answered: bool) -> Result<Said, Error> {
    socket.send(Message::text(text)).await?;
    if !answered {
        return Ok(Said::Written);
    }
    while let Some(message) = socket.next().await {
        if let Message::Text(said) = message? {
            return Ok(Said::Answered(said.as_str().to_owned()));
        }
    }
    Ok(Said::Ended)
}
