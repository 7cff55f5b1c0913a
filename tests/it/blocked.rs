//! A log that nobody reads does not stop the daemon.

use crate::harness::ways;
use crate::harness::{Home, eventually};
use crate::standins::Standins;
use std::process::Stdio;

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
