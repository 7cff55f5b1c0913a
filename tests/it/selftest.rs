//! `selftest` against the stand-ins: what works, what does not, and that it tells nobody.

use crate::harness::ways;
use crate::harness::{Daemon, Home};
use crate::standins::Standins;
use serde_json::{Value, json};

const MORE: &str = r#"
[levels.low]
channels = ["mail"]

[channels.backup]
kind        = "twilio-sms"
simulate    = true

[channels.gateway]
kind   = "email-sms"
via    = "mail"
domain = "txt.att.net"

[channels.templated]
kind = "webhook"
url  = "${HOOK_URL}"
body = "{{ labels.team }}"
"#;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(MORE)).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

fn check<'a>(report: &'a Value, channel: &str, name: &str) -> &'a Value {
    let channels = report["channels"].as_array().unwrap();
    let of_channel = channels.iter().find(|c| c["channel"] == channel).unwrap();
    of_channel["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == name)
        .unwrap_or_else(|| panic!("{of_channel}"))
}

fn detail<'a>(report: &'a Value, channel: &str, name: &str) -> &'a str {
    check(report, channel, name)["detail"].as_str().unwrap()
}

#[tokio::test]
async fn each_channel_is_looked_at_and_nobody_is_told() {
    let (standins, daemon) = up().await;
    let before = daemon.ledger(&["notification_accepted", "incident_opened"]).await.len();
    standins.revoke_twilio(true);
    let report = daemon.exits(1, &["selftest"]).await;
    assert_eq!(report["ok"], false);
    for channel in ["mail", "chat", "hook", "gateway"] {
        assert_eq!(check(&report, channel, "connection")["status"], "ok", "{channel}: {report}");
        assert_eq!(check(&report, channel, "template")["status"], "ok", "{channel}: {report}");
    }
    assert_eq!(check(&report, "sms", "connection")["status"], "failed");
    assert!(detail(&report, "sms", "connection").contains("20003"), "{report}");
    assert_eq!(check(&report, "backup", "connection")["status"], "skipped");
    assert!(detail(&report, "gateway", "settings").contains("was shut down on 2025-06-17"), "{report}");
    assert_eq!(check(&report, "templated", "template")["status"], "failed");
    assert!(detail(&report, "hook", "request").starts_with("POST http://127.0.0.1"), "{report}");
    assert!(detail(&report, "sms", "retry").starts_with("after a failure again within"), "{report}");
    assert_eq!(check(&report, "mail", "send")["status"], "skipped");

    let after = daemon.ledger(&["notification_accepted", "incident_opened"]).await.len();
    assert_eq!(before, after, "a rehearsal is not recorded");
    for service in ["slack", "hook"] {
        assert_eq!(standins.recorded(service).len(), 0, "{service} was told");
    }
}

#[tokio::test]
async fn with_send_each_gets_a_message_marked_as_a_test() {
    let (standins, daemon) = up().await;
    let report = daemon.ok(&["selftest", "chat", "sms", "--send", "--to", "bob"]).await;
    assert_eq!(report["channels"].as_array().unwrap().len(), 2);
    for channel in ["chat", "sms"] {
        assert_eq!(check(&report, channel, "send")["status"], "ok", "{report}");
    }
    assert!(standins.recorded("slack")[0].body.contains("TEST"));
    let sms = standins.recorded("twilio").into_iter().find(|r| r.path.ends_with("/Messages.json")).unwrap();
    assert_eq!((sms.form["To"].as_str(), sms.form["Body"].contains("TEST")), ("+15550101", true));
}

#[tokio::test]
async fn a_fallback_is_what_follows_where_there_is_one_and_names_are_checked() {
    let standins = Standins::start().await;
    let config =
        ways::and(MORE).replace("[channels.call]\n", "[channels.call]\nfallback = \"sms\"\nretry = { times = 0 }\n");
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let report = daemon.ok(&["selftest", "call"]).await;
    assert!(detail(&report, "call", "retry").starts_with("after a failure by sms within"), "{report}");
    let unknown = daemon.exits(3, &["selftest", "pigeon"]).await;
    assert_eq!(unknown["error"]["field"], json!("channels"));
    daemon.exits(2, &["selftest", "--to", "bob"]).await;
}
