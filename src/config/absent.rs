//! A channel of a draft, or of a check without secrets, that has no adapter.

use crate::channel::{Channel, Outgoing, Probed};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use futures_util::future::BoxFuture;

/// Sends nothing and says so. A config that is in force has it only where `simulate = true` and
/// settings are missing, and there nothing is sent anyway.
#[derive(Clone, Copy, Debug)]
pub struct Absent {
    pub kind: &'static str,
}

impl Absent {
    fn failure(&self) -> Failure {
        Failure::new(FailureClass::ValidationError, Blame::Account, self.words())
    }

    fn words(&self) -> String {
        format!("the settings of this {} channel are incomplete", self.kind)
    }
}

impl Channel for Absent {
    fn send<'a>(&'a self, _out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async { AttemptResult::Failed(self.failure()) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async { Err(self.failure()) })
    }

    fn describe(&self, out: &Outgoing) -> String {
        match &out.address {
            Some(address) => format!("{} to {address} ({})", self.kind, self.words()),
            None => format!("{} ({})", self.kind, self.words()),
        }
    }
}
