//! kill -9 at random moments under load, and at each named point; afterwards the callers' record,
//! the receiver's and the ledger are held against each other.
//!
//! Every run has a seed, which is printed when it fails: `STENTOR_SEEDS=17..18 cargo test --test it f01_`.

pub mod callers;
pub mod checker;
mod points;
pub mod random;
mod random_kills;
mod removals;
pub mod sink;

use crate::harness::{Daemon, Home, eventually, free_address};
use checker::Record;
use sink::Sink;

/// Two webhooks at the sink; low, normal and high by the first, urgent by steps: at once by the
/// first, a second later by the other.
pub const CONFIG: &str = r#"
[daemon]
name = "torture"
[channels.hook]
kind = "webhook"
url = "${SINK}/hook"
slots = 8
updates = []
[channels.other]
kind = "webhook"
url = "${SINK}/other"
slots = 8
updates = []
[levels.low]
channels = ["hook"]
[levels.urgent]
channels = ["hook"]
policy = "page"
[policies.page]
steps = [{ after = "0s", channels = ["hook"] }, { after = "1s", channels = ["other"] }]
"#;

pub fn home(sink: &Sink) -> Home {
    Home::new(CONFIG).env("SINK", sink.address.as_str())
}

/// One that takes alerts, too, and where.
pub fn home_with_alerts(sink: &Sink) -> (Home, String) {
    let address = free_address();
    let config = format!("{CONFIG}\n[http]\nlisten = \"{address}\"\n");
    (Home::new(&config).env("SINK", sink.address.as_str()), address)
}

/// Waits until nothing is under way, and gives the whole ledger, which must verify.
pub async fn settled(daemon: &Daemon) -> Record {
    eventually("every delivery has ended and every step has fired", async || {
        let (_, status) = daemon.try_request("GET", "/api/v1/status", "").await?;
        let (_, open) = daemon.try_request("GET", "/api/v1/incidents", "").await?;
        let pending = open["incidents"].as_array()?.iter().any(|i| i["status"] == "open" && !i["next"].is_null());
        (status["queue"]["pending"] == 0 && !pending).then_some(())
    })
    .await;
    eventually("the history has it all", async || {
        let ledger = daemon.try_request("GET", "/api/v1/status", "").await?.1["ledger"].clone();
        (ledger["applied_seq"] == ledger["durable_seq"]).then_some(())
    })
    .await;
    let verified = daemon.ok(&["ledger", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
    let exported = daemon.ctl_text(&["ledger", "export"]).await;
    assert_eq!(exported.code, 0, "{exported:?}");
    Record::of_export(&exported.out)
}
