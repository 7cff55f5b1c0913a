//! One stentord of ours, in a directory of its own.

use super::alerts::Taker;
use super::sink::Sink;
use super::{Failed, proc, users};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(30);
/// The most callers that are measured.
const CALLERS: usize = 512;

/// Where the programs are, and where files may go.
pub struct Place {
    pub stentord: PathBuf,
    pub stentorctl: PathBuf,
    dir: PathBuf,
    /// What stentord runs under, with its arguments.
    under: Vec<String>,
}

impl Place {
    pub fn find(bins: Option<PathBuf>, dir: &Path) -> Result<Place, Failed> {
        let us = std::env::current_exe()?;
        let dirs = bins.map_or_else(|| us.ancestors().skip(1).take(2).map(Path::to_owned).collect(), |dir| vec![dir]);
        let bin = |name: &str| {
            let found = dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file());
            found.ok_or_else(|| format!("there is no {name} in {}; name its directory with --bins", dirs[0].display()))
        };
        Ok(Place { stentord: bin("stentord")?, stentorctl: bin("stentorctl")?, dir: dir.to_owned(), under: Vec::new() })
    }

    /// The same, with stentord run by another program.
    pub fn under(&self, words: Vec<String>) -> Place {
        let (stentord, stentorctl) = (self.stentord.clone(), self.stentorctl.clone());
        Place { stentord, stentorctl, dir: self.dir.clone(), under: words }
    }

    /// A directory that others can look into, for callers of other users.
    pub fn directory(&self) -> Result<TempDir, Failed> {
        let dir = tempfile::Builder::new().prefix("stentor-load-").tempdir_in(&self.dir)?;
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        Ok(dir)
    }
}

/// Running; killed when this is dropped.
pub struct Daemon {
    child: Child,
    pid: u32,
    pub socket: PathBuf,
    /// Of its HTTP listener.
    pub address: SocketAddr,
    /// From its start to READY=1.
    pub took: Duration,
    dir: TempDir,
}

impl Daemon {
    /// With an empty ledger and one webhook channel to the sink.
    pub async fn start(place: &Place, sink: &Sink, slots: Option<usize>) -> Result<Daemon, Failed> {
        let url = sink.url();
        Daemon::with_channel(place, &format!("kind = \"webhook\"\nurl = \"{url}\"\n{}", slots_line(slots))).await
    }

    /// With an empty ledger and one channel of these settings.
    pub async fn with_channel(place: &Place, settings: &str) -> Result<Daemon, Failed> {
        let dir = place.directory()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(dir.path().join("stentor.toml"), config(settings, address))?;
        Daemon::run(place, dir, address).await
    }

    /// Stopped, and started with the ledger that it leaves.
    pub async fn again(mut self, place: &Place) -> Result<Daemon, Failed> {
        self.end().await?;
        Daemon::run(place, self.dir, self.address).await
    }

    async fn run(place: &Place, dir: TempDir, address: SocketAddr) -> Result<Daemon, Failed> {
        let at = |name: &str| dir.path().join(name);
        let _ = std::fs::remove_file(at("notify"));
        // Not beside the config, whose directory is watched.
        std::fs::create_dir_all(at("logs"))?;
        let notify = UnixDatagram::bind(at("notify"))?;
        let began = Instant::now();
        let mut words = place.under.iter().map(OsStr::new).chain([place.stentord.as_os_str()]);
        let mut child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .arg("--config")
            .arg(at("stentor.toml"))
            .arg("--state-dir")
            .arg(at("state"))
            .arg("--socket")
            .arg(at("control.sock"))
            .env("NOTIFY_SOCKET", at("notify"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(at("logs/stentord"))?)
            .kill_on_drop(true)
            .spawn()?;
        let ready = tokio::select! {
            ready = timeout(PATIENCE, ready(&notify)) => ready.is_ok(),
            _ = child.wait() => false,
        };
        let took = began.elapsed();
        if !ready {
            return Err(format!("stentord did not start: {}", std::fs::read_to_string(at("logs/stentord"))?).into());
        }
        let pid = child.id().ok_or("stentord has ended")?;
        Ok(Daemon { child, pid, socket: at("control.sock"), address, took, dir })
    }

    /// In order, as systemd does it.
    pub async fn stop(mut self) -> Result<(), Failed> {
        self.end().await
    }

    /// At once.
    pub async fn kill(mut self) -> Result<(), Failed> {
        Ok(self.child.kill().await?)
    }

    async fn end(&mut self) -> Result<(), Failed> {
        kill(Pid::from_raw(self.pid.try_into()?), Signal::SIGTERM)?;
        let status = timeout(PATIENCE, self.child.wait()).await??;
        if status.success() { Ok(()) } else { Err(format!("stentord ended with {status}").into()) }
    }

    /// As one who takes alerts.
    pub fn taker(&self) -> Taker {
        Taker { address: self.address, pid: self.pid }
    }

    pub fn memory_kib(&self) -> Result<u64, Failed> {
        proc::memory_kib(&self.pid.to_string())
    }

    pub fn cpu(&self) -> Result<Duration, Failed> {
        proc::cpu(&self.pid.to_string())
    }

    pub fn wakes(&self) -> Result<u64, Failed> {
        proc::wakes(&self.pid.to_string())
    }

    /// Bytes in its state directory, as `du` counts them.
    pub fn disk(&self) -> Result<u64, Failed> {
        use std::os::unix::fs::MetadataExt;
        let mut sum = 0;
        let mut dirs = vec![self.dir.path().join("state")];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir)? {
                let metadata = entry.as_ref().map_err(|e| e.to_string())?.metadata()?;
                match metadata.is_dir() {
                    true => dirs.push(entry?.path()),
                    false => sum += metadata.blocks() * 512,
                }
            }
        }
        Ok(sum)
    }
}

async fn ready(notify: &UnixDatagram) {
    let mut buffer = [0; 4096];
    while let Ok(n) = notify.recv(&mut buffer).await {
        if String::from_utf8_lossy(&buffer[..n]).lines().any(|line| line == "READY=1") {
            return;
        }
    }
}

/// For a channel's settings; nothing for what it has by itself.
pub fn slots_line(slots: Option<usize>) -> String {
    slots.map_or_else(String::new, |n| format!("slots = {n}"))
}

/// Nothing but what is measured. The heartbeat is far off: its scheduler's tick is part of being idle.
fn config(channel: &str, listen: SocketAddr) -> String {
    let operators: Vec<String> = users::for_connections(CALLERS).into_iter().map(|user| user.name).collect();
    format!(
        r#"
[daemon]
name = "load"
timezone = "UTC"
[http]
listen = "{listen}"
[access]
operator = {operators:?}
[channels.hook]
{channel}
[levels.normal]
channels = ["hook"]
[heartbeats.hook]
probe = "hook"
cron = "0 0 3 1 1 *"
[watches.high-failure-rate]
enabled = false
[watches.queue-overflow]
enabled = false
[watches.low-processing-rate]
enabled = false
"#
    )
}
