//! One HTTP/1.1 connection, driven by whoever asks over it: no task of its own, so that an answer
//! wakes one task and not two.

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection, whatever is below it.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

type Asked = Request<Full<Bytes>>;

/// See the module.
pub struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// `None` when it has ended.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
}

/// Why there is no answer.
pub enum Broken {
    /// Nothing of the request was sent; here it is again.
    Unsent(Box<Asked>),
    /// It may have been processed.
    Lost(hyper::Error),
}

impl Line {
    /// # Errors
    /// The far end speaks something else.
    pub async fn over(wire: Box<dyn Wire>) -> hyper::Result<Line> {
        let (sender, connection) = handshake(TokioIo::new(wire)).await?;
        Ok(Line { sender, connection: Some(Box::pin(connection)) })
    }

    /// Sends a request; gives the head of the answer. May be dropped, and the line with it.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn ask(&mut self, request: Asked) -> Result<Response<Incoming>, Broken> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let connection = &mut self.connection;
        let answered = poll_fn(|context| {
            drive(connection, context);
            answer.as_mut().poll(context)
        });
        answered.await.map_err(|mut error: TrySendError<Asked>| match error.take_message() {
            Some(request) => Broken::Unsent(Box::new(request)),
            None => Broken::Lost(error.into_error()),
        })
    }

    /// The next part of a body that came by [`Line::ask`].
    pub async fn part(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        poll_fn(|context| {
            drive(&mut self.connection, context);
            Pin::new(&mut *body).poll_frame(context)
        })
        .await
    }

    /// Whether another request can go over it now: it looks at what the far end did meanwhile.
    pub async fn is_free(&mut self) -> bool {
        poll_fn(|context| {
            drive(&mut self.connection, context);
            let ready = matches!(self.sender.poll_ready(context), Poll::Ready(Ok(())));
            Poll::Ready(ready && self.connection.is_some())
        })
        .await
    }
}

fn drive(connection: &mut Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>, context: &mut Context<'_>) {
    // What it ended with reaches whoever waits for an answer.
    if connection.as_mut().is_some_and(|c| c.as_mut().poll(context).is_ready()) {
        *connection = None;
    }
}
