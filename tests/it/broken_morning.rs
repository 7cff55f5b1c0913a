//! A daemon that is started with a broken file: with the last accepted config if there is one, else
//! not at all.

use crate::harness::ways;
use crate::harness::{Home, each, eventually};
use crate::standins::Standins;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn it_starts_with_the_kept_one_says_so_and_recovers_with_the_file() {
    let standins = Standins::start().await;
    let mut daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    let good = daemon.read_config();
    let hash = daemon.status().await["config"]["hash"].clone();
    assert_eq!(daemon.stop().await, 0);

    daemon.write_config("[daemon\nname = ");
    daemon.start().await;
    let status = daemon.status().await;
    assert_eq!(status["state"], "degraded");
    assert_eq!(status["config"]["hash"], hash);
    assert!(status["config"]["last_error"]["errors"].to_string().contains("stentor.toml:1:"), "{status}");
    let incidents = daemon.ok(&["incidents", "list"]).await;
    assert_eq!(each(&incidents["incidents"], "level"), ["normal"], "{incidents}");
    let sent = daemon.ok(&["send", "--subject", "it alarms all the same", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");

    daemon.write_config(&good);
    eventually("the file is taken again", async || (daemon.status().await["state"] == "ok").then_some(())).await;
    let mode = fs::metadata(daemon.state_dir()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "nobody else looks into the state");
}

/// What a power cut or a full disk left of it says nothing of what is wanted.
#[tokio::test]
async fn f53_an_empty_file_at_the_start_is_refused_and_the_kept_one_stays() {
    let standins = Standins::start().await;
    let mut daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    let hash = daemon.status().await["config"]["hash"].clone();
    daemon.kill().await;
    daemon.write_config("\n");
    for _ in 0..2 {
        daemon.start().await;
        let status = daemon.status().await;
        assert_eq!(status["config"]["hash"], hash, "{status}");
        assert!(status["config"]["last_error"]["errors"].to_string().contains("the file is empty"), "{status}");
        let sent = daemon.ok(&["send", "--subject", "it alarms all the same", "--wait"]).await;
        assert_eq!(sent["status"], "delivered");
        daemon.kill().await;
    }
}

#[tokio::test]
async fn without_a_kept_one_it_names_every_error_and_exits_78() {
    let home = Home::new("[daemon]\ncolour = 7\n[levels.low]\nchannels = [\"smoke\"]\n");
    let (code, words) = home.ends().await;
    assert_eq!(code, 78, "{words}");
    assert!(words.contains("stentor.toml:2:1") && words.contains("colour"), "{words}");
    assert!(words.contains("stentor.toml:4:") && words.contains("smoke"), "{words}");

    fs::remove_file(home.config()).unwrap();
    let (code, words) = home.ends().await;
    assert_eq!(code, 78, "{words}");
    assert!(words.contains("stentor.toml"), "{words}");
}

#[tokio::test]
async fn wrong_arguments_are_usage() {
    let home = Home::new("").arg("--colour");
    let (code, words) = home.ends().await;
    assert_eq!(code, 2, "{words}");
    assert!(words.contains("--colour"), "{words}");
}

#[tokio::test]
async fn f20_with_an_unusable_state_directory_it_exits_75() {
    let home = Home::new(ways::BY_HOOK.replace("hook", "chat").as_str());
    home.write_config("[channels.chat]\nkind = \"slack\"\nsimulate = true\n[levels.low]\nchannels = [\"chat\"]\n");
    fs::write(home.state_dir(), "a file, where a directory should be").unwrap();
    let (code, words) = home.ends().await;
    assert_eq!(code, 75, "{words}");
    assert!(words.contains("state"), "{words}");
}

#[tokio::test]
async fn without_network_sound_or_any_provider_it_is_up_all_the_same() {
    let config = r#"
        [channels.hook]
        kind = "webhook"
        url = "http://127.0.0.1:9/nobody-listens"
        [channels.mail]
        kind = "smtp"
        host = "mail.invalid"
        port = 25
        tls = "starttls"
        from = "a@example.org"
        to = ["b@example.org"]
        [channels.siren]
        kind = "sound"
        device = "no-such-device"
        [levels.low]
        channels = ["hook", "mail", "siren"]
    "#;
    let daemon = Home::new(config).start().await;
    let sent = daemon.exits(6, &["send", "--subject", "nobody hears", "--wait=2s"]).await;
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), 3, "{sent}");
    let status = daemon.ctl(&["status"]).await.json();
    assert_eq!(status["ready"], true, "{status}");
}
