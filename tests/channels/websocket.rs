use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::support::{channel, is, out, told};
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// What one client did: its path, its headers by name, and its frames.
type Seen = (String, Vec<(String, String)>, Vec<Frame>);

/// Takes one client, answers its first text (if told so), and reads to the end.
async fn server(answer: Option<&'static str>) -> (String, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut path, mut headers) = (String::new(), Vec::new());
        #[allow(clippy::result_large_err, reason = "the library's own type")]
        let look = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            path = request.uri().to_string();
            headers = request.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
            if let Some(name) = request.headers().get("sec-websocket-protocol") {
                response.headers_mut().insert("sec-websocket-protocol", name.clone());
            }
            Ok(response)
        };
        let mut socket = accept_hdr_async(stream, look).await.unwrap();
        let mut frames = Vec::new();
        while let Some(Ok(frame)) = socket.next().await {
            if let (Some(answer), true) = (answer, frame.is_text()) {
                let _ = socket.send(Frame::text(answer)).await;
            }
            frames.push(frame);
        }
        (path, headers, frames)
    });
    (place, task)
}

fn websocket(place: &str, more: &str) -> Arc<dyn Channel> {
    channel("websocket", &format!("url = \"ws://{place}/alarms?key=canaryKey17\"\n{more}"))
}

#[tokio::test]
async fn a_message_is_a_text_frame_and_the_connection_is_closed_in_order() {
    let (place, seen) = server(None).await;
    let more =
        "subprotocol = \"alarms.v1\"\nheaders = { X-Team = \"ops\" }\nauth = { username = \"u\", password = \"p\" }";
    let result = websocket(&place, more).send(&out(None, "", "{\"subject\":\"Größe\"}")).await;
    assert_eq!(result, AttemptResult::Sent { provider_id: None, detail: "written".into() });
    let (path, headers, frames) = seen.await.unwrap();
    assert_eq!(path, "/alarms?key=canaryKey17");
    for (name, value) in [("x-team", "ops"), ("authorization", "Basic dTpw"), ("sec-websocket-protocol", "alarms.v1")] {
        assert!(headers.contains(&(name.into(), value.into())), "{headers:?}");
    }
    assert_eq!(frames[0], Frame::text("{\"subject\":\"Größe\"}"));
    let Frame::Close(Some(close)) = &frames[1] else { panic!("{frames:?}") };
    assert_eq!(u16::from(close.code), 1000);
}

#[tokio::test]
async fn an_acknowledging_frame_makes_it_delivered() {
    let (place, _) = server(Some("ok 17")).await;
    let result = websocket(&place, "ack = \"ok\"").send(&out(None, "", "{}")).await;
    assert_eq!(result, AttemptResult::Delivered { provider_id: None, detail: "ok 17".into() });
    let (place, _) = server(Some("no canaryKey17")).await;
    let failure =
        is(websocket(&place, "ack = \"ok\"").send(&out(None, "", "{}")).await, ProviderError, Provider, false);
    assert_eq!(failure.words, "no [secret]");
    let (place, _) = server(None).await;
    is(websocket(&place, "ack = \"ok\"\ntimeout = \"300ms\"").send(&out(None, "", "{}")).await, Timeout, Channel, true);
}

#[tokio::test]
async fn what_is_no_websocket_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let place = standins.addresses().hook.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let socket = websocket(&place, "timeout = \"300ms\"");
    let message = out(None, "", "{}");
    for (fault, class, blame) in [
        (Fault::status(200), ProviderError, Channel),
        (Fault::status(401), AuthError, Account),
        (Fault::status(403), AuthError, Account),
        (Fault::status(404), ProviderError, Account),
        (Fault::status(400), ProviderError, Provider),
        (Fault::status(429), RateLimited, Channel),
        (Fault::status(503), ProviderError, Channel),
        (Fault::CutAfter, ProviderError, Channel),
    ] {
        standins.set_times("hook", fault, 1);
        // Nothing of the message went out.
        is(socket.send(&message).await, class, blame, false);
    }
    is(websocket("127.0.0.1:9", "").send(&message).await, ProviderError, Channel, false);
}

