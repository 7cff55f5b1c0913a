//! Attempts: begun, and how they ended.

use crate::domain::delivery::{Medium, Status};
use crate::domain::event::{AttemptResult, DeliveryReported, EventKind, Payload, Said};
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Timestamp};
use crate::engine::state::{Attempt, Confirm, Delivery, Finished, State, Told};

/// Attempts kept in the state for each delivery; all of them stand in the ledger.
const ATTEMPTS_KEPT: usize = 20;

/// The oldest that is not the last one of its channel: what that channel said of the message is needed as long as it is
/// tried at all.
fn dispensable(attempts: &[Attempt]) -> usize {
    let again = |n: usize| attempts[n + 1..].iter().any(|later| later.channel == attempts[n].channel);
    (0..attempts.len()).find(|n| again(*n)).unwrap_or(0)
}

impl State {
    pub(in crate::engine::state) fn fold_attempt_started(
        &mut self,
        at: Timestamp,
        head: &EventKind,
        payload: Option<&Payload>,
    ) -> bool {
        let EventKind::AttemptStarted { delivery, n, channel, medium, format, possibly_duplicate, nonce, .. } = head
        else {
            return false;
        };
        let attempt = Attempt {
            n: *n,
            channel: channel.clone(),
            started_at: at,
            finished_at: None,
            class: None,
            error: None,
            provider_id: None,
            possibly_duplicate: *possibly_duplicate,
            refused: false,
            confirm: nonce.as_ref().map(|nonce| Box::new(Confirm { nonce: nonce.clone(), ..Confirm::default() })),
        };
        let text = format.as_ref().zip(payload).and_then(|(form, p)| Finished::of(form, p, self.last_seq));
        let known = self.move_delivery(*delivery, Status::Sending, |d| {
            d.until = None;
            d.n = *n;
            if d.attempts.is_empty() {
                // Most need no second one, and they are many.
                d.attempts.reserve_exact(1);
            }
            d.attempts.push(attempt);
            if d.attempts.len() > ATTEMPTS_KEPT {
                d.attempts.remove(dispensable(&d.attempts));
            }
            if let (Some(format), Some(text)) = (format, text) {
                d.texts.insert(format.clone(), text);
            }
        });
        if known {
            self.fold_told(*delivery, channel, *medium);
        }
        known
    }

    pub(in crate::engine::state) fn fold_attempt_finished(&mut self, at: Timestamp, head: &EventKind) -> bool {
        let EventKind::AttemptFinished { delivery, n, channel, result, .. } = head else { return false };
        if !self.deliveries.get(delivery).is_some_and(|d| d.status == Status::Sending && d.n == *n) {
            return false;
        }
        let now = self.engine_time(at);
        if matches!(result.success(), Some(Status::Delivered | Status::Sent | Status::Submitted)) {
            self.change_channel(channel, |c| {
                c.width = c.width.saturating_mul(2);
                c.last_success = Some(now);
                c.last_proof_at = Some(at);
            });
        }
        self.fold_first(*delivery, channel, result);
        self.change_pending(*delivery, |d| finish(d, *n, (at, now), result))
    }

    /// The first that a fixed channel's provider took of an incident; what follows can answer to it.
    fn fold_first(&mut self, delivery: DeliveryId, channel: &str, result: &AttemptResult) {
        let (AttemptResult::Delivered { provider_id: Some(id), .. }
        | AttemptResult::Sent { provider_id: Some(id), .. }) = result
        else {
            return;
        };
        let incident = self.deliveries.get(&delivery).and_then(|d| d.incident);
        let Some(i) = incident.and_then(|i| self.incidents.get_mut(&i)) else { return };
        if i.told.iter().any(|told| told.channel == *channel && told.medium.is_none()) {
            i.firsts.fill(channel, id);
        }
    }

