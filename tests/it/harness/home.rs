//! Where one daemon lives: its config, its state, its socket, its environment and its log.

use super::daemon::Daemon;
use super::notices::Notices;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

pub const STENTORD: &str = env!("CARGO_BIN_EXE_stentord");

pub struct Home {
    dir: TempDir,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    /// A command before stentord's own, and its arguments.
    starter: Vec<String>,
}

impl Home {
    /// A new, empty place with this config; whatever the daemon is to see of the environment is
    /// given by [`Home::env`].
    pub fn new(config: &str) -> Home {
        let dir = tempfile::Builder::new().prefix("st-").tempdir().unwrap();
        // Other unix users come to the socket, too.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let home = Home { dir, environment: Vec::new(), arguments: Vec::new(), starter: Vec::new() };
        fs::create_dir(home.path("etc")).unwrap();
        home.write_config(config);
        home
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Home {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn envs(mut self, more: impl IntoIterator<Item = (String, String)>) -> Home {
        self.environment.extend(more);
        self
    }

    /// A further argument for stentord.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Home {
        self.arguments.push(argument.to_owned());
        self
    }

    /// This command starts stentord, whose path and arguments follow; it must become it (`exec`).
    #[must_use]
    pub fn started_by(mut self, command: &[&str]) -> Home {
        self.starter = command.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("etc/stentor.toml")
    }

    pub fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    pub fn socket(&self) -> PathBuf {
        self.path("ctl.sock")
    }

    pub fn write_config(&self, text: &str) {
        fs::write(self.config(), text).unwrap();
    }

    pub fn read_config(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    /// Everything that every daemon here has written to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// stentord with this config, state directory and socket, and nothing of our environment.
    pub fn stentord(&self) -> Command {
        let mut command = match self.starter.as_slice() {
            [] => Command::new(STENTORD),
            [starter, arguments @ ..] => {
                let mut command = Command::new(starter);
                command.args(arguments).arg(STENTORD);
                command
            }
        };
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("RUST_BACKTRACE", "1");
        command.env("NOTIFY_SOCKET", self.path("notify"));
        command.arg("--config").arg(self.config()).arg("--state-dir").arg(self.state_dir());
        command.arg("--socket").arg(self.socket()).args(&self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(self.open_log()).kill_on_drop(true);
        command
    }

    fn open_log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap()
    }

    /// Ready to be started.
    pub fn down(self) -> Daemon {
        let notices = Notices::on(&self.path("notify"));
        Daemon::new(self, notices)
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn start(self) -> Daemon {
        let mut daemon = self.down();
        daemon.start().await;
        daemon
    }

    /// Runs it to its end: its exit code, and what it wrote.
    pub async fn ends(&self) -> (i32, String) {
        self.ends_with(&[]).await
    }

    /// With further arguments.
    pub async fn ends_with(&self, arguments: &[&str]) -> (i32, String) {
        let child = self.stentord().args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let output = tokio::time::timeout(super::LONGEST, child.wait_with_output()).await;
        let output = output.expect("stentord did not end by itself").unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Every file under a folder.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files_under(&path)),
            path => found.push(path),
        }
    }
    found
}
