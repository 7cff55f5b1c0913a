//! A log that nobody reads does not stop the daemon.

use crate::harness::ways;
use crate::harness::{Home, eventually, skip};
use crate::standins::Standins;
use nix::sys::signal::Signal;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

#[tokio::test]
async fn f68_a_full_pipe_at_standard_error_delays_nothing() {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).env("RUST_LOG", "trace");
    // Both pipes stay open, and nobody reads them.
    let mut child = home.stentord().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("it is up", async || home.try_request("GET", "/readyz", "").await.filter(|(s, _)| *s == 200)).await;
    for n in 0..300 {
        let (status, answer) =
            home.request("POST", "/api/v1/notifications?wait=30s", &format!(r#"{{"subject": "message {n}"}}"#)).await;
        assert_eq!((status, answer["status"].as_str()), (200, Some("delivered")), "{answer}");
    }
    let unread = nix::unistd::Pid::from_raw(child.id().unwrap().try_into().unwrap());
    nix::sys::signal::kill(unread, nix::sys::signal::Signal::SIGTERM).unwrap();
    let status = tokio::time::timeout(crate::harness::LONGEST, child.wait()).await.expect("it does not end").unwrap();
    assert_eq!(status.code(), Some(0));
}

/// A daemon that systemd seems to have started: `/run/systemd/journal` is a folder of the test's, and the
/// test has the socket in it.
fn with_a_journald(standins: &Standins, story: &str) -> Option<(Home, UnixDatagram)> {
    let root = nix::unistd::geteuid().is_root();
    let namespace = ["unshare", if root { "-m" } else { "-rm" }, "--propagation", "private"];
    let tried =
        std::process::Command::new(namespace[0]).args(&namespace[1..]).arg("true").stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        skip(story, "a mount namespace of its own is not permitted here");
        return None;
    }
    let home = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(standins)).env("JOURNAL_STREAM", "1:1");
    let folder = home.path("journald");
    std::fs::create_dir(&folder).unwrap();
    let socket = UnixDatagram::bind(folder.join("socket")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let script = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal \
        && mount --bind \"$0\" /run/systemd/journal && exec \"$@\"";
    let starter = [&namespace[..], &["sh", "-c", script, folder.to_str().unwrap()]].concat();
    Some((home.started_by(&starter), socket))
}

/// What has come until now, as text.
fn entries(socket: &UnixDatagram) -> Vec<String> {
    let mut entry = vec![0; 300_000];
    let mut all = Vec::new();
    while let Ok(length) = socket.recv(&mut entry) {
        all.push(String::from_utf8_lossy(&entry[..length]).into_owned());
    }
    all
}

#[tokio::test]
async fn the_journal_of_systemd_gets_fields() {
    let standins = Standins::start().await;
    let Some((home, socket)) = with_a_journald(&standins, "fields in journald") else { return };
    let mut daemon = home.down();
    let reading = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        while !all.iter().any(|e: &String| e.contains("MESSAGE=stopped\n")) {
            all.extend(entries(&socket));
        }
        all
    });
    daemon.start().await;
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    assert_eq!(daemon.stop().await, 0);
    let all = tokio::time::timeout(crate::harness::LONGEST, reading).await.expect("no last words").unwrap();
    let opened = all.iter().find(|e| e.contains("db-1 does not answer")).expect("the incident is told");
    for line in ["PRIORITY=4\n", "SYSLOG_IDENTIFIER=stentord\n", "STENTOR_INCIDENT=1\n"] {
        assert!(opened.contains(line), "{opened}");
    }
    assert!(opened.lines().any(|line| line.starts_with("MESSAGE=#1 urgent opened")), "{opened}");
    assert_eq!(daemon.log(), "", "and nothing beside");
}

#[tokio::test]
async fn f68_a_journald_that_takes_nothing_delays_nothing() {
    let standins = Standins::start().await;
    let Some((home, socket)) = with_a_journald(&standins, "a journald that hangs") else { return };
    let mut daemon = home.env("RUST_LOG", "trace").start().await;
    let caller = async |caller: usize| {
        for n in 0..40 {
            let body = format!(r#"{{"subject": "message {n} of {caller}"}}"#);
            let (status, answer) = daemon.request("POST", "/api/v1/notifications?wait=30s", &body).await;
            assert_eq!((status, answer["status"].as_str()), (200, Some("delivered")), "{answer}");
        }
    };
    futures_util::future::join_all((0..8).map(caller)).await;
    // It goes on reading, and hears what it has missed.
    let heard = tokio::task::spawn_blocking(move || {
        let mut heard = Vec::new();
        while !heard.iter().any(|e: &String| e.contains("STENTOR_LOG_LINES_DROPPED")) {
            heard.extend(entries(&socket));
        }
        heard
    });
    daemon.signal(Signal::SIGUSR1);
    let asking = eventually("the dump comes", async || {
        // The first one may have been dropped itself.
        daemon.signal(Signal::SIGUSR1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        heard.is_finished().then_some(())
    });
    asking.await;
    let heard = heard.await.unwrap();
    assert!(heard.iter().any(|e| e.contains("MESSAGE=stentor is ready\n")), "what waited has come");
    assert_eq!(daemon.stop().await, 0);
}
