//! Limits, costs and budgets by the real programs, over a restart.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};

const LOW: &str = "[levels.low]\nchannels = [\"sms\"]\n";

/// With these limits of `sms`, and a fallback at Telnyx.
async fn up(limits: &str, more: &str) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let at = standins.addresses();
    let telnyx = format!(
        "[channels.sms-telnyx]\nkind = \"telnyx-sms\"\nbase_url = \"{}\"\napi_key = \"{}\"\nfrom = \"+15550098\"\n",
        at.telnyx, at.telnyx_api_key
    );
    let config = ways::and(&format!("{telnyx}\n{LOW}\n{more}"));
    let config = config.replacen("to          = [\"alice\"]", &format!("to = [\"alice\"]\n{limits}"), 1);
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

fn send<'a>(subject: &'a str, tenant: &'a str) -> [&'a str; 8] {
    ["send", "--subject", subject, "--tenant", tenant, "--channel", "sms", "--wait"]
}

#[tokio::test]
async fn over_the_limit_a_one_shot_is_refused_with_the_time_also_after_a_restart() {
    let (standins, mut daemon) = up("limits = { per_hour = 2 }", "").await;
    for _ in 0..2 {
        daemon.ok(&send("disk full", "acme")).await;
    }
    daemon.kill().await;
    daemon.start().await;
    let refused = daemon.exits(6, &send("disk full", "acme")).await;
    let error = &refused["error"];
    assert_eq!(error["code"], "RATE_LIMITED");
    let seconds = error["retry_after_seconds"].as_u64().unwrap();
    assert!((3_500..=3_600).contains(&seconds), "{error}");
    assert!(error["retry_at"].as_str().is_some_and(|at| at.contains('T')), "{error}");
    let said = daemon.ctl_text(&send("disk full", "acme")).await;
    assert!(said.code == 6 && said.err.contains("sending is possible again at"), "{said:?}");
    // Another tenant has room, and urgent its reserve.
    daemon.ok(&send("disk full", "other")).await;
    let urgent = ["send", "--level", "urgent", "--subject", "x", "--tenant", "acme", "--channel", "sms", "--wait"];
    daemon.ok(&urgent).await;
    assert_eq!(standins.recorded("twilio").iter().filter(|r| r.method == "POST").count(), 4);
    let entries = daemon.ok(&["ledger", "query", "--kind", "request_refused"]).await;
    assert_eq!(each(&entries["entries"], "code"), ["RATE_LIMITED", "RATE_LIMITED"]);
}

#[tokio::test]
async fn a_step_over_the_limit_goes_by_the_fallback_and_says_why() {
    let (standins, daemon) = up("limits = { per_hour = 1 }\nfallback = \"sms-telnyx\"", "").await;
    for _ in 0..2 {
        daemon.ok(&["page", "--level", "high", "--subject", "disk full", "--channel", "sms", "--policy", "none"]).await;
    }
    standins.wait_for("telnyx", 1).await;
    let deliveries = eventually("both are sent", async || {
        let all = daemon.ok(&["deliveries", "list"]).await;
        let all = all["deliveries"].as_array().unwrap().clone();
        all.iter().all(|d| d["status"] == "sent" || d["status"] == "submitted").then_some(all)
    })
    .await;
    let by = |d: &Value| d["via"].as_str().unwrap().to_owned();
    let newest = deliveries.iter().find(|d| by(d) == "sms-telnyx").unwrap();
    let explained = daemon.ok(&["explain", newest["id"].as_str().unwrap()]).await;
    let because = each(&explained["steps"], "because").join("; ");
    assert!(because.contains("RATE_LIMITED: the limit of 1 messages an hour by sms is reached"), "{because}");
}

#[tokio::test]
async fn what_is_sent_costs_its_parts_and_is_summed() {
    let (_standins, daemon) = up("cost_per_segment = \"0.0083\"\nfallback = \"sms-telnyx\"", "").await;
    let sent = daemon.ok(&send("disk full", "acme")).await;
    let first = &sent["deliveries"][0];
    assert_eq!(json!([first["cost"], first["currency"], first["segments"]]), json!(["0.0083", "USD", 1]), "{first}");
    let long = "ж".repeat(100);
    let sent = daemon.ok(&send(&long, "other")).await;
    assert_eq!(sent["deliveries"][0]["segments"], 2, "{sent}");
    assert_eq!(sent["warnings"], json!(["sms sends it in 2 segments"]));
    // The provider's own price, in its answer.
    let by_telnyx = ["send", "--subject", "x", "--channel", "sms-telnyx", "--to", "+15550042", "--wait"];
    let sent = daemon.ok(&by_telnyx).await;
    assert_eq!(
        (&sent["deliveries"][0]["cost"], &sent["deliveries"][0]["charges"][0]["reported"]),
        (&json!("0.005"), &json!(true))
    );
    let stats = daemon.ok(&["ledger", "stats", "--by", "tenant", "--by", "provider"]).await;
    assert_eq!(stats["cost"], json!({ "USD": "0.0299" }), "{stats}");
    assert_eq!(
        stats["costs"],
        json!([
            { "tenant": null, "provider": "telnyx", "messages": 1, "segments": 1, "cost": { "USD": "0.005" } },
            { "tenant": "acme", "provider": "twilio", "messages": 1, "segments": 1, "cost": { "USD": "0.0083" } },
            { "tenant": "other", "provider": "twilio", "messages": 1, "segments": 2, "cost": { "USD": "0.0166" } },
        ])
    );
    let text = daemon.ctl_text(&["ledger", "stats", "--by", "day"]).await;
    assert!(text.code == 0 && text.out.contains("0.0299 USD") && text.out.contains("SEGMENTS"), "{text:?}");
    let shown = daemon.ctl_text(&["deliveries", "show", first["id"].as_str().unwrap()]).await;
    assert!(shown.out.contains("0.0083 USD (by the config)"), "{shown:?}");
}

