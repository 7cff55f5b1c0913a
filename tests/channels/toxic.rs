//! What goes wrong below HTTP and SMTP: connections that drip, break, go deaf, or have somebody in between.

use crate::standins::Standins;
use crate::support::{channel, is, out};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use stentor::channel::Channel;
use stentor::domain::failure::{Blame, FailureClass::*};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Does this with each connection, which are numbered from 0.
async fn serve<F>(with: impl Fn(usize, TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for n in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(with(n, stream));
        }
    });
    address
}

/// One request of HTTP; `false` when the other side has gone.
async fn request(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
            if body.len() >= length {
                return true;
            }
        }
        if !stream.read_buf(&mut bytes).await.is_ok_and(|n| n > 0) {
            return false;
        }
    }
}

fn hook(at: SocketAddr, timeout: &str) -> Arc<dyn Channel> {
    channel("webhook", &format!("url = \"http://{at}/\"\ntimeout = \"{timeout}\""))
}

/// Every channel over HTTP.
fn each(at: SocketAddr, timeout: &str) -> Vec<Arc<dyn Channel>> {
    let account = format!(
        "base_url = \"http://{at}\"\naccount_sid = \"AC00000000000000000000000000000017\"\nauth_token = \"token\"\n\
         from = \"+15005550006\"\ntimeout = \"{timeout}\""
    );
    let slack = format!("webhook_url = \"http://{at}/services/T/B/x\"\ntimeout = \"{timeout}\"");
    vec![
        hook(at, timeout),
        channel("slack", &slack),
        channel("twilio-sms", &account),
        channel("twilio-voice", &account),
    ]
}

