//! Secrets that were planted in the config are found nowhere.

use crate::harness::ways;
use crate::harness::{Daemon, Home, door_get, files_under};
use crate::standins::Standins;
use crate::standins::script::Fault;
use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Each in a setting of its own; some literal, some by placeholder.
const CANARIES: [&str; 10] = [
    "canaryTwilioToken4711",
    "canarySmtpPassword4711",
    "canarySlackPath4711",
    "canaryBearer4711",
    "canaryHeader4711",
    "canaryBasic4711",
    "canaryQuery4711",
    "canaryCredential4711",
    "canaryMistyped4711",
    "canaryHttpToken4711",
];

/// Two of them as they go over the wire, in base64: `u:canaryBasic4711`, and the mail password alone
/// and after `NUL stentor NUL`.
const ON_THE_WIRE: [&str; 3] =
    ["dTpjYW5hcnlCYXNpYzQ3MTE", "Y2FuYXJ5U210cFBhc3N3b3JkNDcxMQ", "AHN0ZW50b3IAY2FuYXJ5U210cFBhc3N3b3JkNDcxMQ"];

const CONFIG: &str = r#"
[daemon]
name = "prague-1"

[http]
listen = "127.0.0.1:${TCP}"

[http.tokens.prometheus]
secret = "canaryHttpToken4711"
may    = ["alerts"]

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

[channels.filed]
kind    = "webhook"
url     = "${HOOK_URL}"
auth    = { bearer = "${file:hook-token}" }

[channels.siren]
kind = "sound"

[channels.shown]
kind     = "webhook"
url      = "${HOOK_URL}?key=canaryQuery4711"
headers  = { "X-Key" = "canaryHeader4711" }
simulate = true

[levels.low]
channels = ["mail", "sms", "chat", "hook", "basic", "filed", "siren", "shown"]

[heartbeats.twilio]
probe = "sms"
cron  = "* * * * * *"
"#;

#[tokio::test]
async fn f79_they_are_in_no_log_no_ledger_no_answer_no_metric_and_no_argument() {
    let standins = Standins::start().await;
    let slack = standins.addresses().slack_webhook_url.split("/services").next().unwrap().to_owned();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = Home::new(CONFIG).env("TCP", tcp.port().to_string());
    let credentials = home.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::write(credentials.join("hook-token"), format!("{}\n", CANARIES[7])).unwrap();
    let mut daemon = home
        .envs(ways::environment(&standins))
        .env("SLACK_BASE", slack)
        .env("CANARY_TWILIO", CANARIES[0])
        .env("CANARY_BEARER", CANARIES[3])
        .env("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())
        .env("RUST_LOG", "trace")
        .start()
        .await;
    let players = players_of(daemon.pid().as_raw());
    let mut places = busy_life(&standins, &mut daemon).await;
    let players: Vec<(String, String)> = players.stop().await;
    assert!(!players.is_empty(), "no player was seen");
    places.extend(players);

    places.extend(reports(&tcp.to_string()).await);
    places.push(("the log".to_owned(), daemon.log()));
    places.extend(answers(&daemon).await);
    places.push(("the metrics over TCP".into(), door_get(&tcp.to_string(), "/metrics").await.1));
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
        for canary in CANARIES.into_iter().chain(ON_THE_WIRE) {
            let around = text.find(canary).map(|at| {
                let (from, to) = (text.floor_char_boundary(at.saturating_sub(200)), text.ceil_char_boundary(at + 100));
                &text[from..to.min(text.len())]
            });
            assert_eq!(around, None, "{canary} is in {place}");
        }
    }
}

/// Failures of every sort, since errors are what talks too much; and what stentorctl said to them.
async fn busy_life(standins: &Standins, daemon: &mut Daemon) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let mut faults =
        vec![Fault::None, Fault::status(401), Fault::status(500), Fault::CutAfter, Fault::CutBefore, Fault::Html];
    faults.extend([200, 400, 401, 404, 500].map(|status| Fault::Echo { status }));
    let mail_echoes = [CANARIES[1], ON_THE_WIRE[1], ON_THE_WIRE[2]];
    let mut mail_faults: Vec<Fault> =
        mail_echoes.iter().map(|echo| Fault::verb("auth", &format!("535 5.7.8 not {echo}"))).collect();
    mail_faults.push(Fault::verb("rcpt", &format!("550 5.7.1 {}", CANARIES[1])));
    mail_faults.extend([Fault::verb("auth", "drop"), Fault::verb("text", "drop"), Fault::WrongHost]);
    for (n, fault) in faults.into_iter().enumerate() {
        for service in ["twilio", "slack", "hook"] {
            standins.set_times(service, fault.clone(), 3);
        }
        if let Some(fault) = mail_faults.get(n) {
            standins.set_times("smtp", fault.clone(), 1);
        }
        let told = daemon.ctl_text(&["send", "--subject", "x", "--wait=1s"]).await;
        said.push((format!("send, the {n}th time"), told.out + &told.err));
    }
    daemon.ctl(&["page", "--subject", "x", "--level", "low"]).await;
    said.extend(bad_edits(daemon).await);
    daemon.signal(Signal::SIGUSR1);
    daemon.kill().await;
    daemon.start().await;
    daemon.ctl(&["send", "--subject", "x", "--wait=1s"]).await;
    said
}

