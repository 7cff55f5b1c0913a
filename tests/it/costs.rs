//! What an alert and a daemon at rest cost, as far as a busy machine does not change it: processor time beside that
//! of a bare relay in the same run, and memory. Speed is measured by the load program.

use crate::harness::{Home, eventually, free_address};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const ALERTS: usize = 1_600;
const SENDERS: usize = 8;
/// Ours decides, records, keeps and tells, and is built without optimisation here; the relay is system calls and little
/// else. It is about 40, and twice that would be a mistake of ours.
const TIMES: f64 = 80.0;
const ROUNDS: usize = 2;
/// KiB of its own, beside the program's file.
const AT_REST: u64 = 12 << 10;

/// Reads one request or answer, whose length is said; its body.
fn read_one(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(body)
}

fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Serves each connection on a thread of its own.
fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Takes what comes, and counts it.
fn sink() -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let address = listen(move |stream| {
        let mut out = stream.try_clone().unwrap();
        let mut from = BufReader::new(stream);
        while read_one(&mut from).is_some() && out.write_all(OK).is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, count)
}

/// What any relay has to do: read a request, parse it, pass it on, read that answer, answer. Nanoseconds of its
/// threads are added up.
fn relay(to: String) -> (String, Arc<AtomicUsize>) {
    let spent = Arc::new(AtomicUsize::new(0));
    let adds = spent.clone();
    let address = listen(move |stream| {
        let mut out = stream.try_clone().unwrap();
        let mut from = BufReader::new(stream);
        let mut on = TcpStream::connect(&to).unwrap();
        let mut back = BufReader::new(on.try_clone().unwrap());
        while let Some(body) = read_one(&mut from) {
            let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
            on.write_all(&post("/", document[0].to_string().as_bytes())).unwrap();
            read_one(&mut back).unwrap();
            out.write_all(OK).unwrap();
        }
        let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
        adds.fetch_add(usize::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).unwrap(), Ordering::Relaxed);
    });
    (address, spent)
}

/// Distinct alerts from several senders at once.
fn burst(address: &str, round: usize) {
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || {
                let mut out = TcpStream::connect(address).unwrap();
                let mut back = BufReader::new(out.try_clone().unwrap());
                for n in 0..ALERTS / SENDERS {
                    let alert = format!(
                        r#"[{{"labels":{{"alertname":"DiskFull","severity":"warning","instance":"db-{round}-{sender}-{n}","job":"node"}},
                            "annotations":{{"summary":"disk of db-{round}-{sender}-{n} is nearly full"}}}}]"#
                    );
                    out.write_all(&post("/api/v2/alerts", alert.as_bytes())).unwrap();
                    read_one(&mut back).unwrap();
                }
            });
        }
    });
}

/// Processor time of all threads of a process, in seconds.
fn processor_time(pid: Pid) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}

/// KiB of memory that is the process's own, not a file's.
fn own_memory(pid: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn of_the_relay(address: &str, spent: &AtomicUsize, round: usize) -> f64 {
    let (address, before) = (address.to_owned(), spent.load(Ordering::Relaxed));
    tokio::task::spawn_blocking(move || burst(&address, round)).await.unwrap();
    // Its threads add up what they took when their connection ends.
    let mut last = before;
    eventually("the relay has ended", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = spent.load(Ordering::Relaxed);
        (std::mem::replace(&mut last, now) == now && now > before).then_some((now - before) as f64 / 1e9)
    })
    .await
}

#[tokio::test]
async fn an_alert_costs_no_more_than_it_did_and_a_daemon_at_rest_is_small() {
    let (hook, told) = sink();
    let address = free_address();
    let config = format!(
        "[daemon]\nname = \"costs\"\ntimezone = \"UTC\"\n[http]\nlisten = \"{address}\"\n\
         [channels.hook]\nkind = \"webhook\"\nurl = \"http://{hook}/\"\n[levels.low]\nchannels = [\"hook\"]\n"
    );
    let daemon = Home::new(&config).start().await;
    eventually("TCP is served", async || tokio::net::TcpStream::connect(&address).await.ok()).await;
    let rest = own_memory(daemon.pid());

    let (relay, spent) = relay(sink().0);
    let (mut ours, mut bare) = (f64::MAX, f64::MAX);
    for round in 1..=ROUNDS {
        bare = bare.min(of_the_relay(&relay, &spent, round).await);
        let before = processor_time(daemon.pid());
        let at = address.clone();
        tokio::task::spawn_blocking(move || burst(&at, round)).await.unwrap();
        eventually("all are told", async || (told.load(Ordering::Relaxed) >= round * ALERTS).then_some(())).await;
        eventually("the history has them", async || {
            let ledger = &daemon.status().await["ledger"];
            (ledger["applied_seq"] == ledger["durable_seq"]).then_some(())
        })
        .await;
        ours = ours.min(processor_time(daemon.pid()) - before);
    }
    let words = format!("{ours:.2} s for {ALERTS} alerts, where a bare relay takes {bare:.3} s: {:.1}", ours / bare);
    eprintln!("{words}; {rest} KiB at rest");
    assert!(ours < TIMES * bare, "{words}");
    assert!(rest < AT_REST, "{rest} KiB at rest");
}
