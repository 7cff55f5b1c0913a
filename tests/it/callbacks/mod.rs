//! Providers call back: well signed, forged, twice, late, in any order; keys are pressed, people write.

mod answers;
mod links;
mod statuses;
mod strangers;
mod voice;

use crate::harness::{Daemon, Home, eventually, free_address, ways};
use crate::standins::Standins;
use crate::standins::callbacks::TELNYX_PUBLIC_KEY;
use crate::standins::record::Recorded;
use serde_json::Value;

/// Under which the providers know us.
pub const PUBLIC: &str = "https://alarm.example.org";

/// A daemon that can be called back, and where it listens.
pub struct Called {
    pub standins: Standins,
    pub daemon: Daemon,
    pub address: String,
}

/// Texts by Twilio, and by Telnyx when that fails; calls; asked after `confirm`.
pub async fn up(confirm: &str, more: &str) -> Called {
    let standins = Standins::start().await;
    let address = free_address();
    let at = standins.addresses();
    let sms = format!("fallback = \"sms-telnyx\"\nconfirm = \"{confirm}\"\ninbound = true\n");
    let config = ways::WAYS
        .replace("[channels.sms]\n", &format!("[channels.sms]\n{sms}"))
        .replace("[channels.call]\n", &format!("[channels.call]\nconfirm = \"{confirm}\"\n"));
    let config = format!(
        "{config}\n[http]\nlisten = \"{address}\"\npublic_url = \"{PUBLIC}\"\n\
         [channels.sms-telnyx]\nkind = \"telnyx-sms\"\nbase_url = \"{}\"\napi_key = \"{}\"\nfrom = \"+15550199\"\n\
         public_key = \"{TELNYX_PUBLIC_KEY}\"\nconfirm = \"{confirm}\"\n{more}\n",
        at.telnyx, at.telnyx_api_key
    );
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    eventually("it listens", async || tokio::net::TcpStream::connect(&address).await.ok()).await;
    Called { standins, daemon, address }
}

/// One text for Alice under way, as Twilio has got it: the delivery's id, the URL to call back, and the sid.
pub async fn text(called: &Called, level: &str) -> (String, String, String) {
    let before = posts(&called.standins, "twilio").len();
    let sent = called.daemon.ok(&["send", "--level", level, "--subject", "disk full", "--channel", "sms"]).await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let request = nth_post(called, "twilio", before).await;
    let sid = eventually("it is submitted", async || {
        let shown = called.daemon.ok(&["deliveries", "show", &id]).await;
        (shown["status"] == "submitted")
            .then(|| shown["attempts"][0]["provider_message_id"].as_str().map(str::to_owned))?
    })
    .await;
    (id, request.form["StatusCallback"].clone(), sid)
}

pub fn posts(standins: &Standins, service: &str) -> Vec<Recorded> {
    standins.recorded(service).into_iter().filter(|r| r.method == "POST").collect()
}

pub async fn nth_post(called: &Called, service: &str, n: usize) -> Recorded {
    eventually("the provider is called", async || posts(&called.standins, service).get(n).cloned()).await
}

pub async fn delivery(called: &Called, id: &str) -> Value {
    called.daemon.ok(&["deliveries", "show", id]).await
}

pub async fn until(called: &Called, id: &str, status: &str) -> Value {
    eventually(status, async || {
        let shown = delivery(called, id).await;
        (shown["status"] == status).then_some(shown)
    })
    .await
}