/// A reset, as a crashed or overloaded host sends it.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test]
async fn f31_a_head_that_comes_byte_by_byte_ends_at_the_deadline() {
    let dripping = serve(async |_, mut stream: TcpStream| {
        request(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nX-Long: ".iter().chain(std::iter::repeat(&b'x'));
        for byte in head {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    for channel in each(dripping, "400ms") {
        let message = out(Some("+15550100"), "", "x");
        let sending = tokio::time::timeout(Duration::from_secs(20), channel.send(&message)).await;
        is(sending.expect("cut at its deadline"), Timeout, Blame::Channel, true);
    }
}

#[tokio::test]
async fn f32_a_reset_after_the_request_leaves_open_whether_it_arrived() {
    let at = serve(async |_, mut stream: TcpStream| {
        request(&mut stream).await;
        reset(stream);
    })
    .await;
    for channel in each(at, "5s") {
        let failure = is(channel.send(&out(Some("+15550100"), "", "x")).await, ProviderError, Blame::Channel, true);
        assert!(failure.words.contains("broke before the answer"), "{failure}");
    }
}

#[tokio::test]
async fn f32_a_mail_is_in_doubt_only_after_its_text() {
    for (answers, unknown) in [(2, false), (3, false), (4, true), (5, true)] {
        let at = serve(move |_, stream: TcpStream| async move {
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 here\r\n").await.unwrap();
            let mut line = String::new();
            for verb in ["EHLO", "MAIL", "RCPT", "DATA", "."].into_iter().take(answers) {
                line.clear();
                while !line.starts_with(verb) {
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                }
                let answer: &[u8] = if verb == "DATA" { b"354 go\r\n" } else { b"250 ok\r\n" };
                if verb != "." {
                    stream.write_all(answer).await.unwrap();
                }
            }
            if answers == 4 {
                // Some of the text has come, so that all of it was out.
                stream.read_line(&mut line).await.unwrap();
            }
            reset(stream.into_inner());
        })
        .await;
        let toml = format!("host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"s@example.org\"", at.port());
        let result = channel("smtp", &toml).send(&out(Some("alice@example.org"), "x", "y")).await;
        is(result, ProviderError, Blame::Channel, unknown);
    }
}

#[tokio::test]
async fn f33_a_kept_connection_that_was_closed_costs_no_message() {
    let (requests, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, ended) = (requests.clone(), closed.clone());
    let at = serve(move |n, mut stream: TcpStream| {
        let (counted, ended) = (counted.clone(), ended.clone());
        async move {
            // Says nothing of closing, and closes a little later: sometimes just as the next comes.
            if request(&mut stream).await {
                counted.fetch_add(1, Ordering::SeqCst);
                stream.write_all(WELL).await.unwrap();
                tokio::time::sleep(Duration::from_millis(n as u64 % 4)).await;
            }
            drop(stream);
            ended.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let hook = hook(at, "5s");
    for n in 1..=20 {
        assert!(hook.send(&out(None, "", "x")).await.success().is_some(), "it was closed long before");
        while closed.load(Ordering::SeqCst) < n {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The end of it has arrived; whoever keeps the connection gets to see it.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut unknown = 0;
    for n in 0..40 {
        let result = hook.send(&out(None, "", "x")).await;
        if result.success().is_none() {
            // The close crossed the request on the wire: nobody can know, and it says so.
            is(result, ProviderError, Blame::Channel, true);
            unknown += 1;
        }
        tokio::time::sleep(Duration::from_millis(n % 5)).await;
    }
    let arrived = requests.load(Ordering::SeqCst);
    assert!((60 - unknown..=60).contains(&arrived), "none twice: {arrived} arrived, {unknown} in doubt");
}

#[tokio::test]
async fn f33_a_kept_connection_that_went_deaf_is_used_once() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let at = serve(move |n, mut stream: TcpStream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            request(&mut stream).await;
            stream.write_all(WELL).await.unwrap();
            // The first one goes deaf, as behind a firewall that has forgotten it.
            while n > 0 && request(&mut stream).await {
                stream.write_all(WELL).await.unwrap();
            }
            std::future::pending().await
        }
    })
    .await;
    let hook = hook(at, "500ms");
    assert!(hook.send(&out(None, "", "x")).await.success().is_some());
    is(hook.send(&out(None, "", "x")).await, Timeout, Blame::Channel, true);
    for _ in 0..3 {
        assert!(hook.send(&out(None, "", "x")).await.success().is_some());
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2, "the deaf one is not tried again");
}

/// Reads to the line that begins with this, and answers.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, verb: &str, with: &[u8]) -> bool {
    let mut line = String::new();
    while !line.starts_with(verb) {
        line.clear();
        if !stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
            return false;
        }
    }
    stream.write_all(with).await.is_ok() && stream.flush().await.is_ok()
}

#[tokio::test]
async fn f45_what_is_said_before_tls_counts_for_nothing_in_it() {
    let standins = Standins::start().await;
    // In one packet with the go-ahead, as an answer to the EHLO in TLS; or in one of its own.
    for apart in [false, true] {
        let acceptor = standins.acceptor();
        let in_tls = Arc::new(AtomicUsize::new(0));
        let seen = in_tls.clone();
        let at = serve(move |_, stream: TcpStream| {
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            async move {
                let mut plain = BufReader::new(stream);
                plain.write_all(b"220 here\r\n").await.unwrap();
                answer(&mut plain, "EHLO", b"250-here\r\n250 STARTTLS\r\n").await;
                let slipped_in = b"250-mallory\r\n250 AUTH PLAIN LOGIN\r\n";
                let go: &[u8] = b"220 go\r\n";
                let first = if apart { go.to_vec() } else { [go, slipped_in].concat() };
                answer(&mut plain, "STARTTLS", &first).await;
                if apart {
                    plain.write_all(slipped_in).await.unwrap();
                }
                let Ok(tls) = acceptor.accept(plain.into_inner()).await else { return };
                let mut tls = BufReader::new(tls);
                while answer(&mut tls, "", b"250 ok\r\n").await {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
            }
        })
        .await;
        let toml = format!(
            "host = \"localhost\"\nport = {}\nca_file = \"{}\"\nusername = \"u\"\npassword = \"s3cret\"\nfrom = \"s@example.org\"",
            at.port(),
            standins.ca_file().display()
        );
        let failure = is(
            channel("smtp", &toml).send(&out(Some("a@example.org"), "x", "y")).await,
            ProviderError,
            Blame::Channel,
            false,
        );
        assert!(apart || failure.words.contains("before TLS began"), "{failure}");
        assert_eq!(in_tls.load(Ordering::SeqCst), 0, "nothing is said to whoever stands in between");
    }
}
