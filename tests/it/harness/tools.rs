//! What the machine may have or lack: strace, libfaketime, namespaces. `packaging/setup.sh --tools`
//! installs what can be; where something is missing a story says that it is skipped.

use super::skip;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Whether the machine has a command; if not, says what is skipped without it.
pub fn has(tool: &str, story: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(tool).is_file());
    if !found {
        skip(story, &format!("there is no {tool} here"));
    }
    found
}

/// strace at a running process, which makes some of its system calls fail or dawdle.
pub struct Tracer {
    child: Child,
}

impl Tracer {
    /// `what` as in `strace -e inject=WHAT`, of these calls. `None`: not possible here, which is said.
    pub async fn on(pid: Pid, what: &str, story: &str) -> Option<Tracer> {
        if !has("strace", story) {
            return None;
        }
        let calls = what.split(':').next().unwrap_or_default();
        let mut child = Command::new("strace")
            .args(["-f", "-e", &format!("trace={calls}"), "-e", &format!("inject={what}"), "-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut words = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Ok(Some(line)) = words.next_line().await {
            if line.contains("attached") {
                // Somebody has to go on reading.
                tokio::spawn(async move { while let Ok(Some(_)) = words.next_line().await {} });
                return Some(Tracer { child });
            }
            if line.contains("not permitted") {
                break;
            }
        }
        skip(story, "strace may not attach here");
        None
    }

    /// Lets go of it: from now on its calls do what they say.
    pub async fn off(mut self) {
        let pid = self.child.id().unwrap();
        kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGINT).unwrap();
        self.child.wait().await.unwrap();
    }
}

/// A mount namespace of the test's own, kept by a child of the test.
pub struct Mounts {
    keeper: Child,
    user: bool,
}

impl Mounts {
    /// With a small disk (tmpfs) at `at`, which must exist. `None`: not permitted here, which is said.
    pub async fn with_disk(at: &Path, size: &str, story: &str) -> Option<Mounts> {
        let user = !nix::unistd::geteuid().is_root();
        let script = format!("mount -t tmpfs -o mode=0700,size={size} tmpfs '{}' && echo up && exec cat", at.display());
        let mut keeper = Command::new("unshare")
            .args(if user { &["-rm"][..] } else { &["-m"][..] })
            .args(["--propagation", "private", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut words = BufReader::new(keeper.stdout.take().unwrap()).lines();
        if words.next_line().await.ok().flatten().as_deref() != Some("up") {
            skip(story, "a mount namespace of its own is not permitted here");
            return None;
        }
        Some(Mounts { keeper, user })
    }

    /// What starts a command in there.
    pub fn starter(&self) -> Vec<String> {
        let pid = self.keeper.id().unwrap().to_string();
        let mut words = vec!["nsenter".to_owned(), "-t".to_owned(), pid, "-m".to_owned()];
        if self.user {
            words.extend(["-U".to_owned(), "--preserve-credentials".to_owned()]);
        }
        words
    }

    /// Runs a shell command in there; whether it went well.
    pub async fn shell(&self, script: &str) -> bool {
        let starter = self.starter();
        let mut command = Command::new(&starter[0]);
        command.args(&starter[1..]).args(["sh", "-c", script]).stdin(Stdio::null()).stderr(Stdio::null());
        command.status().await.unwrap().success()
    }
}

/// libfaketime's library, if it is here.
pub fn libfaketime(story: &str) -> Option<PathBuf> {
    let places = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let found = places.map(|dir| dir.join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
    if found.is_none() {
        skip(story, "there is no libfaketime here");
    }
    found
}
