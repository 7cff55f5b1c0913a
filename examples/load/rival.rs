//! Debian's prometheus-alertmanager as it is compared with: one group for each alert, sent at once, to the same sink.

use super::Failed;
use super::alerts::Taker;
use super::daemon::Place;
use super::sink::Sink;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);

/// Running; killed when this is dropped.
pub struct Alertmanager {
    child: Child,
    pid: u32,
    address: SocketAddr,
    _dir: TempDir,
}

impl Alertmanager {
    pub async fn start(program: &Path, place: &Place, sink: &Sink) -> Result<Alertmanager, Failed> {
        let dir = place.directory()?;
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("alertmanager.yml"), config(&sink.url()))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut child = Command::new(program)
            .arg(format!("--config.file={}", at("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", at("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--cluster.listen-address=", "--log.level=error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(at("log"))?)
            .kill_on_drop(true)
            .spawn()?;
        let began = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if began.elapsed() > PATIENCE || child.try_wait()?.is_some() {
                return Err(format!("alertmanager did not start: {}", std::fs::read_to_string(at("log"))?).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        let pid = child.id().ok_or("alertmanager has ended")?;
        Ok(Alertmanager { child, pid, address, _dir: dir })
    }

    /// As one who takes alerts.
    pub fn taker(&self) -> Taker {
        Taker { address: self.address, pid: self.pid }
    }

    pub async fn stop(mut self) -> Result<(), Failed> {
        Ok(self.child.kill().await?)
    }
}

fn config(url: &str) -> String {
    format!(
        "route:\n  receiver: sink\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 5m\n  repeat_interval: 4h\n\
         receivers:\n- name: sink\n  webhook_configs:\n  - url: {url}\n    send_resolved: false\n"
    )
}
