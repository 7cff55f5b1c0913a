//! Runs effects and returns their outcomes as the next inputs. It decides nothing: slots, retries
//! and fallbacks are the engine's.
//!
//! Each effect is a task of its own with a deadline; a panic in an adapter is a failed attempt.

use super::handle::Handle;
use super::wall;
use crate::channel::{Channel, Found, Probed};
use crate::config::Config;
use crate::domain::event::AttemptResult;
use crate::domain::failpoint::{self, Point};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::time::Span;
use crate::engine::{Ask, AttemptOrder, Caller, Effect, Inquiry, Outcome};
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) struct Dispatcher {
    pub handle: Handle,
}

impl Dispatcher {
    /// Starts an effect; a sound is the caller's to reconcile.
    pub fn run(&self, config: &Config, effect: Effect) {
        match effect {
            Effect::Attempt(order) => self.attempt(config, order),
            Effect::Inquiry(inquiry) => self.inquire(config, inquiry),
            Effect::Probe { heartbeat, channel, timeout } => {
                let adapter = self.adapter(config, &channel);
                self.check(heartbeat, async move {
                    match adapter {
                        Some(adapter) => within(timeout, false, adapter.probe()).await.and_then(|probed| probed),
                        None => Err(gone()),
                    }
                });
            }
            Effect::TestCall { heartbeat, channel, timeout, out } => {
                let adapter = self.adapter(config, &channel);
                self.check(heartbeat, async move {
                    let Some(adapter) = adapter else { return Err(gone()) };
                    match within(timeout, true, adapter.send(&out)).await? {
                        AttemptResult::Failed(failure) => Err(failure),
                        _ => Ok("the test call was accepted".to_owned()),
                    }
                });
            }
            Effect::Wall(words) => {
                tokio::spawn(wall::say(words));
            }
            Effect::Sound => {}
        }
    }

    fn adapter(&self, config: &Config, channel: &str) -> Option<Arc<dyn Channel>> {
        config.channels.get(channel).map(|c| c.adapter.clone())
    }

    fn attempt(&self, config: &Config, order: AttemptOrder) {
        let handle = self.handle.clone();
        let adapter = self.adapter(config, &order.channel);
        handle.progress().started.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let AttemptOrder { delivery, n, channel, timeout, simulate, out } = order;
            let send = async {
                failpoint::reached_by(Point::AttemptStarted, &channel);
                match adapter {
                    None => AttemptResult::Failed(gone()),
                    Some(adapter) if simulate => AttemptResult::Simulated { detail: adapter.describe(&out) },
                    Some(adapter) => adapter.send(&out).await,
                }
            };
            let result = within(timeout, true, send).await.unwrap_or_else(AttemptResult::Failed);
            failpoint::reached_by(Point::AttemptEnded, &channel);
            handle.progress().finished.fetch_add(1, Ordering::Relaxed);
            handle.tell(Caller::engine(), Ask::Finished(vec![Outcome { delivery, n, result }]));
        });
    }

    fn inquire(&self, config: &Config, inquiry: Inquiry) {
        let handle = self.handle.clone();
        let adapter = self.adapter(config, &inquiry.channel);
        tokio::spawn(async move {
            let Inquiry { delivery, n, timeout, lost, .. } = inquiry;
            let found = match adapter.as_ref().and_then(|adapter| adapter.inquirer()) {
                Some(inquirer) => within(timeout, false, inquirer.inquire(&lost)).await.unwrap_or_else(unclear),
                None => unclear(gone()),
            };
            handle.tell(Caller::engine(), Ask::Inquired { delivery, n, found });
        });
    }

    fn check(&self, name: String, run: impl Future<Output = Probed> + Send + 'static) {
        let handle = self.handle.clone();
        tokio::spawn(async move {
            let result = AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|_| Err(panicked()));
            handle.tell(Caller::engine(), Ask::HeartbeatDone { name, result });
        });
    }
}

/// Every outside call has a deadline, and may panic without harm to others.
async fn within<T>(deadline: Span, sends: bool, call: impl Future<Output = T>) -> Result<T, Failure> {
    match tokio::time::timeout(deadline.to_std(), AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(panicked()),
        Err(_) => {
            let words = format!("no answer within {deadline}");
            let failure = Failure::new(FailureClass::Timeout, Blame::Channel, words);
            Err(if sends { failure.unknown() } else { failure })
        }
    }
}

fn panicked() -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Provider, "the adapter failed inside (a bug in stentor)")
}

fn unclear(failure: Failure) -> Found {
    Found::Unclear { words: format!("it could not be asked: {failure}") }
}

fn gone() -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Provider, "the channel was taken out of the config")
}
