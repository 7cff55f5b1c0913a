//! Files with a message: the mail has them, others get links, and both survive a kill. And long texts that
//! wait while the daemon is killed.

use crate::harness::{Daemon, Home, eventually, ways};
use crate::harness::{door_get as get, free_address};
use crate::standins::Standins;
use crate::standins::script::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const PDF: &str = "%PDF-1.7\nnot much of one, but it says so\n";

fn levels(address: &str) -> String {
    format!(
        "[http]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\n[levels.low]\nchannels = [\"mail\", \"hook\"]\n"
    )
}

/// The parts of a mail: its header lines and what is in it.
fn parts(mail: &str) -> Vec<(String, Vec<u8>)> {
    let boundary = mail.split_once("boundary=\"").unwrap().1.split_once('"').unwrap().0;
    let line = format!("--{boundary}");
    let pieces = mail.split(&line).skip(1).filter(|piece| !piece.starts_with("--"));
    pieces
        .map(|piece| {
            let (head, body) = piece.trim_start().split_once("\r\n\r\n").unwrap();
            let encoded = head.contains("Content-Transfer-Encoding: base64");
            let bare: String = body.split_whitespace().collect();
            let bytes = if encoded { STANDARD.decode(bare).unwrap() } else { body.trim_end().as_bytes().to_vec() };
            (head.to_owned(), bytes)
        })
        .collect()
}

async fn up(address: &str) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(&levels(address))).envs(ways::environment(&standins));
    let daemon = home.start().await;
    std::fs::write(daemon.path("report.pdf"), PDF).unwrap();
    std::fs::write(daemon.path("raw.bin"), [0, 159, 146, 150, 255]).unwrap();
    (standins, daemon)
}

fn send<'a>(report: &'a str, raw: &'a str) -> [&'a str; 10] {
    ["send", "--level", "low", "--subject", "the report", "--to", "bob", "--attach", report, raw]
}

