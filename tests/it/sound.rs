//! Sound through the daemon: an alarm that is heard until it is acknowledged, and a room without a
//! device.

use crate::harness::ways;
use crate::harness::{Daemon, Home, eventually, skip};
use crate::standins::Standins;
use nix::sys::stat::Mode;
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SIREN: &str = r#"
[channels.siren]
kind   = "sound"
tone   = "siren"
repeat = "until-acknowledged"
max    = "5m"

[levels.low]
channels = ["hook"]

[levels.urgent]
channels = ["siren", "hook"]

[heartbeats.sound]
probe = "siren"
every = "1d"
"#;

pub const FRAMES_A_SECOND: usize = 48_000;

/// What a device of ALSA's file plugin was given: a pipe, emptied at the pace of a real device.
pub struct Ear {
    pub config: PathBuf,
    heard: Arc<Mutex<Vec<i16>>>,
}

impl Ear {
    pub fn in_folder(home: &Home) -> Ear {
        let (pipe, config) = (home.path("pcm"), home.path("alsa.conf"));
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let text = format!(
            "</usr/share/alsa/alsa.conf>\n\
             pcm.!default {{ type plug slave {{ pcm \"rec\" rate 48000 channels 2 format S16_LE }} }}\n\
             pcm.rec {{ type file slave.pcm {{ type null }} file \"{}\" format \"raw\" }}\n",
            pipe.display()
        );
        std::fs::write(&config, text).unwrap();
        let heard = Arc::<Mutex<Vec<i16>>>::default();
        let kept = heard.clone();
        std::thread::spawn(move || {
            while let Ok(mut open) = std::fs::File::open(&pipe) {
                let mut chunk = [0; 9_600];
                while open.read_exact(&mut chunk).is_ok() {
                    let left = chunk.chunks_exact(4).map(|frame| i16::from_le_bytes([frame[0], frame[1]]));
                    kept.lock().unwrap().extend(left);
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        });
        Ear { config, heard }
    }

    pub fn samples(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// Samples after this one that can be heard.
    pub fn loud_after(&self, from: usize) -> usize {
        self.heard.lock().unwrap().iter().skip(from).filter(|s| s.unsigned_abs() > 300).count()
    }
}

/// Without ALSA's own files, or without sound in the player, there is nothing to hear.
pub async fn can_sound() -> bool {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sound/fixtures/500hz.wav");
    let mut player = tokio::process::Command::new(env!("CARGO_BIN_EXE_stentor-player"));
    let checked = player.args(["--check", fixture]).output().await.is_ok_and(|o| o.status.success());
    let can = checked && std::path::Path::new("/usr/share/alsa/alsa.conf").exists();
    if !can {
        skip("sound through the daemon", "there is no ALSA here, or the player was built without");
    }
    can
}

async fn up() -> (Standins, Daemon, Ear) {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(SIREN)).envs(ways::environment(&standins));
    let ear = Ear::in_folder(&home);
    let config = ear.config.to_str().unwrap().to_owned();
    (standins, home.env("ALSA_CONFIG_PATH", config).start().await, ear)
}

#[tokio::test]
async fn f62_an_urgent_alarm_sounds_until_it_is_acknowledged_also_across_a_kill() {
    if !can_sound().await {
        return;
    }
    let (_standins, mut daemon, ear) = up().await;
    let opened = daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    eventually("it is heard", async || (ear.loud_after(0) > FRAMES_A_SECOND / 2).then_some(())).await;
    let delivered = daemon.ok(&["deliveries", "list", "--channel", "siren"]).await;
    assert_eq!(delivered["deliveries"][0]["status"], "delivered", "with its first samples: {delivered}");

    daemon.kill().await;
    daemon.start().await;
    let before = ear.samples();
    eventually("it sounds again after the kill", async || (ear.loud_after(before) > FRAMES_A_SECOND / 2).then_some(()))
        .await;

    daemon.ok(&["ack", &opened["number"].to_string()]).await;
    let acknowledged = ear.samples();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    // At the device's own pace: what sounds later than a second of samples is too late.
    assert_eq!(ear.loud_after(acknowledged + FRAMES_A_SECOND), 0, "silent within a second");
}

#[tokio::test]
async fn stop_silences_but_acknowledges_nothing() {
    if !can_sound().await {
        return;
    }
    let (_standins, daemon, ear) = up().await;
    let opened = daemon.ok(&["page", "--subject", "too loud"]).await;
    eventually("it is heard", async || (ear.loud_after(0) > FRAMES_A_SECOND / 4).then_some(())).await;
    let stopped = daemon.ok(&["sound", "stop"]).await;
    assert_eq!(stopped["stopped"], json!(["siren"]), "{stopped}");
    assert_eq!(stopped["incidents"][0]["number"], opened["number"], "still open: {stopped}");
    let shown = daemon.ok(&["incidents", "show", "1"]).await;
    assert_eq!(shown["status"], "open");
    let at = ear.samples();
    tokio::time::sleep(Duration::from_millis(2_000)).await;
    assert_eq!(ear.loud_after(at + FRAMES_A_SECOND), 0);
}

#[tokio::test]
async fn f59_without_a_device_the_delivery_fails_the_probe_says_so_and_nothing_is_noisy() {
    let standins = Standins::start().await;
    let config = ways::and(SIREN).replace("tone   = \"siren\"", "tone = \"siren\"\ndevice = \"no-such-device\"");
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["page", "--subject", "nobody hears it"]).await;
    standins.wait_for("hook", 1).await;
    let failed = eventually("the siren fails", async || {
        let listed = daemon.ok(&["deliveries", "list", "--channel", "siren"]).await;
        let first = listed["deliveries"][0]["attempts"][0].clone();
        first["class"].is_string().then_some(first)
    })
    .await;
    assert_eq!(failed["class"], json!("PROVIDER_ERROR"), "{failed}");
    let probe = daemon.ctl(&["heartbeats", "run", "sound"]).await;
    assert_eq!(probe.code, 1, "{probe:?}");
    assert!(probe.json()["detail"].as_str().unwrap().contains("no-such-device"), "{probe:?}");
    assert!(daemon.is_running());
    // The log may quote the player's last words; a line of the library's own would be noise.
    let noise: Vec<String> =
        daemon.log().lines().filter(|line| line.starts_with("ALSA lib")).map(str::to_owned).collect();
    assert!(noise.is_empty(), "{noise:?}");
}
