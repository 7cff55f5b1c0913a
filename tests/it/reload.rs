//! A changed config, in all the ways in which files change; and a broken one, which changes nothing.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let daemon = Home::new(&with_person("zero")).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

/// A config that is told from the others by one name.
fn with_person(name: &str) -> String {
    ways::and(&format!("{}\n[channels.{name}]\nkind = \"slack\"\nsimulate = true\n", ways::BY_HOOK))
}

async fn has_channel(daemon: &Daemon, name: &str) {
    eventually(&format!("{name} is in force"), async || {
        let channels = daemon.ok(&["channels", "list"]).await;
        each(&channels["channels"], "name").contains(&name.to_owned()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn f54_every_way_in_which_a_file_changes() {
    let (_standins, daemon) = up().await;
    let opened = daemon.ok(&["page", "--subject", "lives through it all", "--policy", "none"]).await;
    let hash = async || daemon.status().await["config"]["hash"].as_str().unwrap().to_owned();
    let mut hashes = vec![hash().await];
    let file = daemon.config();

    // As editors save: a new file, renamed over the old one.
    fs::write(daemon.path("etc/.stentor.toml.swp"), with_person("renamed")).unwrap();
    fs::rename(daemon.path("etc/.stentor.toml.swp"), &file).unwrap();
    has_channel(&daemon, "renamed").await;
    hashes.push(hash().await);

    // In place.
    daemon.write_config(&with_person("in-place"));
    has_channel(&daemon, "in-place").await;
    hashes.push(hash().await);

    // A link that is swapped, as configuration management and Kubernetes do.
    fs::create_dir(daemon.path("etc/one")).unwrap();
    fs::create_dir(daemon.path("etc/two")).unwrap();
    fs::write(daemon.path("etc/one/stentor.toml"), with_person("linked-one")).unwrap();
    fs::write(daemon.path("etc/two/stentor.toml"), with_person("linked-two")).unwrap();
    std::os::unix::fs::symlink("one", daemon.path("etc/data")).unwrap();
    std::os::unix::fs::symlink("data/stentor.toml", daemon.path("etc/link")).unwrap();
    fs::rename(daemon.path("etc/link"), &file).unwrap();
    has_channel(&daemon, "linked-one").await;
    std::os::unix::fs::symlink("two", daemon.path("etc/data.new")).unwrap();
    fs::rename(daemon.path("etc/data.new"), daemon.path("etc/data")).unwrap();
    has_channel(&daemon, "linked-two").await;
    hashes.push(hash().await);

    // Removed, and back.
    fs::remove_file(&file).unwrap();
    eventually("the missing file is noticed", async || {
        let status = daemon.status().await;
        (!status["config"]["last_error"].is_null()).then_some(())
    })
    .await;
    has_channel(&daemon, "linked-two").await;
    daemon.write_config(&with_person("back-again"));
    has_channel(&daemon, "back-again").await;
    hashes.push(hash().await);

    // A file in conf.d.
    fs::create_dir(daemon.path("etc/conf.d")).unwrap();
    fs::write(daemon.path("etc/conf.d/more.toml"), "[channels.from-conf-d]\nkind = \"slack\"\nsimulate = true\n")
        .unwrap();
    has_channel(&daemon, "from-conf-d").await;
    hashes.push(hash().await);

    let mut different = hashes.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), hashes.len(), "each config has its own hash: {hashes:?}");
    let incidents = daemon.ok(&["incidents", "show", &opened["number"].to_string()]).await;
    assert_eq!((&incidents["status"], &incidents["id"]), (&json!("open"), &opened["id"]));
}

#[tokio::test]
async fn on_request_by_command_and_by_signal() {
    let (_standins, mut daemon) = up().await;
    let same = daemon.ok(&["reload"]).await;
    assert_eq!((&same["ok"], same["errors"].as_array().unwrap().len()), (&json!(true), 0));

    let applied = daemon.ledger(&["config_applied"]).await.len();
    daemon.write_config(&with_person("asked-for"));
    let told = daemon.ok(&["reload"]).await;
    assert_eq!(told["ok"], true);
    has_channel(&daemon, "asked-for").await;
    let events = daemon.ledger(&["config_applied"]).await;
    assert_eq!(events.len(), applied + 1, "once, whoever was first to see it");
    let changed = events.last().unwrap()["changed"].to_string();
    assert!(changed.contains("asked-for") && changed.contains("zero"), "by name: {changed}");

    daemon.write_config(&with_person("by-signal"));
    daemon.signal(Signal::SIGHUP);
    has_channel(&daemon, "by-signal").await;
    assert!(daemon.is_running());
    let notices = daemon.notices();
    assert!(notices.iter().any(|n| n == "RELOADING=1"), "{notices:?}");
    assert!(notices.iter().any(|n| n.starts_with("MONOTONIC_USEC=")), "{notices:?}");
}

#[tokio::test]
async fn a_changed_secret_is_a_change_though_the_file_is_the_same() {
    let standins = Standins::start().await;
    let config = ways::and(ways::BY_HOOK).replace("${HOOK_TOKEN}", "${file:hook-token}");
    let home = Home::new(&config).envs(ways::environment(&standins));
    let credentials = home.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("hook-token"), "old-token\n").unwrap();
    let daemon = home.env("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap()).start().await;
    daemon.ok(&["send", "--subject", "x", "--wait"]).await;
    fs::write(credentials.join("hook-token"), "new-token\n").unwrap();
    daemon.ok(&["reload"]).await;
    daemon.ok(&["send", "--subject", "x", "--wait"]).await;
    let bearers: Vec<String> = standins.recorded("hook").iter().map(|r| r.headers["authorization"].clone()).collect();
    assert_eq!(bearers, ["Bearer old-token", "Bearer new-token"]);
}

#[tokio::test]
async fn f53_a_broken_edit_changes_nothing_and_is_said_everywhere() {
    let (_standins, daemon) = up().await;
    let good = daemon.read_config();
    let hash = daemon.status().await["config"]["hash"].clone();
    daemon.write_config(&good.replace("timezone = \"UTC\"", "timezone = \"Mars/Olympus\"\ncolour = 7"));

    let refused = eventually("the refusal is in the status", async || {
        let status = daemon.status().await;
        (!status["config"]["last_error"].is_null()).then_some(status)
    })
    .await;
    assert_eq!(refused["config"]["hash"], hash, "the one in force");
    assert_eq!(refused["state"], "degraded");
    let errors = refused["config"]["last_error"]["errors"].to_string();
    assert!(errors.contains("Mars/Olympus") && errors.contains("colour"), "all at once: {errors}");
    assert!(errors.contains("stentor.toml:4:"), "with their place: {errors}");

    let asked = daemon.exits(1, &["reload"]).await;
    assert_eq!(asked["ok"], false);
    let first = &asked["errors"][0];
    assert_eq!(first["line"], 4, "{asked}");
    assert!(first["file"].is_string() && first["column"].is_u64() && first["hint"].is_string(), "{asked}");

    let incidents = daemon.ok(&["incidents", "list"]).await;
    let rows = incidents["incidents"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "one, though it was refused twice: {incidents}");
    assert_eq!((&rows[0]["level"], &rows[0]["labels"]["source"]), (&json!("normal"), &json!("self")), "{incidents}");
    assert!(daemon.log().contains("Mars/Olympus"), "and the log has it");
    daemon.ok(&["send", "--subject", "the old one works", "--wait"]).await;

    daemon.write_config(&good);
    eventually("it is resolved by the fix", async || {
        let incidents = daemon.ok(&["incidents", "list"]).await;
        incidents["incidents"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    let status = daemon.status().await;
    assert_eq!((&status["state"], &status["config"]["last_error"]), (&json!("ok"), &Value::Null), "{status}");
}

#[tokio::test]
async fn x9_a_channel_is_written_tested_and_removed_over_the_api() {
    let standins = Standins::start().await;
    let config = with_person("zero");
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let set = |url: &str| {
        ["channels", "set", "pager", "kind=webhook", url, "slots=2", "retry={\"times\": 1}"].map(str::to_owned)
    };
    let ways = set("url=${HOOK_URL}");
    let words: Vec<&str> = ways.iter().map(String::as_str).collect();
    let refused = daemon.exits(5, &words).await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("channel_settings = true"), "{refused}");
    daemon.write_config(&format!("[access]\nchannel_settings = true\n{config}"));
    daemon.ok(&["reload"]).await;

    let written = daemon.ok(&words).await;
    assert_eq!((&written["ok"], &written["changed"]), (&json!(true), &json!(["channels.pager"])), "{written}");
    let file = daemon.path("etc/conf.d/channel-pager.toml");
    assert_eq!(written["file"], file.to_str().unwrap());
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let tested = daemon.ok(&["test", "pager"]).await;
    assert_eq!(tested["status"], "delivered", "{tested}");
    let shown = daemon.ctl_text(&["channels", "settings", "pager"]).await.out;
    assert!(shown.contains("[channels.pager]") && shown.contains("url = \"${HOOK_URL}\""), "{shown}");

    // What is wrong is refused as a whole, by its name, and nothing has changed.
    let before = fs::read(&file).unwrap();
    let wrong = daemon.exits(2, &["channels", "set", "pager", "kind=webhook", "url=nonsense", "slotz=2"]).await;
    assert_eq!((&wrong["error"]["code"], &wrong["error"]["field"]), (&json!("VALIDATION_ERROR"), &json!("settings")));
    assert!(wrong["error"]["reasons"].to_string().contains("slotz"), "{wrong}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(daemon.status().await["config"]["last_error"].is_null());
    // What is written elsewhere is not touched.
    let foreign = daemon.exits(2, &["channels", "set", "zero", "kind=slack", "simulate=true"]).await;
    assert_eq!(foreign["error"]["code"], "CONFLICT", "{foreign}");
    daemon.exits(2, &["channels", "remove", "zero"]).await;
    daemon.exits(3, &["channels", "remove", "nobody"]).await;
    let strange = daemon.exits(2, &["channels", "set", "..%2Fevil", "kind=slack", "simulate=true"]).await;
    assert!(strange["error"]["message"].as_str().unwrap().contains("cannot be a name"), "{strange}");

    // It is there after a restart, and goes when it is removed.
    daemon.kill().await;
    daemon.start().await;
    has_channel(&daemon, "pager").await;
    let gone = daemon.ok(&["channels", "remove", "pager"]).await;
    assert_eq!(gone["changed"], json!(["channels.pager"]), "{gone}");
    assert!(!file.exists());
    assert_eq!(fs::read_dir(daemon.path("etc/conf.d")).unwrap().count(), 0, "nothing is left beside");
}

/// The way out is broken and the only one: an operator gives it another in the config.
#[tokio::test]
async fn f55_what_waits_goes_by_the_fallback_that_is_added() {
    let standins = Standins::start().await;
    standins.revoke_twilio(true);
    let daemon = Home::new(&with_person("zero")).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["send", "--subject", "by sms", "--channel", "sms", "--to", "alice"]).await;
    eventually("it waits for its channel", async || {
        let all = daemon.ok(&["deliveries", "list", "--status", "waiting"]).await;
        (!all["deliveries"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;
    daemon.write_config(&with_person("zero").replace("[channels.sms]\n", "[channels.sms]\nfallback = \"mail\"\n"));
    assert_eq!(daemon.ok(&["reload"]).await["ok"], true);
    standins.wait_for("smtp", 1).await;
    eventually("it says so", async || {
        let gone = daemon.ok(&["deliveries", "list", "--channel", "mail"]).await;
        let gone = gone["deliveries"].as_array().unwrap().clone();
        (gone.len() == 1 && ["sent", "delivered"].contains(&gone[0]["status"].as_str()?)).then_some(())
    })
    .await;
}

/// And while it was down: nothing begins by the old config, which would call by what is mended now.
#[tokio::test]
async fn f55_what_waits_at_a_start_goes_by_the_config_that_is_there() {
    let standins = Standins::start().await;
    standins.revoke_twilio(true);
    let mut daemon = Home::new(&with_person("zero")).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["send", "--subject", "by sms", "--channel", "sms", "--to", "alice"]).await;
    eventually("it waits for its channel", async || {
        let all = daemon.ok(&["deliveries", "list", "--status", "waiting"]).await;
        (!all["deliveries"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;
    daemon.kill().await;
    daemon.write_config(&with_person("zero").replace("+15550099", "+15550098"));
    standins.revoke_twilio(false);
    daemon.start().await;
    let sent = standins.wait_for("twilio", 2).await;
    let from: Vec<bool> = sent.iter().map(|r| r.body.contains("15550098")).collect();
    assert_eq!(from.last(), Some(&true), "{sent:?}");
    assert_eq!(from.iter().filter(|new| **new).count(), 1, "once: {sent:?}");
}
