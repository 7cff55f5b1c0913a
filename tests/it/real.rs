//! Servers that others wrote: moto, which checks Amazon's signatures as Amazon does, and aiosmtpd, a
//! mail server with STARTTLS and AUTH. They run from `.tools/`, which `packaging/setup.sh --tools` fills.

use crate::harness::{Daemon, Home, eventually, skip};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A program of `tests/it/real/` that speaks in lines of JSON.
struct Program {
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// With its first line. `None`: it cannot be run here, which is said.
    async fn start(script: &str, arguments: &[&str], story: &str) -> Option<(Program, Value)> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = here.join(".tools/bin/python");
        if !python.is_file() {
            skip(story, "there is no .tools/bin/python; packaging/setup.sh --tools makes it where pip works");
            return None;
        }
        let mut child = Command::new(python)
            .arg(here.join("tests/it/real").join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut program = Program { _child: child, input, lines };
        let up = program.next().await;
        Some((program, up))
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(crate::harness::LONGEST, self.lines.next_line()).await;
        let line = line.expect("it says nothing").unwrap().expect("it has ended; run it by hand to see why");
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self) -> Value {
        self.input.write_all(b"\n").await.unwrap();
        self.next().await
    }
}

/// The only heartbeat is green, and says this.
async fn probe_is_well(daemon: &Daemon, detail: &str) {
    eventually("its probe is well", async || {
        let row = daemon.ok(&["heartbeats", "list"]).await["heartbeats"][0].clone();
        (row["status"] == "ok" && row["detail"].as_str()?.contains(detail)).then_some(())
    })
    .await;
}

/// The first attempt of the only delivery, which the server did not let in.
async fn refused_login(daemon: &Daemon) -> Value {
    let failed = eventually("it is refused", async || {
        let rows = daemon.ok(&["deliveries", "list"]).await["deliveries"].clone();
        rows[0]["attempts"].as_array()?.first().filter(|attempt| !attempt["class"].is_null()).cloned()
    })
    .await;
    assert_eq!(failed["class"], "AUTH_ERROR", "{failed}");
    failed
}

const SMS: &str = r#"
[daemon]
name = "prague-1"
[channels.sms]
kind = "aws-sns"
region = "eu-west-1"
base_url = "${AWS_URL}"
access_key_id = "${AWS_ACCESS_KEY_ID}"
secret_access_key = "${AWS_SECRET_ACCESS_KEY}"
to = ["alice"]
[people.alice]
phone = "+15550100"
[levels.low]
channels = ["sms"]
[heartbeats.aws]
probe = "sms"
every = "1s"
"#;

#[tokio::test]
async fn a_text_by_sns_is_signed_as_amazon_wants_it() {
    let Some((mut aws, up)) = Program::start("aws.py", &[], "SNS with checked signatures").await else { return };
    let text = |key: &str| up[key].as_str().unwrap().to_owned();
    let home = |secret: String| {
        let home = Home::new(SMS).env("AWS_URL", text("url")).env("AWS_ACCESS_KEY_ID", text("access_key_id"));
        home.env("AWS_SECRET_ACCESS_KEY", secret)
    };
    let daemon = home(text("secret_access_key")).start().await;
    let subject = "URGENT a+b&c=%20 größer ~*'()";
    let sent = daemon.ok(&["send", "--level", "low", "--subject", subject, "--wait"]).await;
    assert_eq!(sent["deliveries"][0]["status"], "sent", "{sent}");
    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    let shown = daemon.ok(&["deliveries", "show", id]).await;
    let message = shown["attempts"][0]["provider_message_id"].as_str().unwrap();
    let texts = aws.ask().await;
    assert_eq!((texts.as_object().unwrap().len(), &texts[message][0]), (1, &json!("+15550100")), "{texts} {shown}");
    assert!(texts[message][1].as_str().unwrap().contains(subject), "{texts}");
    probe_is_well(&daemon, "").await;
    drop(daemon);

    // One letter of the secret is another one.
    let wrong = text("secret_access_key").chars().rev().collect();
    let daemon = home(wrong).start().await;
    daemon.ctl(&["send", "--level", "low", "--subject", "x"]).await;
    let failed = refused_login(&daemon).await;
    assert!(failed["error"].as_str().unwrap().contains("signature we calculated does not match"), "{failed}");
    assert_eq!(aws.ask().await.as_object().unwrap().len(), 1, "nothing else was published");
}

