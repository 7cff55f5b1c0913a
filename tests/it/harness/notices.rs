//! What systemd would be told: the receiving end of `NOTIFY_SOCKET`.

use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::net::UnixDatagram;
use tokio::task::JoinHandle;

pub struct Notices {
    lines: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Notices {
    pub fn on(path: &Path) -> Notices {
        let socket = UnixDatagram::bind(path).unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let kept = lines.clone();
        let task = tokio::spawn(async move {
            let mut message = [0; 4_096];
            while let Ok(length) = socket.recv(&mut message).await {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                kept.lock().unwrap().extend(text.lines().map(str::to_owned));
            }
        });
        Notices { lines, task }
    }

    /// In order; `READY=1`, `STATUS=...`.
    pub fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn count(&self, line: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|l| *l == line).count()
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.task.abort();
    }
}
