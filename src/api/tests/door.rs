//! The socket itself: who connects, how many, how slowly, and the end.

use super::world::*;
use crate::api::{ControlSocket, bind_socket, serve_socket};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

fn serve(world: &World) -> (std::path::PathBuf, JoinHandle<Result<(), String>>) {
    let path = world.dir.path().join("control.sock");
    let socket: Arc<ControlSocket> = Arc::new(bind_socket(&path).unwrap());
    (path, tokio::spawn(serve_socket(world.api.clone(), socket)))
}

async fn over(stream: &mut UnixStream, request: &[u8]) -> Answer {
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::read(&bytes)
}

#[tokio::test]
async fn the_kernel_says_who_connects() {
    let world = World::new().await;
    let (path, serving) = serve(&world);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let own = nix::unistd::Uid::effective();
    let answer = over(&mut stream, &request("GET", "/api/v1/status", b"", "")).await;
    // The world's daemon is of another user: whoever runs the tests is a stranger, unless root.
    assert_eq!(answer.status, if own.is_root() { 200 } else { 403 });
    let other = if own.is_root() { "root".to_owned() } else { format!("uid {own}") };
    let body = if own.is_root() {
        world.ask(0, "POST", "/api/v1/reload", "").await.json["changed"][0].clone()
    } else {
        json!(other)
    };
    assert_eq!(body, other);
    serving.abort();
}

#[tokio::test]
async fn a_client_asks_again_over_the_same_connection() {
    use crate::net::{Endpoint, Line, Method, Reach, RequestBuilder};
    let world = World::new().await;
    let (path, serving) = serve(&world);
    let to = Endpoint::parse("http://localhost/healthz", Reach::default()).unwrap();
    let mut line = Line::over(Box::new(UnixStream::connect(&path).await.unwrap())).await.unwrap();
    for _ in 0..3 {
        assert!(line.is_free().await);
        let request = RequestBuilder::default().finish(Method::GET, &to).unwrap();
        let answer = line.ask(request).await.unwrap_or_else(|_| panic!("the connection was closed"));
        assert_eq!(answer.status(), 200);
        let mut body = answer.into_body();
        let part = line.part(&mut body).await.unwrap().unwrap();
        assert_eq!(part.data_ref().unwrap(), "ok\n");
        assert!(line.part(&mut body).await.is_none());
    }
    serving.abort();
}

#[tokio::test]
async fn f64_one_caller_has_at_most_256_connections() {
    let world = World::new().await;
    let (path, serving) = serve(&world);
    let mut open = Vec::new();
    for _ in 0..256 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        // Answered, and kept open.
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        open.push(stream);
    }
    let mut one_more = UnixStream::connect(&path).await.unwrap();
    let mut bytes = Vec::new();
    let _ = one_more.read_to_end(&mut bytes).await;
    let answer = Answer::read(&bytes);
    assert_eq!((answer.status, answer.code()), (429, "RATE_LIMITED"), "{answer:?}");
    open.clear();
    for _ in 0..500 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let _ = stream.write_all(&request("GET", "/healthz", b"", "")).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        if Answer::read(&bytes).status == 200 {
            serving.abort();
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the places were not given back");
}

#[tokio::test(start_paused = true)]
async fn f64_a_head_that_does_not_come_ends_the_connection() {
    // Time flies here, so nothing that waits for the disk is asked.
    let (near, far) = tokio::io::duplex(1 << 16);
    let router = axum::Router::new();
    let (done, ended) = tokio::sync::oneshot::channel();
    let mut near = near;
    near.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
    tokio::spawn(async move {
        crate::api::serve::connection_until(far, router.into(), None, std::future::pending()).await;
        let _ = done.send(());
    });
    let begun = tokio::time::Instant::now();
    ended.await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(10), "not before its time: {:?}", begun.elapsed());
}

/// A connection to a door without a daemon, at which time may fly.
fn served(router: axum::Router) -> (tokio::io::DuplexStream, JoinHandle<()>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    (near, tokio::spawn(crate::api::serve::connection_until(far, router.into(), None, std::future::pending())))
}

#[tokio::test(start_paused = true)]
async fn f64_between_two_requests_a_connection_may_be_idle_for_a_minute() {
    let router = axum::Router::new().route("/", axum::routing::get(|| async { "ok" }));
    let (mut near, serving) = served(router);
    for pause in [0, 15, 59] {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        near.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok") {
            assert!(near.read_buf(&mut answer).await.unwrap() > 0, "it was closed after {pause} s");
        }
    }
    let begun = tokio::time::Instant::now();
    serving.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn f48_a_body_that_does_not_come_is_waited_for_half_a_minute() {
    let take = |_: crate::api::body::Sent<crate::engine::SendRequest>| async { "taken" };
    let (mut near, _serving) = served(axum::Router::new().route("/", axum::routing::post(take)));
    near.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::read(&answer);
    assert_eq!((answer.status, answer.code(), begun.elapsed().as_secs()), (408, "TIMEOUT", 30), "{answer:?}");
}

#[tokio::test]
async fn the_end_answers_what_is_under_way_and_takes_nothing_new() {
    let world = World::new().await;
    let (path, serving) = serve(&world);
    let mut idle = UnixStream::connect(&path).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();
    world.api.stop().await;
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(String::from_utf8_lossy(&rest).ends_with("ok\n"));
    serving.await.unwrap().unwrap();
    assert!(!path.exists(), "the file goes with the one who serves it");
}

#[tokio::test]
async fn several_requests_go_over_one_connection() {
    let world = World::new().await;
    let mut stream = world.connect(OPERATOR);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let answer = over(&mut stream, &request("GET", "/api/v1/channels", b"", "")).await;
    assert!(answer.text.contains("HTTP/1.1 200 OK") && answer.text.contains("\"channels\":["), "{answer:?}");
}
