//! Stand-ins, the daemon, and the command, as the demo needs them.

use crate::ear::{Ear, Sound};
use crate::standins::Standins;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The longest that any step of the story may take.
const LONGEST: Duration = Duration::from_secs(30);
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/etc/demo.toml");

pub struct Stage {
    dir: TempDir,
    pub standins: Standins,
    /// The second account, by which calls go.
    pub calls: Standins,
    pub ear: Ear,
    daemon: Child,
}

impl Stage {
    /// Everything up. `loud`: the daemon's log goes to our standard error, else to a file.
    pub async fn set(loud: bool) -> Result<Stage, String> {
        let dir = tempfile::Builder::new().prefix("stentor-demo-").tempdir().map_err(|e| e.to_string())?;
        let (standins, calls) = (Standins::start().await, Standins::start().await);
        let ear = Ear::find(dir.path(), &beside_us("stentor-player")).await;
        let log = match loud {
            true => Stdio::inherit(),
            false => File::create(dir.path().join("log")).map_err(|e| e.to_string())?.into(),
        };
        let stentord = beside_us("stentord");
        let daemon = Command::new(&stentord)
            .arg("--config")
            .arg(config(dir.path(), &ear.sound)?)
            .envs(environment(dir.path(), &standins, &calls))
            .envs(ear.variable())
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("{} cannot be started ({e}); `make` builds it", stentord.display()))?;
        let mut stage = Stage { dir, standins, calls, ear, daemon };
        stage.wait_until_ready().await?;
        Ok(stage)
    }

    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let ready = async {
            loop {
                if let Ok(Some(status)) = self.daemon.try_wait() {
                    return Err(format!("stentord ended at its start: {status}\n{}", self.end_of_log()));
                }
                if self.command(&["version"]).await.0 == 0 && self.json(&["status"]).await["ready"] == true {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LONGEST, ready).await.unwrap_or_else(|_| Err("stentord does not get ready".into()))
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }

    /// stentorctl: its exit code and what it printed.
    pub async fn command(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(beside_us("stentorctl"));
        command.args(arguments).env("STENTOR_SOCKET", self.socket()).stdin(Stdio::null());
        match command.output().await {
            Ok(output) => {
                let printed = [output.stdout, output.stderr].concat();
                (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&printed).into_owned())
            }
            Err(error) => (-1, error.to_string()),
        }
    }

    /// Its one JSON document; null when there is none.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let (_, printed) = self.command(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&printed).unwrap_or_default()
    }

    /// Waits for what has to come; the error names it.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T, String> {
        let looking = async {
            loop {
                match look().await {
                    Some(found) => return found,
                    None => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        tokio::time::timeout(LONGEST, looking).await.map_err(|_| what.to_owned())
    }

    pub async fn stop(&mut self) -> Result<(), String> {
        if let Some(pid) = self.daemon.id().and_then(|id| i32::try_from(id).ok()) {
            // Gone already, after Ctrl-C in a terminal.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        match tokio::time::timeout(LONGEST, self.daemon.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            other => Err(format!("stentord stops in order ({other:?})")),
        }
    }

    pub async fn ended(&mut self) {
        let _ = self.daemon.wait().await;
    }

    pub fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

/// etc/demo.toml as it is, but where nothing can be played a copy whose siren is simulated.
fn config(dir: &Path, sound: &Sound) -> Result<PathBuf, String> {
    if *sound != Sound::Simulated {
        return Ok(CONFIG.into());
    }
    let text = fs::read_to_string(CONFIG).map_err(|e| format!("{CONFIG}: {e}"))?;
    let copy = dir.join("demo.toml");
    let simulated = text.replace("[channels.siren]\n", "[channels.siren]\nsimulate = true\n");
    fs::write(&copy, simulated).map_err(|e| e.to_string())?;
    Ok(copy)
}

fn environment(dir: &Path, standins: &Standins, calls: &Standins) -> Vec<(&'static str, String)> {
    let a = standins.addresses();
    vec![
        ("STENTOR_DEMO_DIR", dir.display().to_string()),
        ("DEMO_SLACK", a.slack_webhook_url.clone()),
        ("DEMO_SMTP_PORT", a.smtp_plain_port.to_string()),
        ("DEMO_TWILIO", a.twilio.clone()),
        ("DEMO_TWILIO_SID", a.twilio_account_sid.into()),
        ("DEMO_TWILIO_TOKEN", a.twilio_auth_token.into()),
        ("DEMO_TWILIO_CALLS", calls.addresses().twilio.clone()),
    ]
}

/// A program of the same build: this one lies in its folder `examples`.
pub fn beside_us(name: &str) -> PathBuf {
    let us = std::env::current_exe().unwrap_or_default();
    us.parent().and_then(Path::parent).unwrap_or(Path::new("target/debug")).join(name)
}
