//! What is served over TCP, for load balancers and Prometheus.

use crate::harness::ways;
use crate::harness::{Home, door_get, eventually, free_address};
use crate::standins::Standins;
use tokio::net::TcpStream;

#[tokio::test]
async fn health_readiness_and_metrics_and_nothing_else() {
    let standins = Standins::start().await;
    let address = free_address();
    let config = ways::and(&format!(
        "[http]\nlisten = \"{address}\"\n{}\n[heartbeats.chat]\nprobe = \"chat\"\ncron = \"* * * * * *\"\n",
        ways::BY_HOOK
    ));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["send", "--subject", "counted", "--wait"]).await;
    daemon.ok(&["page", "--level", "low", "--subject", "open"]).await;
    standins.wait_for("hook", 2).await;

    assert_eq!(door_get(&address, "/healthz").await.0, 200);
    assert_eq!(door_get(&address, "/readyz").await.0, 200);
    let page = eventually("both are counted", async || {
        let (status, page) = door_get(&address, "/metrics").await;
        assert_eq!(status, 200);
        metric(&page, "heartbeat", &["chat"])?;
        metric(&page, "deliveries", &["hook", "delivered"]).filter(|n| *n >= 2.0).map(|_| page)
    })
    .await;
    for family in ["deliveries", "attempts", "delivery_seconds", "queue", "incidents", "heartbeat", "config", "ledger"]
    {
        assert!(page.lines().any(|l| l.starts_with("stentor_") && l.contains(family)), "{family}:\n{page}");
    }
    assert!(page.lines().filter(|l| l.starts_with("# TYPE ")).all(|l| l.contains("stentor_")), "{page}");

    for path in ["/api/v1/status", "/api/v1/incidents", "/", "/metrics/../api/v1/status", "/api/v1/notifications"] {
        let (status, body) = door_get(&address, path).await;
        assert_eq!(status, 404, "{path}: {body}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_keeps_no_alarm_back_and_is_served_when_it_is_free() {
    let standins = Standins::start().await;
    // An address of its own: on the usual one a connection could get the port as its own end meanwhile.
    let taken = std::net::TcpListener::bind("127.0.0.7:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let config = ways::and(&format!("[http]\nlisten = \"{address}\"\n{}", ways::BY_HOOK));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let sent = daemon.ok(&["send", "--subject", "all the same", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    assert!(daemon.log().contains(&address), "it says so: {}", daemon.log());
    drop(taken);
    eventually("the port is served", async || TcpStream::connect(&address).await.ok()).await;
    assert_eq!(door_get(&address, "/healthz").await.0, 200);
}

/// The value of the first line of `stentor_*name*` that has all these label values.
fn metric(page: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let fits = |line: &&str| {
        line.starts_with("stentor_") && line.contains(name) && labels.iter().all(|l| line.contains(&format!("\"{l}\"")))
    };
    page.lines().find(fits)?.rsplit(' ').next()?.parse().ok()
}