#[tokio::test]
async fn a_budget_refuses_all_but_urgent() {
    let budget = "[budgets.acme]\nper_day = \"0.015\"\n[levels.normal]\nchannels = [\"hook\"]\n";
    let (_standins, daemon) = up("", budget).await;
    daemon.ok(&send("one", "acme")).await;
    daemon.ok(&send("two", "acme")).await;
    let refused = daemon.exits(6, &send("three", "acme")).await;
    let message = refused["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("the budget of 0.015 USD a day of tenant acme is spent"), "{message}");
    let incidents = daemon.ok(&["incidents", "list"]).await;
    assert_eq!(
        each(&incidents["incidents"], "subject"),
        ["100 % of the budget of 0.015 USD a day of tenant acme is spent"]
    );
    assert_eq!(each(&incidents["incidents"], "level"), ["normal"]);
    let urgent = ["send", "--level", "urgent", "--subject", "x", "--tenant", "acme", "--channel", "sms", "--wait"];
    daemon.ok(&urgent).await;
}

#[tokio::test]
async fn a_text_is_counted_and_priced_without_a_daemon() {
    let home = Home::new(
        "[channels.sms]\nkind = \"twilio-sms\"\nto = [\"+15550100\"]\ncost_per_segment = \"0.0083\"\ntransliterate = true\n[levels.low]\nchannels = [\"sms\"]\n",
    );
    let file = home.config();
    let count = home.ok(&["sms", "count", "--config", file.to_str().unwrap(), &"ž".repeat(80)]).await;
    assert_eq!(
        (&count["characters"], &count["encoding"], &count["segments"]),
        (&json!(80), &json!("UCS-2"), &json!(2))
    );
    let row = |provider: &str, channel: Value| {
        let rows = count["costs"].as_array().unwrap();
        rows.iter()
            .find(|r| r["provider"] == provider && r["channel"] == channel)
            .unwrap_or_else(|| panic!("{count}"))
            .clone()
    };
    assert_eq!(row("twilio-sms", Value::Null)["cost"], "0.015");
    assert_eq!(row("telnyx-sms", Value::Null)["cost"], "0.008");
    assert_eq!(row("twilio", json!("sms"))["cost"], "0.0083", "in GSM letters it is one part");
    let said = home.ctl_text(&["sms", "count", "short"]).await;
    assert!(said.code == 0 && said.out.starts_with("5 characters, 5 GSM-7 units, 1 segment\n"), "{said:?}");
}

#[tokio::test]
async fn numbers_are_read_as_people_write_them() {
    let (standins, daemon) = up("", "").await;
    let config = daemon.read_config().replace("name     = \"prague-1\"", "name = \"prague-1\"\nregion = \"CZ\"");
    daemon.write_config(&config);
    daemon.ok(&["reload"]).await;
    for to in ["601 123 456", "tel:+420601123457", "00420 601 123 458", "+420 (0)601 123 459"] {
        daemon.ok(&["send", "--subject", "x", "--channel", "sms", "--to", to, "--wait"]).await;
    }
    let got = standins.recorded("twilio");
    let to: Vec<&str> = got.iter().filter(|r| r.method == "POST").map(|r| r.form["To"].as_str()).collect();
    assert_eq!(to, ["+420601123456", "+420601123457", "+420601123458", "+420601123459"]);
    let said = daemon.ctl_text(&["deliveries", "list"]).await;
    assert!(said.out.contains("+420 601 123 456"), "{said:?}");
    let longest = "x".repeat(1601);
    let refused = daemon.exits(2, &["send", "--subject", "x", "--body", &longest, "--channel", "sms"]).await;
    assert_eq!((&refused["error"]["code"], &refused["error"]["field"]), (&json!("VALIDATION_ERROR"), &json!("body")));
}
