//! Runs effects and returns their outcomes as the next inputs. It decides nothing: slots, retries
//! and fallbacks are the engine's.
//!
//! Each effect is a task of its own with a deadline; a panic in an adapter is a failed attempt.

use super::handle::Handle;
use super::log::Reader;
use super::wall;
use crate::channel::{Channel, Found, Outgoing, Probed};
use crate::config::Config;
use crate::domain::event::{AttemptResult, Place};
use crate::domain::failpoint::{self, Point};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::time::Span;
use crate::engine::{Ask, AttemptOrder, Called, Caller, Effect, Inquiry, Outcome, Question};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

pub(super) struct Dispatcher {
    pub handle: Handle,
    pub reader: Reader,
}

/// What is to be sent does not wait longer for the disk.
const READING: Span = Span::secs(2);

impl Dispatcher {
    /// Starts an effect; a sound is the caller's to reconcile.
    pub fn run(&self, config: &Config, effect: Effect) {
        match effect {
            Effect::Attempt(order) => self.attempt(config, order),
            Effect::Inquiry(inquiry) => self.inquire(config, inquiry),
            Effect::Question(question) | Effect::AskPrice(question) => self.ask(config, question),
            Effect::HangUp(question) => self.hang_up(config, &question),
            Effect::Probe { heartbeat, channel, timeout } => {
                let probed = probe(self.adapter(config, &channel), timeout);
                self.check(probed, |result| Ask::HeartbeatDone { name: heartbeat, result });
            }
            Effect::Look { channel, timeout } => {
                let probed = probe(self.adapter(config, &channel), timeout);
                self.check(probed, |result| Ask::Looked { channel, result });
            }
            Effect::TestCall { heartbeat, channel, timeout, out } => {
                let adapter = self.adapter(config, &channel);
                let called = async move {
                    let Some(adapter) = adapter else { return Err(gone()) };
                    match within(timeout, true, adapter.send(&out)).await? {
                        AttemptResult::Failed(failure) => Err(failure),
                        _ => Ok("the test call was accepted".to_owned()),
                    }
                };
                self.check(called, |result| Ask::HeartbeatDone { name: heartbeat, result });
            }
            Effect::Wall(words) => {
                tokio::spawn(wall::say(words));
            }
            Effect::ReadText(place) => self.read_text(place),
            Effect::Sound => {}
        }
    }

    fn adapter(&self, config: &Config, channel: &str) -> Option<Arc<dyn Channel>> {
        config.channels.get(channel).map(|c| c.adapter.clone())
    }

    fn attempt(&self, config: &Config, order: AttemptOrder) {
        let (handle, reader) = (self.handle.clone(), self.reader.clone());
        let adapter = self.adapter(config, &order.channel);
        let under_way = handle.progress().attempts.begin();
        tokio::spawn(async move {
            let AttemptOrder { delivery, n, channel, timeout, simulate, mut out } = order;
            for words in fetch(&mut out, &reader).await {
                let part = "ledger".to_owned();
                handle.tell(Caller::engine(), Ask::StorageTroubled { part, words, well: false });
            }
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
            drop(under_way);
            handle.tell(Caller::engine(), Ask::Finished(vec![Outcome { delivery, n, result }]));
        });
    }

