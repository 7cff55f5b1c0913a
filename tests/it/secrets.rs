//! Secrets that were planted in the config are found nowhere.

use crate::harness::ways;
use crate::harness::{Daemon, Home, files_under};
use crate::standins::Standins;
use crate::standins::script::Fault;
use nix::sys::signal::Signal;

/// Each in a setting of its own; some literal, some by placeholder.
const CANARIES: [&str; 7] = [
    "canaryTwilioToken4711",
    "canarySmtpPassword4711",
    "canarySlackPath4711",
    "canaryBearer4711",
    "canaryHeader4711",
    "canaryBasic4711",
    "canaryQuery4711",
];

const CONFIG: &str = r#"
[daemon]
name = "prague-1"

[http]
listen = "127.0.0.1:0"

[deadman]
url = "${HOOK_URL}?key=canaryQuery4711"
every = "1s"

[channels.mail]
kind     = "smtp"
host     = "${SMTP_HOST}"
port     = "${SMTP_PORT}"
username = "stentor"
password = "canarySmtpPassword4711"
from     = "stentor@example.org"
to       = ["ops@example.org"]
ca_file  = "${CA_FILE}"

[channels.sms]
kind        = "twilio-sms"
base_url    = "${TWILIO_URL}"
account_sid = "${TWILIO_ACCOUNT_SID}"
auth_token  = "${CANARY_TWILIO}"
from        = "+15550099"
to          = ["+15550100"]

[channels.chat]
kind        = "slack"
webhook_url = "${SLACK_BASE}/services/canarySlackPath4711"

[channels.hook]
kind    = "webhook"
url     = "${HOOK_URL}?key=canaryQuery4711"
headers = { "X-Key" = "canaryHeader4711" }
auth    = { bearer = "${CANARY_BEARER}" }

[channels.basic]
kind = "webhook"
url  = "${HOOK_URL}"
auth = { username = "u", password = "canaryBasic4711" }

[channels.shown]
kind     = "webhook"
url      = "${HOOK_URL}?key=canaryQuery4711"
headers  = { "X-Key" = "canaryHeader4711" }
simulate = true

[levels.low]
channels = ["mail", "sms", "chat", "hook", "basic", "shown"]

[heartbeats.twilio]
probe = "sms"
cron  = "* * * * * *"
"#;

#[tokio::test]
async fn f79_they_are_in_no_log_no_ledger_no_answer_no_metric_and_no_argument() {
    let standins = Standins::start().await;
    let slack = standins.addresses().slack_webhook_url.split("/services").next().unwrap().to_owned();
    let mut daemon = Home::new(CONFIG)
        .envs(ways::environment(&standins))
        .env("SLACK_BASE", slack)
        .env("CANARY_TWILIO", CANARIES[0])
        .env("CANARY_BEARER", CANARIES[3])
        .env("RUST_LOG", "debug")
        .start()
        .await;
    busy_life(&standins, &mut daemon).await;

    let mut places = vec![("the log".to_owned(), daemon.log())];
    places.extend(answers(&daemon).await);
    let arguments = std::fs::read(format!("/proc/{}/cmdline", daemon.pid())).unwrap();
    places.push(("the arguments".into(), String::from_utf8_lossy(&arguments).into_owned()));
    for file in files_under(&daemon.state_dir()) {
        // The kept config is the file as it was read, for the daemon's eyes alone.
        if !file.to_string_lossy().contains("kept") {
            let bytes = std::fs::read(&file).unwrap();
            places.push((file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    assert!(places.len() > 15, "there was little to look at: {:?}", places.iter().map(|p| &p.0).collect::<Vec<_>>());
    for (place, text) in &places {
        for canary in CANARIES {
            let around = text.find(canary).map(|at| {
                let (from, to) = (text.floor_char_boundary(at.saturating_sub(200)), text.ceil_char_boundary(at + 100));
                &text[from..to.min(text.len())]
            });
            assert_eq!(around, None, "{canary} is in {place}");
        }
    }
}

/// Failures of every sort, since errors are what talks too much.
async fn busy_life(standins: &Standins, daemon: &mut Daemon) {
    let faults = [Fault::None, Fault::status(401), Fault::status(500), Fault::CutAfter, Fault::CutBefore, Fault::Html];
    for fault in faults {
        for service in ["twilio", "slack", "hook"] {
            standins.set_times(service, fault.clone(), 1);
        }
        daemon.ctl(&["send", "--subject", "x", "--wait=1s"]).await;
    }
    daemon.ctl(&["page", "--subject", "x", "--level", "low"]).await;
    let good = daemon.read_config();
    daemon.write_config(&good.replace("[levels.low]", "[levels.low]\ncolour = 1").replace("\"u\"", "7"));
    daemon.ctl(&["reload"]).await;
    daemon.write_config(&good.replace("prague-1", "prague-2"));
    daemon.ctl(&["reload"]).await;
    daemon.signal(Signal::SIGUSR1);
    daemon.kill().await;
    daemon.start().await;
    daemon.ctl(&["send", "--subject", "x", "--wait=1s"]).await;
}

async fn answers(daemon: &Daemon) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for path in [
        "/api/v1/status",
        "/api/v1/channels",
        "/api/v1/deliveries",
        "/api/v1/incidents?all=true",
        "/api/v1/heartbeats",
        "/api/v1/watches",
        "/api/v1/ledger?limit=200",
        "/api/v1/ledger/stats",
        "/api/v1/ledger/export?format=jsonl",
        "/api/v1/events?follow=false&since_seq=0",
        "/metrics",
        "/api/v1/explain/1",
    ] {
        let (_, answer) = daemon.request("GET", path, "").await;
        answers.push((path.to_owned(), answer.to_string()));
    }
    for arguments in [&["status"] as &[&str], &["channels", "list"], &["check-config"]] {
        let mut arguments = arguments.to_vec();
        let config = daemon.config();
        if arguments == ["check-config"] {
            arguments.push(config.to_str().unwrap());
        }
        let said = daemon.ctl_text(&arguments).await;
        answers.push((format!("{arguments:?}"), said.out + &said.err));
    }
    answers
}