#[tokio::test]
async fn its_probe_opens_it_and_sends_no_text() {
    let (place, seen) = server(None).await;
    assert_eq!(websocket(&place, "").probe().await.unwrap(), "the WebSocket opens");
    let (_, _, frames) = seen.await.unwrap();
    assert!(frames.iter().all(Frame::is_close), "{frames:?}");
}

#[test]
fn its_settings_and_its_description() {
    assert!(
        told("websocket", "url = 'https://x.example/'")
            .contains("the URL must begin with wss:// (or ws:// for loopback)")
    );
    let plain = told("websocket", "url = 'ws://x.example/'");
    assert!(plain.contains("plain ws goes to loopback only (write wss, or set allow_plain = true)"), "{plain}");
    assert!(told("websocket", "url = 'wss://x.example/'\nsigning_secret = 's'").contains("a frame is not signed"));
    let socket =
        channel("websocket", "url = 'wss://x.example/a?key=canaryKey17'\nauth = { bearer = 'canaryBearer17' }");
    let described = format!("{socket:?} {}", socket.describe(&out(None, "", "{}")));
    assert!(described.ends_with("wss://x.example/[secret]\nAuthorization: Bearer [secret]\n\n{}"), "{described}");
    assert!(!described.contains("canary"), "{described}");
}

/// Which connection did what, in order; `deaf`: the first one reads nothing after its first text.
async fn many(answer: Option<&'static str>, deaf: bool) -> (String, Arc<std::sync::Mutex<Vec<(usize, Frame)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let got = Arc::<std::sync::Mutex<Vec<(usize, Frame)>>>::default();
    let seen = got.clone();
    tokio::spawn(async move {
        for n in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                while let Some(Ok(frame)) = socket.next().await {
                    let text = frame.is_text();
                    seen.lock().unwrap().push((n, frame));
                    if let (Some(answer), true) = (answer, text) {
                        socket.send(Frame::text(answer)).await.unwrap();
                    }
                    if deaf && n == 0 && text {
                        std::future::pending::<()>().await;
                    }
                }
            });
        }
    });
    (place, got)
}

fn texts(got: &std::sync::Mutex<Vec<(usize, Frame)>>) -> Vec<(usize, String)> {
    let frames = got.lock().unwrap();
    frames.iter().filter_map(|(n, f)| Some((*n, f.is_text().then(|| f.to_text().unwrap().to_owned())?))).collect()
}

#[tokio::test]
async fn one_message_follows_another_on_a_connection_that_is_pinged() {
    for (answer, ack) in [(None, ""), (Some("ok"), "ack = \"ok\"\n")] {
        let (place, got) = many(answer, false).await;
        let socket = websocket(&place, &format!("{ack}ping = \"100ms\""));
        for n in 0..3 {
            let result = socket.send(&out(None, "", &n.to_string())).await;
            assert!(result.success().is_some(), "{result:?}");
        }
        tokio::time::sleep(std::time::Duration::from_millis(450)).await;
        assert!(socket.send(&out(None, "", "3")).await.success().is_some());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(texts(&got), ["0", "1", "2", "3"].map(|text| (0, text.to_owned())), "{ack}");
        assert!(got.lock().unwrap().iter().filter(|(_, frame)| frame.is_ping()).count() >= 2);
        drop(socket);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert!(matches!(got.lock().unwrap().last(), Some((0, Frame::Close(Some(c)))) if u16::from(c.code) == 1000));
    }
}

#[tokio::test]
async fn f33_a_kept_websocket_that_went_deaf_is_replaced() {
    let (place, got) = many(None, true).await;
    let socket = websocket(&place, "ping = \"100ms\"");
    assert!(socket.send(&out(None, "", "0")).await.success().is_some());
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(socket.send(&out(None, "", "1")).await.success().is_some());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(texts(&got), [(0, "0".to_owned()), (1, "1".to_owned())]);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_answers_no_other_message() {
    let (place, got) = many(Some("ok"), true).await;
    // The stand-in's first connection answers its first text and is deaf for the next.
    let socket = websocket(&place, "ack = \"ok\"\ntimeout = \"500ms\"");
    assert!(socket.send(&out(None, "", "0")).await.success().is_some());
    is(socket.send(&out(None, "", "1")).await, Timeout, Channel, true);
    assert!(socket.send(&out(None, "", "2")).await.success().is_some());
    assert_eq!(texts(&got), [(0, "0".to_owned()), (1, "2".to_owned())]);
}
