//! Texts by name: from a file beside the config to what the provider gets, and what happens when one
//! fails in the night.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};
use std::fs;

const LEVELS: &str = r#"
[levels.low]
channels = ["chat"]

[levels.high]
channels = ["sms", "mail", "chat"]
template = "outage"
"#;

async fn up(files: &[(&str, &str)]) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(LEVELS)).envs(ways::environment(&standins));
    fs::create_dir(home.path("etc/templates")).unwrap();
    for (name, text) in files {
        fs::write(home.path(&format!("etc/templates/{name}")), text).unwrap();
    }
    (standins, home.start().await)
}

const OUTAGE: &[(&str, &str)] = &[
    ("outage.sms.txt", "{{ tag }} {{ labels.team|default('ops') }}: {{ subject }}\n"),
    ("outage.subject.txt", "{{ tag }} | {{ subject }}\n"),
    ("outage.html", "<h1>{{ subject }}</h1>\n"),
    ("deploy.text.txt", "{{ vars.service }} {{ vars.version }} is out\n"),
    ("deploy.body.json", "{\"service\": \"{{ vars.service }}\", \"subject\": {{ subject|tojson }}}\n"),
    ("deploy.subject.txt", "{{ vars.service }} {{ vars.version }}\n"),
];

fn bodies(standins: &Standins, service: &str) -> Vec<String> {
    standins.recorded(service).into_iter().map(|r| r.form.get("Body").cloned().unwrap_or(r.body)).collect()
}

#[tokio::test]
async fn a_text_by_name_is_what_the_provider_gets() {
    let (standins, daemon) = up(OUTAGE).await;
    let send = ["send", "--level", "high", "--subject", "disk <full>", "--to", "alice", "--label", "team=db", "--wait"];
    daemon.ok(&send).await;
    assert_eq!(bodies(&standins, "twilio"), ["HIGH db: disk <full>"]);
    let mail = &bodies(&standins, "smtp")[0];
    assert!(mail.contains("Subject: HIGH | disk <full>\r\n"), "{mail}");
    assert!(mail.contains("multipart/alternative") && mail.contains("<h1>disk &lt;full&gt;</h1>"), "{mail}");
    assert!(
        mail.contains("Content-Type: text/plain") && mail.contains("disk <full>"),
        "the plain text is there: {mail}"
    );
    assert!(bodies(&standins, "slack")[0].contains("HIGH prague-1: disk"), "the built-in one where it has none");

    let deploy =
        ["send", "--template", "deploy", "--var", "service=shop", "--var", "version=1.2 \"b\"", "--to", "alice"];
    let sent = daemon.ok(&[&deploy[..], &["--channel", "sms", "--channel", "hook", "--wait"]].concat()).await;
    assert_eq!(sent["subject"], "shop 1.2 \"b\"", "the template's own: {sent}");
    assert_eq!(bodies(&standins, "twilio")[1], "shop 1.2 \"b\" is out");
    let hook: Value = serde_json::from_str(&bodies(&standins, "hook")[0]).unwrap();
    assert_eq!(hook, json!({ "service": "shop", "subject": "shop 1.2 \"b\"" }));
}

#[tokio::test]
async fn f57_what_is_unknown_or_missing_is_refused_at_every_door() {
    let (standins, daemon) = up(OUTAGE).await;
    let refused = async |code: i32, field: &str, args: &[&str]| {
        let answer = daemon.exits(code, args).await;
        assert_eq!(answer["error"]["field"], field, "{answer}");
    };
    refused(3, "template", &["send", "--template", "deplyo", "--subject", "x", "--channel", "chat"]).await;
    refused(2, "vars", &["send", "--template", "deploy", "--subject", "x", "--channel", "chat"]).await;
    let typo = ["send", "--template", "deploy", "--var", "servcie=x", "--subject", "x", "--channel", "chat"];
    refused(2, "vars", &typo).await;
    let body = r#"{"subject": "x", "vars": {"a": "b"}, "channels": ["chat"]}"#;
    let (status, answer) = daemon.request("POST", "/api/v1/notifications", body).await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("vars")), "{answer}");
    assert!(standins.recorded("slack").is_empty());
}