    fn read_text(&self, place: Place) {
        let (handle, reader) = (self.handle.clone(), self.reader.clone());
        tokio::spawn(async move {
            let text = read(&reader, &place).await;
            let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is no text".to_owned()));
            let text = text.map(Arc::from);
            if let Err(words) = &text {
                tracing::error!(%place, reason = %words, "a text cannot be read; the message goes out without it");
            }
            handle.tell(Caller::engine(), Ask::TextRead { place, text });
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

    fn ask(&self, config: &Config, question: Question) {
        let handle = self.handle.clone();
        let adapter = self.adapter(config, &question.channel);
        tokio::spawn(async move {
            let Question { delivery, n, timeout, provider_id, .. } = question;
            let asked = adapter.as_ref().and_then(|adapter| adapter.confirmer()).and_then(|c| c.ask(&provider_id));
            let answer = match asked {
                Some(asked) => within(timeout, false, asked).await.and_then(|answer| answer),
                None => Err(gone()),
            };
            handle.tell(Caller::engine(), Ask::Called(Called::Asked { delivery, n, answer }));
        });
    }

    /// Whether it worked, the call's end will say.
    fn hang_up(&self, config: &Config, question: &Question) {
        let adapter = self.adapter(config, &question.channel);
        let Question { timeout, provider_id, picked_up, channel, .. } = question;
        let (timeout, picked_up) = (*timeout, *picked_up);
        let (provider_id, channel) = (provider_id.clone(), channel.clone());
        tokio::spawn(async move {
            let Some(confirmer) = adapter.as_ref().and_then(|adapter| adapter.confirmer()) else { return };
            // What is picked up at this moment takes the other word.
            for picked_up in [picked_up, !picked_up] {
                let Some(hung_up) = confirmer.hang_up(&provider_id, picked_up) else { return };
                match within(timeout, false, hung_up).await.and_then(|done| done) {
                    Ok(()) => return,
                    Err(error) => tracing::info!(channel, %error, "a call could not be ended"),
                }
            }
        });
    }

    fn check(
        &self,
        run: impl Future<Output = Probed> + Send + 'static,
        said: impl FnOnce(Probed) -> Ask + Send + 'static,
    ) {
        let handle = self.handle.clone();
        tokio::spawn(async move {
            let result = AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|_| Err(panicked()));
            handle.tell(Caller::engine(), said(result));
        });
    }
}

async fn probe(adapter: Option<Arc<dyn Channel>>, timeout: Span) -> Probed {
    match adapter {
        Some(adapter) => within(timeout, false, adapter.probe()).await.and_then(|probed| probed),
        None => Err(gone()),
    }
}

/// What is at a place, within the time that there is.
async fn read(reader: &Reader, place: &Place) -> Result<Vec<u8>, String> {
    let (reader, wanted) = (reader.clone(), place.clone());
    let reading = tokio::task::spawn_blocking(move || reader(&wanted));
    match tokio::time::timeout(READING.to_std(), reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err("reading it failed inside (a bug in stentor)".to_owned()),
        Err(_) => Err(format!("the disk gives no answer within {READING}")),
    }
}

/// The files that go along, read side by side: all together have the time of one. One that cannot be read stays
/// behind, and the text says so; gives why.
async fn fetch(out: &mut Outgoing, reader: &Reader) -> Vec<String> {
    let mut missing = Vec::new();
    let wanted: Vec<_> = out.attachments.iter_mut().filter(|file| file.bytes.is_none()).collect();
    let found = join_all(wanted.iter().map(|file| read(reader, &file.place))).await;
    for (file, found) in wanted.into_iter().zip(found) {
        match found {
            Ok(bytes) => file.bytes = Some(bytes.into()),
            Err(words) => {
                out.text.text.push_str(&format!("\n[{} cannot be attached: {words}]\n", file.name));
                missing.push(format!("the attachment {} ({}) cannot be read: {words}", file.name, file.place));
            }
        }
    }
    missing
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Enclosed, Matter};
    use crate::domain::event::Rendered;
    use crate::domain::level::Level;
    use std::sync::Barrier;

    /// Each is read only when all are being read: one after the other they would take the time of all.
    #[tokio::test]
    async fn files_are_read_side_by_side() {
        let file = |n: usize| Enclosed {
            name: format!("{n}.txt"),
            mime: "text/plain".into(),
            place: Place { seq: 1, bytes: 1, blob: None },
            bytes: None,
        };
        let mut out = Outgoing {
            key: "K".into(),
            attempt: 1,
            address: None,
            text: Rendered::default(),
            level: Level::High,
            ttl: Span::secs(60),
            matter: Matter::default(),
            sound: None,
            attachments: (0..4).map(file).collect(),
            callback: None,
        };
        let all = Arc::new(Barrier::new(4));
        let reader: Reader = Arc::new(move |_| {
            all.wait();
            Ok(vec![7])
        });
        let missing = fetch(&mut out, &reader).await;
        assert_eq!(missing, Vec::<String>::new());
        assert!(out.attachments.iter().all(|file| file.bytes.as_deref() == Some(&[7])), "{out:?}");
    }
}
