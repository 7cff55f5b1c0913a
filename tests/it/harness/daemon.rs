//! One running stentord.

use super::home::Home;
use super::notices::Notices;
use super::{LONGEST, eventually};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ops::Deref;
use std::process::ExitStatus;
use tokio::process::Child;
use tokio::time::timeout;

pub struct Daemon {
    home: Home,
    notices: Notices,
    child: Option<Child>,
    /// How often its predecessors were ready.
    ready_before: usize,
}

impl Deref for Daemon {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Daemon {
    pub fn new(home: Home, notices: Notices) -> Daemon {
        Daemon { home, notices, child: None, ready_before: 0 }
    }

    /// Starts it, again where it was ended, and waits for its READY.
    pub async fn start(&mut self) {
        self.spawn(&[]);
        self.until_ready().await;
    }

    /// Starts it with this much more of environment, and waits for nothing.
    pub fn spawn(&mut self, more: &[(&str, &str)]) {
        self.ready_before = self.notices.count("READY=1");
        self.child = Some(self.home.stentord().envs(more.iter().copied()).spawn().unwrap());
    }

    /// Whether this life has said so.
    pub fn is_ready(&self) -> bool {
        self.notices.count("READY=1") > self.ready_before
    }

    pub async fn until_ready(&mut self) {
        let ready_before = self.ready_before;
        eventually("the daemon is ready", async || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("stentord ended at its start with {status}:\n{}", self.home.log());
            }
            (self.notices.count("READY=1") > ready_before).then_some(())
        })
        .await;
    }

    pub fn pid(&self) -> Pid {
        let id = self.child.as_ref().and_then(Child::id).expect("the daemon is not running");
        Pid::from_raw(id.try_into().unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// kill -9: no code of the daemon runs any more.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait().await;
    }

    /// SIGTERM, and its exit code.
    pub async fn stop(&mut self) -> i32 {
        self.signal(Signal::SIGTERM);
        self.wait().await
    }

    /// Its exit code; -1 when a signal ended it.
    pub async fn wait(&mut self) -> i32 {
        let mut child = self.child.take().expect("the daemon is not running");
        let status = timeout(LONGEST, child.wait()).await.expect("stentord does not end").unwrap();
        status.code().unwrap_or(-1)
    }

    /// Whether it ends within this time: how, if so.
    pub async fn ends_within(&mut self, patience: std::time::Duration) -> Option<ExitStatus> {
        let child = self.child.as_mut().expect("the daemon is not running");
        let status = timeout(patience, child.wait()).await.ok()?.unwrap();
        self.child = None;
        Some(status)
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// What it has told systemd.
    pub fn notices(&self) -> Vec<String> {
        self.notices.all()
    }
}

impl Drop for Daemon {
    /// The child itself ends with its handle.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- stentord's log\n{}----", self.home.log());
        }
    }
}