#[tokio::test]
async fn f57_a_text_that_fails_in_the_night_is_the_built_in_one_until_it_is_mended() {
    let (standins, daemon) = up(&[("outage.sms.txt", "{{ tag }} {{ labels.team }}: {{ subject }}\n")]).await;
    let opened = daemon.ok(&["page", "--level", "high", "--subject", "disk full", "--to", "alice"]).await;
    let about = async || {
        let all = daemon.ok(&["incidents", "list", "--all"]).await;
        let ours = all["incidents"].as_array().unwrap().iter().find(|i| i["fingerprint"] == "self/templates.outage");
        ours.cloned()
    };
    let incident = eventually("an incident about the template", async || about().await).await;
    assert!(incident["subject"].as_str().unwrap().contains("templates.outage"), "{incident}");
    let sms = eventually("the built-in text", async || bodies(&standins, "twilio").pop()).await;
    assert!(sms.starts_with(&format!("HIGH #{} prague-1: disk full since ", opened["number"])), "{sms}");
    let failed = daemon.ledger(&["template_failed"]).await;
    assert!(failed[0]["words"].as_str().unwrap().contains("labels.team"), "{failed:?}");

    // A file that is broken is refused, with its place; one that is mended is taken by itself.
    let file = daemon.path("etc/templates/outage.sms.txt");
    fs::write(&file, "{{ tag }}:\n{{ sbuject }}\n").unwrap();
    let refused = daemon.exits(1, &["reload"]).await;
    let error = &refused["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(4)), "{refused}");
    assert!(error["file"].as_str().unwrap().ends_with("templates/outage.sms.txt"), "{refused}");
    fs::write(&file, "{{ tag }} {{ labels.team|default('ops') }}: {{ subject }}\n").unwrap();
    eventually("it is over", async || about().await.filter(|i| i["status"] == "resolved")).await;
    daemon.ok(&["send", "--level", "high", "--subject", "again", "--channel", "sms", "--to", "alice", "--wait"]).await;
    assert_eq!(bodies(&standins, "twilio").pop().unwrap(), "HIGH ops: again");
}

#[tokio::test]
async fn what_a_template_makes_can_be_seen_with_and_without_a_daemon() {
    let (_standins, daemon) = up(OUTAGE).await;
    let config = daemon.config();
    let offline = ["--config", config.to_str().unwrap()];
    let render = ["template", "render", "outage", "--medium", "sms", "--subject", "disk full", "--label", "team=db"];
    let by_daemon = daemon.ok(&render).await;
    let text = &by_daemon["texts"][0];
    assert_eq!(text["text"], "URGENT #417 db: disk full");
    assert_eq!((&text["characters"], &text["segments"], &text["encoding"]), (&json!(25), &json!(1), &json!("GSM-7")));
    assert_eq!(daemon.ok(&[&render[..], &offline].concat()).await, by_daemon);

    let listed = daemon.ok(&["template", "list"]).await;
    assert_eq!(each(&listed["templates"], "name"), ["deploy", "html", "outage"]);
    assert_eq!(listed["templates"][0]["vars"], json!(["service", "version"]));
    assert_eq!(listed["templates"][2]["used_by"], json!(["levels.high", "levels.urgent"]));
    assert_eq!(daemon.ok(&[&["template", "list"][..], &offline].concat()).await, listed);

    let resolved = ["template", "render", "outage", "--channel", "mail", "--kind", "resolved"];
    let mail = daemon.ok(&resolved).await;
    assert_eq!(mail["texts"][0]["subject"], "RESOLVED #417 after 12m | Twilio credentials refused", "{mail}");
    daemon.exits(3, &["template", "render", "outrage"]).await;
    for (field, more) in
        [("vars", ["--var", "x=y"]), ("channel", ["--channel", "nobody"]), ("medium", ["--medium", "fax"])]
    {
        for from in [&[][..], &offline] {
            let answer = daemon.exits(2, &[&["template", "render", "outage"], &more[..], from].concat()).await;
            assert_eq!(answer["error"]["field"], field, "{answer}");
        }
    }
    let said = daemon.ctl_text(&["template", "render", "deploy"]).await;
    assert!(said.out.contains("[service] [version] is out") && said.out.contains("1 segment (GSM-7)"), "{said:?}");
}