    /// What the provider said of one of its messages.
    pub(in crate::engine::state) fn fold_reported(&mut self, at: Timestamp, report: &DeliveryReported) -> bool {
        let DeliveryReported { id, provider_id, status, late, n, what, key, found: _ } = report;
        self.change_delivery(*id, |d| {
            if !late {
                d.detail = Some(status.as_str().into());
            }
            let attempt = d.attempts.iter_mut().rfind(|a| *n == 0 || a.n == *n);
            let Some(a) = attempt else { return };
            if a.provider_id.is_none() {
                a.provider_id = Some(provider_id.clone());
            }
            let Some(confirm) = a.confirm.as_deref_mut() else { return };
            confirm.spent |= key.is_some();
            let Some(what) = what else { return };
            if *what == Said::Delivered {
                confirm.delivered_at = Some(at);
            }
            if what.goes_beyond(confirm.said.as_ref()) {
                confirm.said = Some(what.clone());
                confirm.status = status.clone();
                if let Said::Failed(failure) = what {
                    a.refused = failure.blame.is_for_good();
                    a.class = Some(failure.class);
                    a.error = Some(failure.words.clone());
                }
            } else {
                confirm.contradicted = true;
            }
        })
    }

    /// An attempt was begun there, so notices will go there.
    fn fold_told(&mut self, delivery: DeliveryId, channel: &str, medium: Option<Medium>) {
        let Some(d) = self.deliveries.get(&delivery) else { return };
        let notice = self.notifications.get(&d.notification).is_some_and(|n| n.origin.is_notice());
        let Some(incident) = d.incident.filter(|_| !notice) else { return };
        // A fixed channel tells its own place, whoever the message was for.
        let address = self.names.of_any(medium.and_then(|m| d.address_for(m)));
        let who = self.names.of_any(d.who.as_deref().filter(|_| medium.is_some()));
        let told = Told { channel: self.names.of(channel), address, medium, who };
        if let Some(i) = self.incidents.get_mut(&incident)
            && let Err(place) = i.told.binary_search(&told)
        {
            if i.told.is_empty() {
                i.told.reserve_exact(1);
            }
            i.told.insert(place, told);
        }
    }
}

fn finish(d: &mut Delivery, n: u32, (at, now): (Timestamp, EngineTime), result: &AttemptResult) {
    let (class, error, provider) = match result {
        AttemptResult::Failed(f) => {
            d.maybe_sent |= f.unknown;
            d.detail = Some(f.to_string().into());
            (Some(f.class), Some(f.words.clone()), None)
        }
        AttemptResult::Lost { words } => {
            d.maybe_sent = true;
            d.detail = Some(words.as_str().into());
            (None, Some(words.clone()), None)
        }
        AttemptResult::Delivered { provider_id, detail }
        | AttemptResult::Sent { provider_id, detail }
        | AttemptResult::Submitted { provider_id, detail } => {
            d.detail = Some(detail.as_str().into());
            (None, None, provider_id.clone())
        }
        AttemptResult::Simulated { .. } => (None, None, None),
        // The engine splits it; whoever wrote it whole meant the same.
        AttemptResult::Priced { result, .. } => return finish(d, n, (at, now), result),
    };
    if let Some(a) = d.attempts.iter_mut().rfind(|a| a.n == n) {
        a.finished_at = Some(at);
        a.class = class;
        a.error = error;
        a.refused = matches!(result, AttemptResult::Failed(f) if f.blame.is_for_good());
        if let Some(confirm) = a.confirm.as_mut().filter(|_| result.success().is_some()) {
            confirm.taken_at = Some(now);
        }
        // The provider may have called before it answered.
        a.provider_id = provider.or(a.provider_id.take());
    }
    if !matches!(result, AttemptResult::Lost { .. }) {
        // It came through.
        d.crashes = 0;
    }
    match result.success() {
        Some(Status::Submitted) => {
            d.status = Status::Submitted;
            d.sent_at = Some(at);
        }
        Some(_) => d.sent_at = Some(at),
        // The next event of the same frame moves or ends it.
        None => {}
    }
}
