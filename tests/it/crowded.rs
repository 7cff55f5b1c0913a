//! Too many connections, and too few files.

use crate::harness::ways;
use crate::harness::{Home, door_try_get, eventually, skip};
use crate::standins::Standins;
use crate::standins::script::Fault;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream, UnixStream};

#[tokio::test]
async fn f63_with_64_files_connections_take_none_from_the_alarms() {
    let standins = Standins::start().await;
    let config = ways::and(ways::BY_HOOK);
    let home = Home::new(&config).envs(ways::environment(&standins)).started_by(&["prlimit", "--nofile=64"]);
    if tokio::process::Command::new("prlimit").arg("--version").output().await.is_err() {
        return skip("64 files", "there is no prlimit here");
    }
    let daemon = home.start().await;
    standins.set("hook", Fault::status(503));
    let waiting = daemon.ok(&["send", "--subject", "accepted before the crowd came"]).await;
    standins.wait_for("hook", 1).await;
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(UnixStream::connect(daemon.socket()).await.unwrap());
    }
    // Those that were let in say nothing; the rest was sent away.
    standins.well("hook");
    standins.wait_for("hook", 2).await;
    eventually("who comes now is heard, though the crowd stays", async || {
        let sent = daemon.ctl(&["send", "--subject", "past the crowd", "--wait"]).await;
        (sent.code == 0).then_some(())
    })
    .await;
    let id = waiting["deliveries"][0]["id"].as_str().unwrap();
    assert_eq!(daemon.ok(&["deliveries", "show", id]).await["status"], "delivered");
    let log = daemon.log();
    assert!(!log.contains("os error 24"), "files were left for whoever needed them: {log}");
    assert!(log.contains("so few files"), "and it said at its start that they are few: {log}");
}

/// As many sockets as this, for us.
fn allow_sockets(count: u64) -> bool {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return false };
    soft >= count || (hard >= count && setrlimit(Resource::RLIMIT_NOFILE, count, hard).is_ok())
}

#[tokio::test]
async fn f64_ten_thousand_idle_connections_and_slow_heads_leave_the_control_socket_alone() {
    const MANY: usize = 10_000;
    if !allow_sockets(MANY as u64 + 1_000) {
        return skip("10,000 connections", "this process may not have as many files (ulimit -n)");
    }
    let standins = Standins::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = ways::and(&format!("[http]\nlisten = \"{free}\"\n{}", ways::BY_HOOK));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let mut crowd = Vec::new();
    for n in 0..MANY {
        if let Some(stream) = connect(n, free).await {
            crowd.push(stream);
        }
        if n % 1_000 == 0 {
            let sent = daemon.ok(&["send", "--subject", &format!("while {n} are there"), "--wait"]).await;
            assert_eq!(sent["status"], "delivered");
        }
    }
    assert!(crowd.len() > MANY / 2, "only {} got through to the listener", crowd.len());
    let files = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    assert!(files < 1_300, "{files} files are open");
    for n in 0..10 {
        let sent = daemon.ok(&["send", "--subject", &format!("past them {n}"), "--wait"]).await;
        assert_eq!(sent["status"], "delivered");
    }
    // They are all still open on our side; the daemon has its places back in time.
    eventually("TCP is served again", async || {
        door_try_get(&free.to_string(), "/healthz").await.filter(|(status, _)| *status == 200)
    })
    .await;
    drop(crowd);
}

/// From one of forty addresses; every other one begins a request and never ends it.
async fn connect(n: usize, to: SocketAddr) -> Option<TcpStream> {
    let from = SocketAddr::from(([127, 0, 1, u8::try_from(n % 40 + 1).unwrap()], 0));
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from).unwrap();
    let mut stream = socket.connect(to).await.ok()?;
    if n.is_multiple_of(2) {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ").await;
    }
    Some(stream)
}