#[tokio::test]
async fn a_mail_has_its_files_and_a_webhook_links_that_work_until_they_are_erased() {
    let address = free_address();
    let (standins, daemon) = up(&address).await;
    let (report, raw) = (daemon.path("report.pdf"), format!("--attach={}", daemon.path("raw.bin").display()));
    let mut words = send(report.to_str().unwrap(), &raw).to_vec();
    words.push("--wait");
    let sent = daemon.ok(&words).await;
    assert_eq!(sent["status"], "delivered", "{sent}");
    let mail = &standins.recorded("smtp")[0].body;
    let parts = parts(mail);
    assert_eq!(parts.len(), 3, "{mail}");
    assert!(String::from_utf8_lossy(&parts[0].1).contains("the report"));
    assert!(
        parts[1].0.contains("Content-Type: application/pdf") && parts[1].0.contains("report.pdf"),
        "{}",
        parts[1].0
    );
    assert_eq!(parts[1].1, PDF.as_bytes());
    assert!(parts[2].0.contains("Content-Type: application/octet-stream"), "{}", parts[2].0);
    assert_eq!(parts[2].1, [0, 159, 146, 150, 255]);

    let hook: Value = serde_json::from_str(&standins.recorded("hook")[0].body).unwrap();
    let link = hook["attachments"][0]["url"].as_str().unwrap();
    let path = link.strip_prefix(&format!("http://{address}")).unwrap().to_owned();
    assert_eq!(get(&address, &path).await, (200, PDF.to_owned()));
    let forged = path.replace("&s=", "&s=A");
    assert_eq!(get(&address, &forged).await.0, 404);
    let later = path.replacen("?e=1", "?e=9", 1);
    assert!(later == path || get(&address, &later).await.0 == 404);

    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    let shown = daemon.ctl_text(&["deliveries", "show", id]).await.out;
    assert!(shown.contains("report.pdf (application/pdf, 41 bytes)"), "{shown}");
    let told = daemon.ctl_text(&["explain", id]).await.out;
    for words in ["with report.pdf (41 B), raw.bin (5 B)", "it carries the files"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(daemon.ok(&["ledger", "verify"]).await["ok"], true);
    let copy = daemon.path("copy");
    daemon.ok(&["ledger", "backup", copy.to_str().unwrap()]).await;
    assert_eq!(std::fs::read_dir(copy.join("blobs")).unwrap().count(), 2);
    daemon.ok(&["ledger", "erase", "bob"]).await;
    eventually("the files are gone", async || {
        (std::fs::read_dir(daemon.state_dir().join("blobs")).unwrap().count() == 0).then_some(())
    })
    .await;
    assert_eq!(get(&address, &path).await.0, 404);
    assert_eq!(daemon.ok(&["ledger", "verify"]).await["ok"], true);
}

#[tokio::test]
async fn a_page_brings_its_files_to_who_is_called_and_explain_says_how_they_went() {
    let address = free_address();
    let (standins, mut daemon) = up(&address).await;
    let report = daemon.path("report.pdf");
    let page = ["page", "--level", "low", "--subject", "disk full", "--to", "bob", "--fingerprint", "disk", "--attach"];
    let page = [&page[..], &[report.to_str().unwrap()]].concat();
    let opened = daemon.ok(&page).await;
    assert_eq!(opened["attachments"][0]["name"], "report.pdf", "{opened}");
    let mail = standins.wait_for("smtp", 1).await[0].body.clone();
    assert_eq!(parts(&mail)[1].1, PDF.as_bytes(), "{mail}");
    let number = opened["number"].to_string();
    let explained = eventually("it is explained", async || {
        let explained = daemon.ok(&["explain", &number]).await;
        (explained.to_string().matches("it carries the files").count() == 1).then_some(explained)
    })
    .await;
    let steps = explained["steps"].as_array().unwrap();
    assert!(steps[0]["what"].as_str().unwrap().ends_with(", with report.pdf (41 B)"), "{explained}");
    let linked = "this channel carries no files; its text links to them";
    assert!(steps.iter().any(|s| s["because"].as_str().unwrap().ends_with(linked)), "{explained}");
    let again = daemon.ctl_text(&page).await;
    assert!(again.err.contains("The files were not kept"), "{again:?}");
    assert_eq!(std::fs::read_dir(daemon.state_dir().join("blobs")).unwrap().count(), 1);
    // Its file is there for later steps, whatever happens in between.
    daemon.kill().await;
    daemon.start().await;
    assert_eq!(std::fs::read_dir(daemon.state_dir().join("blobs")).unwrap().count(), 1);
    assert_eq!(daemon.ok(&["ledger", "verify"]).await["ok"], true);
    let shown = daemon.ctl_text(&["incidents", "show", &number]).await.out;
    assert!(shown.contains("report.pdf (application/pdf, 41 bytes)"), "{shown}");
    daemon.ok(&["resolve", &number]).await;
    let notice = standins.wait_for("smtp", 2).await[1].body.clone();
    assert!(notice.contains("RESOLVED") && !notice.contains("report.pdf"), "{notice}");
}

/// A mail server that never says a word: nothing gets out before the kill.
fn silent() -> Fault {
    Fault::Verb { verb: "connect".into(), act: "stall".into() }
}

#[tokio::test]
async fn files_and_long_texts_that_wait_survive_a_kill() {
    let address = free_address();
    let (standins, mut daemon) = up(&address).await;
    standins.set("hook", Fault::status(500));
    standins.set("smtp", silent());
    let report = daemon.path("report.pdf");
    let long = format!("{}the end of it", "a long story ".repeat(3_000));
    let middle = format!("{}the middle one", "a story ".repeat(500));
    for body in [&long, &middle] {
        let words = ["send", "--level", "low", "--subject", "waits", "--to", "bob", "--body", body, "--attach"];
        daemon.ok(&[&words[..], &[report.to_str().unwrap()]].concat()).await;
    }
    daemon.kill().await;
    standins.set("hook", Fault::None);
    standins.set("smtp", Fault::None);
    daemon.start().await;
    eventually("all is delivered", async || (daemon.status().await["queue"]["pending"] == 0).then_some(())).await;
    let mails: Vec<String> = standins.recorded("smtp").iter().map(|mail| mail.body.clone()).collect();
    assert_eq!(mails.len(), 2, "{mails:?}");
    for mail in &mails {
        let parts = parts(mail);
        let text = String::from_utf8_lossy(&parts[0].1).into_owned();
        assert!(text.contains("the end of it") || text.contains("the middle one"), "{text}");
        assert_eq!(parts[1].1, PDF.as_bytes());
    }
    let hooks: Vec<Value> = standins
        .recorded("hook")
        .iter()
        .filter(|r| r.status < 300)
        .map(|r| serde_json::from_str(&r.body).unwrap())
        .collect();
    let bodies: Vec<&str> = hooks.iter().map(|hook| hook["body"].as_str().unwrap()).collect();
    assert!(bodies.contains(&long.as_str()) && bodies.contains(&middle.as_str()), "word for word");
}

#[tokio::test]
async fn a_damaged_file_is_told_and_the_mail_goes_out_without_it() {
    let address = free_address();
    let (standins, mut daemon) = up(&address).await;
    standins.set("smtp", silent());
    let report = daemon.path("report.pdf");
    let words = ["send", "--level", "low", "--subject", "waits", "--to", "bob", "--channel", "mail", "--attach"];
    daemon.ok(&[&words[..], &[report.to_str().unwrap()]].concat()).await;
    daemon.kill().await;
    for file in std::fs::read_dir(daemon.state_dir().join("blobs")).unwrap() {
        std::fs::write(file.unwrap().path(), "something else").unwrap();
    }
    standins.set("smtp", Fault::None);
    daemon.start().await;
    // The incident about it may be told first.
    let waits = eventually("it goes out", async || {
        standins.recorded("smtp").into_iter().find(|mail| mail.body.contains("waits"))
    })
    .await;
    assert!(waits.body.contains("report.pdf cannot be attached: blobs/"), "{}", waits.body);
    let open = eventually("it is told", async || {
        let open = daemon.ok(&["incidents", "list"]).await;
        open["incidents"].as_array().unwrap().iter().find(|i| i["fingerprint"] == "self/storage-ledger").cloned()
    })
    .await;
    assert!(open["body"].as_str().unwrap().contains("the attachment report.pdf"), "{open}");
    assert_eq!(daemon.exits(1, &["ledger", "verify"]).await["faults"][0]["kind"], "damaged-blob");
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_its_name() {
    let address = free_address();
    let (_standins, daemon) = up(&address).await;
    let big = daemon.path("big.bin");
    std::fs::write(&big, vec![1; (10 << 20) + 1]).unwrap();
    let words = ["send", "--level", "low", "--subject", "x", "--to", "bob", "--attach", big.to_str().unwrap()];
    let refused = daemon.exits(2, &words).await;
    assert_eq!(refused["error"]["code"], "TOO_LARGE", "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("big.bin has 10.0 MiB"), "{refused}");
    let body = serde_json::json!({ "subject": "x", "level": "low", "attachments": [
        { "name": "a", "content_base64": STANDARD.encode(vec![1; 21 << 20]) }] });
    let (status, refused) = daemon.request("POST", "/api/v1/notifications", &body.to_string()).await;
    assert_eq!((status, &refused["error"]["code"]), (413, &"TOO_LARGE".into()), "{refused}");
}
