//! A webhook receiver that only writes down what came, and takes its time.

use super::random::Random;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Of each request that came whole, its `Idempotency-Key`, which is the delivery, and when.
type Arrivals = Arc<Mutex<Vec<(String, Instant)>>>;

pub struct Sink {
    pub address: String,
    arrivals: Arrivals,
    task: JoinHandle<()>,
}

impl Sink {
    /// Answers after up to `slow` milliseconds, by chance.
    pub async fn start(random: Random, slow: u64) -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let arrivals = Arrivals::default();
        let kept = arrivals.clone();
        let task = tokio::spawn(async move {
            for part in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(converse(stream, kept.clone(), random.fork(part), slow));
            }
        });
        Sink { address, arrivals, task }
    }

    /// When they came, in order.
    pub fn times(&self) -> Vec<Instant> {
        self.arrivals.lock().unwrap().iter().map(|(_, at)| *at).collect()
    }

    /// How often each delivery came.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (key, _) in self.arrivals.lock().unwrap().iter() {
            *counts.entry(key.clone()).or_default() += 1;
        }
        counts
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, arrivals: Arrivals, mut random: Random, slow: u64) {
    let mut buffer = Vec::new();
    while let Some(key) = read(&mut stream, &mut buffer).await {
        arrivals.lock().unwrap().push((key, Instant::now()));
        tokio::time::sleep(random.millis(slow + 1)).await;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// The key of the next whole request.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = field("content-length")?.parse().ok()?;
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    buffer.drain(..head_end + length);
    field("idempotency-key")
}
