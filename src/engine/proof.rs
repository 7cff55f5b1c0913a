//! Heartbeats of kind `notification`: a real message, and whether it got out in time.

use super::Proof;
use super::asked::{LevelWord, SendRequest};
use super::turn::Turn;
use crate::config::Heartbeat;
use crate::domain::delivery::Status;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::{DeliveryId, NotificationId};
use crate::domain::level::Level;

impl Turn<'_> {
    /// The message itself is low, under the heartbeat's name.
    pub fn send_proof(&mut self, h: &Heartbeat, message: SendRequest) {
        let request = SendRequest {
            level: Some(LevelWord(Level::Low)),
            kind_of: Some(h.check.kind().to_owned()),
            initiator: Some(format!("heartbeat {}", h.name)),
            heartbeat: Some(h.name.clone()),
            ..message
        };
        match self.accept(request) {
            Ok(notification) => {
                let proof = Proof { until: self.now + h.timeout, notification };
                self.agenda.proofs.insert(h.name.clone(), proof);
                self.judge_proof(notification);
            }
            Err(refusal) => {
                let words = [vec![refusal.message], refusal.reasons].concat().join("; ");
                let failure = Failure::new(FailureClass::ValidationError, Blame::Message, words);
                self.heartbeat_done(&h.name, Err(failure));
            }
        }
    }

    /// A delivery got out or ended, perhaps the last one of a proof.
    pub fn proof_moved(&mut self, delivery: DeliveryId) {
        if let Some(notification) = self.state.deliveries.get(&delivery).map(|d| d.notification) {
            self.judge_proof(notification);
        }
    }

    fn judge_proof(&mut self, notification: NotificationId) {
        let Some(n) = self.state.notifications.get(&notification) else { return };
        let Some(name) = n.heartbeat.clone() else { return };
        if self.agenda.proofs.get(&name).is_none_or(|p| p.notification != notification) {
            return;
        }
        let deliveries: Vec<_> = n.deliveries.iter().filter_map(|d| self.state.deliveries.get(d)).collect();
        if !deliveries.iter().all(|d| d.status.is_end() || d.status.got_out()) {
            return;
        }
        let lost: Vec<String> = deliveries
            .iter()
            .filter(|d| !d.status.got_out() && d.status != Status::Skipped)
            .map(|d| format!("{}: {}", d.channel(), d.reason.as_deref().unwrap_or(d.status.as_str())))
            .collect();
        let sent = deliveries.iter().filter(|d| d.status.got_out()).count();
        self.agenda.proofs.remove(&name);
        let result = match (lost.as_slice(), sent) {
            ([], 0) => Ok("held back by a silence".to_owned()),
            ([], sent) => Ok(format!("{sent} sent")),
            (lost, _) => Err(Failure::new(FailureClass::FinalFailure, Blame::Message, lost.join("; "))),
        };
        self.heartbeat_done(&name, result);
    }

    /// The message of this heartbeat is not out in its time.
    pub fn proofs_overdue(&mut self) {
        let slow: Vec<String> =
            self.agenda.proofs.iter().filter(|(_, p)| p.until <= self.now).map(|(n, _)| n.clone()).collect();
        for name in slow {
            self.agenda.proofs.remove(&name);
            let failure = Failure::new(FailureClass::Timeout, Blame::Message, "the message was not out in time");
            self.heartbeat_done(&name, Err(failure));
        }
    }
}