const MAIL: &str = r#"
[daemon]
name = "prague-1"
[channels.mail]
kind = "smtp"
host = "localhost"
port = "${SMTP_PORT}"
tls = "starttls"
ca_file = "${CA_FILE}"
username = "stentor"
password = "${SMTP_PASSWORD}"
from = "Stentor <stentor@example.org>"
hello = "prague-1.example.org"
to = ["ops@example.org"]
[levels.low]
channels = ["mail"]
[heartbeats.smtp]
probe = "mail"
every = "1s"
"#;

/// A root, and what it signed for localhost: root, certificate and key, each a file of PEM.
fn certificates(dir: &Path) -> [String; 3] {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
    [("root.pem", root.pem()), ("leaf.pem", leaf.pem()), ("key.pem", key.serialize_pem())].map(|(name, pem)| {
        std::fs::write(dir.join(name), pem).unwrap();
        dir.join(name).display().to_string()
    })
}

#[tokio::test]
async fn a_mail_goes_to_a_real_server_by_starttls_and_login() {
    let dir = tempfile::tempdir().unwrap();
    let [root, leaf, key] = certificates(dir.path());
    let password = "passwordOfTheRealServer17";
    let arguments = [leaf.as_str(), &key, "stentor", password];
    let Some((mut server, up)) = Program::start("mail.py", &arguments, "a real mail server").await else { return };
    let home = |password: &str| {
        let home = Home::new(MAIL).env("SMTP_PORT", up["port"].to_string()).env("CA_FILE", root.clone());
        home.env("SMTP_PASSWORD", password)
    };
    let daemon = home(password).start().await;
    let body = "Größe 🔥\n.\n.leading dots\nMAIL FROM:<eve@example.org>\n";
    let send = async |to: &str| {
        let arguments =
            ["send", "--level", "low", "--to", to, "--subject", "Disk voll: größer", "--body", body, "--wait"];
        daemon.ctl(&arguments).await.json()
    };
    for _ in 0..3 {
        let sent = send("alice@example.org").await;
        assert_eq!(sent["deliveries"][0]["status"], "sent", "{sent}");
        let id = sent["deliveries"][0]["id"].as_str().unwrap();
        let shown = daemon.ok(&["deliveries", "show", id]).await;
        assert_eq!(shown["attempts"][0]["provider_message_id"], "2.0.0 OK: queued as REAL17", "{shown}");
        let mail = server.next().await;
        assert_eq!((&mail["from"], &mail["to"]), (&json!("stentor@example.org"), &json!(["alice@example.org"])));
        assert_eq!((&mail["tls"], &mail["user"]), (&json!(true), &json!("stentor")), "{mail}");
        assert_eq!(mail["hello"], "prague-1.example.org");
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains(&format!("Message-ID: <{id}@example.org>")), "{text}");
        assert!(
            text.contains("Auto-Submitted: auto-generated") && text.lines().all(|line| line.len() <= 998),
            "{text}"
        );
    }
    let refused = send("nobody@example.org").await;
    assert_eq!(refused["deliveries"][0]["status"], "dead", "{refused}");
    assert!(refused["deliveries"][0]["reason"].as_str().unwrap().contains("550 5.1.1 No such user here"), "{refused}");
    probe_is_well(&daemon, "credentials accepted").await;
    drop(daemon);

    let daemon = home("another").start().await;
    daemon.ctl(&["send", "--level", "low", "--to", "alice@example.org", "--subject", "x"]).await;
    let failed = refused_login(&daemon).await;
    assert!(failed["error"].as_str().unwrap().contains("credentials invalid"), "{failed}");
}