/// Alerts with the token, with nearly the token, and with the token in the wrong place.
async fn reports(tcp: &str) -> Vec<(String, String)> {
    let token = CANARIES[9];
    let good = r#"[{"labels": {"alertname": "x"}}]"#;
    let mut said = Vec::new();
    for (authorization, body) in [
        (format!("Bearer {token}"), good),
        (format!("Bearer {token}"), "[{\"labels\": 7"),
        (format!("Bearer {token}x"), good),
        (format!("Basic {token}"), good),
        (token.to_owned(), good),
    ] {
        let mut stream = TcpStream::connect(tcp).await.unwrap();
        let request = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        said.push((format!("the answer to {body} with {}", said.len()), answer));
    }
    assert!(said[0].1.starts_with("HTTP/1.1 200"), "{said:?}");
    assert!(said[2].1.starts_with("HTTP/1.1 401"), "{said:?}");
    said
}

/// Mistakes beside a secret, and in it.
async fn bad_edits(daemon: &Daemon) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let good = daemon.read_config();
    let hook = "url     = \"${HOOK_URL}?key=canaryQuery4711\"";
    for (right, wrong) in [
        ("[levels.low]", "[levels.low]\ncolour = 1"),
        ("may    = [\"alerts\"]", "may = [\"everything\"]"),
        ("secret = \"canaryHttpToken4711\"", "secret = \"canaryHttpToken4711 \""),
        ("username = \"stentor\"", "username = 7"),
        ("password = \"canarySmtp", "passwort = \"canaryMistyped4711\"\npassword = \"canarySmtp"),
        ("canarySmtpPassword4711\"", "canarySmtpPassword4711"),
        ("\"canaryBasic4711\"", "[\"canaryBasic4711\"]"),
        (hook, "url     = \"canaryQuery4711 is no URL\""),
        (hook, "url     = \"ftp://u:canaryQuery4711@example.org/canaryQuery4711\""),
        (hook, "url     = \"http://example.org/canaryQuery4711\""),
    ] {
        assert!(good.contains(right), "{right}");
        daemon.write_config(&good.replacen(right, wrong, 1));
        let told = daemon.ctl_text(&["reload"]).await;
        said.push((format!("reload with {wrong}"), told.out + &told.err));
        let told = daemon.ctl(&["check-config", daemon.config().to_str().unwrap()]).await;
        assert_eq!(told.code, 1, "{wrong}: {told:?}");
        said.push((format!("check-config of {wrong}"), told.out + &told.err));
        let (_, told) = daemon.ends_with(&["--check"]).await;
        said.push((format!("stentord --check of {wrong}"), told));
    }
    daemon.write_config(&good.replace("prague-1", "prague-2"));
    daemon.ctl(&["reload"]).await;
    said
}

/// Looks for players until it is stopped: they come and go.
struct Players {
    over: Arc<AtomicBool>,
    looking: JoinHandle<BTreeSet<(String, String)>>,
}

fn players_of(daemon: i32) -> Players {
    let over = Arc::new(AtomicBool::new(false));
    let last = over.clone();
    let looking = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while !last.load(Ordering::Relaxed) {
            seen.extend(children(daemon));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seen
    });
    Players { over, looking }
}

impl Players {
    async fn stop(self) -> Vec<(String, String)> {
        self.over.store(true, Ordering::Relaxed);
        self.looking.await.unwrap().into_iter().collect()
    }
}

/// The arguments and the environment of every player that the daemon has at the moment.
fn children(of: i32) -> Vec<(String, String)> {
    let parent = format!("PPid:\t{of}\n");
    let read = |pid: i32, file: &str| {
        String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()).into_owned()
    };
    let names = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse::<i32>().ok());
    // Before it becomes the player, a child still looks like the daemon.
    let players =
        pids.filter(|pid| read(*pid, "status").contains(&parent) && read(*pid, "cmdline").contains("--serve"));
    let both = |pid| ["cmdline", "environ"].map(|file| (format!("{file} of a player"), read(pid, file)));
    players.flat_map(both).collect()
}

async fn answers(daemon: &Daemon) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for path in [
        "/api/v1/status",
        "/api/v1/channels",
        "/api/v1/channels/mail/settings",
        "/api/v1/channels/sms/settings",
        "/api/v1/channels/chat/settings",
        "/api/v1/channels/hook/settings",
        "/api/v1/channels/basic/settings",
        "/api/v1/channels/shown/settings",
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
