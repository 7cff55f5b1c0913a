//! `sms`: what people wrote to us, what we wrote to them.

mod conversation;
mod count;
mod inbox;
mod send;

use crate::ctl::session::{Outcome, Session};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Sms {
    /// Who wrote, the latest first
    Inbox(inbox::Inbox),
    /// All that was said with one number
    Conversation(conversation::Conversation),
    /// Send one text message
    Send(send::Send),
    /// Letters, encoding, parts and price of a text; needs no daemon
    Count(count::Count),
}

impl Sms {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Sms::Inbox(inbox) => inbox.run(session).await,
            Sms::Conversation(conversation) => conversation.run(session).await,
            Sms::Send(send) => send.run(session).await,
            Sms::Count(count) => count.run(session),
        }
    }
}
