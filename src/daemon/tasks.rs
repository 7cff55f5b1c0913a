//! Every task of the daemon has a name, a restart policy and a state that can be seen.
//!
//! A task that ends or panics is started again after a pause that grows; one that does so again
//! and again takes the process down, with its name, so that systemd starts all anew.

use crate::domain::clock;
use crate::domain::time::{Span, Timestamp};
use futures_util::FutureExt;
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// This many ends within [`WINDOW`] are too many.
const TOO_OFTEN: usize = 5;
const WINDOW: Span = Span::mins(1);
const PAUSE_FIRST: Span = Span::millis(100);
const PAUSE_MAX: Span = Span::secs(5);

/// What can be seen of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TaskView {
    pub name: &'static str,
    /// restarted, once.
    pub policy: &'static str,
    /// running, pausing, ended.
    pub state: &'static str,
    pub restarts: u64,
    pub last_error: Option<String>,
}

/// All tasks; cheap to clone.
#[derive(Clone)]
pub struct Tasks {
    views: Arc<Mutex<BTreeMap<&'static str, TaskView>>>,
    aborts: Arc<Mutex<Vec<(&'static str, AbortHandle)>>>,
    fatal: mpsc::UnboundedSender<String>,
    /// The daemon stops: tasks may end.
    closing: Arc<AtomicBool>,
}

impl Tasks {
    /// The receiver gets the name and the reason of a task that cannot be kept alive.
    pub fn new() -> (Tasks, mpsc::UnboundedReceiver<String>) {
        let (fatal, failed) = mpsc::unbounded_channel();
        (Tasks { views: Arc::default(), aborts: Arc::default(), fatal, closing: Arc::default() }, failed)
    }

    /// Keeps a task alive: `make` is called for each life.
    pub fn keep<F, T>(&self, name: &'static str, make: F)
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), String>> + Send + 'static,
    {
        let tasks = self.clone();
        tasks.note(name, |view| view.policy = "restarted");
        let task = tokio::spawn(async move {
            let mut ends: Vec<Timestamp> = Vec::new();
            let mut pause = PAUSE_FIRST;
            loop {
                tasks.note(name, |view| view.state = "running");
                let outcome = AssertUnwindSafe(make()).catch_unwind().await;
                let words = match outcome {
                    Ok(Ok(())) => "it ended".to_owned(),
                    Ok(Err(words)) => words,
                    Err(panic) => format!("it panicked: {}", panic_words(&*panic)),
                };
                if tasks.closing.load(Ordering::Relaxed) {
                    return tasks.note(name, |view| view.state = "ended");
                }
                tracing::warn!(task = name, reason = %words, "a task ended and is started again");
                tasks.note(name, |view| {
                    view.state = "pausing";
                    view.restarts += 1;
                    view.last_error = Some(words.clone());
                });
                let now = clock::wall();
                ends.retain(|t| now - *t < WINDOW);
                ends.push(now);
                if ends.len() >= TOO_OFTEN {
                    let _ = tasks.fatal.send(format!("task {name} ended {TOO_OFTEN} times within {WINDOW}: {words}"));
                    return;
                }
                tokio::time::sleep(pause.to_std()).await;
                pause = pause.times(2).min(PAUSE_MAX);
            }
        });
        self.remember(name, task.abort_handle());
    }

    /// A task that may end, and whose end or panic means nothing more.
    pub fn once(&self, name: &'static str, run: impl Future<Output = ()> + Send + 'static) {
        let tasks = self.clone();
        tasks.note(name, |view| {
            view.policy = "once";
            view.state = "running";
        });
        let task = tokio::spawn(async move {
            let panicked = AssertUnwindSafe(run).catch_unwind().await.err().map(|p| panic_words(&*p));
            tasks.note(name, |view| {
                view.state = "ended";
                view.last_error = panicked;
            });
        });
        self.remember(name, task.abort_handle());
    }

    /// All that were ever started, by name.
    pub fn view(&self) -> Vec<TaskView> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// From now on a task may end for good.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Ends all of them, the last started first.
    pub fn stop(&self) {
        let mut aborts = self.aborts.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((name, abort)) = aborts.pop() {
            abort.abort();
            self.note(name, |view| view.state = "ended");
        }
    }

    fn remember(&self, name: &'static str, abort: AbortHandle) {
        let mut aborts = self.aborts.lock().unwrap_or_else(PoisonError::into_inner);
        aborts.retain(|(_, abort)| !abort.is_finished());
        aborts.push((name, abort));
    }

    fn note(&self, name: &'static str, change: impl FnOnce(&mut TaskView)) {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        change(views.entry(name).or_insert_with(|| TaskView { name, ..TaskView::default() }));
    }
}

impl crate::api::Overseer for Tasks {
    fn tasks(&self) -> serde_json::Value {
        serde_json::json!(self.view())
    }
}

fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn state_of(tasks: &Tasks, name: &str) -> TaskView {
        tasks.view().into_iter().find(|view| view.name == name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_is_started_again_and_says_so() {
        let (tasks, _fatal) = Tasks::new();
        let lives = Arc::new(AtomicBool::new(false));
        tasks.keep("reader", move || {
            let again = lives.swap(true, Ordering::Relaxed);
            async move { if again { std::future::pending().await } else { Err("the pipe broke".to_owned()) } }
        });
        tokio::time::sleep(PAUSE_FIRST.to_std() * 2).await;
        let seen = state_of(&tasks, "reader");
        assert_eq!((seen.policy, seen.state, seen.restarts), ("restarted", "running", 1));
        assert_eq!(seen.last_error.as_deref(), Some("the pipe broke"));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ends_again_and_again_takes_the_process_down_with_its_name() {
        let (tasks, mut fatal) = Tasks::new();
        tasks.keep("reader", || async { panic!("no pipe") });
        let words = fatal.recv().await.unwrap();
        assert_eq!(words, "task reader ended 5 times within 1m: it panicked: no pipe");
    }

    #[tokio::test]
    async fn what_runs_once_is_not_started_again_and_leaves_no_trace_but_its_state() {
        let (tasks, _fatal) = Tasks::new();
        tasks.once("check", async {});
        tokio::task::yield_now().await;
        let seen = state_of(&tasks, "check");
        assert_eq!((seen.policy, seen.state, seen.restarts, seen.last_error), ("once", "ended", 0, None));
        tasks.once("other", async {});
        assert_eq!(tasks.aborts.lock().unwrap().len(), 1, "the first has finished");
    }
}
