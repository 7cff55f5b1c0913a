//! `selftest`: would each channel work at three in the morning?
#![allow(rustdoc::broken_intra_doc_links, reason = "these texts are for a terminal, where [brackets] are no links")]

use crate::ctl::client::Call;
use crate::ctl::commands::values::{self, Body};
use crate::ctl::fields::{flag, items, plain, text};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use crate::domain::time::Span;
use clap::Args;
use serde_json::Value;
use std::io;

/// A probe and a message, each waited for.
const PATIENCE: Span = Span::secs(90);

#[derive(Debug, Args)]
pub struct Selftest {
    /// Only these channels
    #[arg(value_name = "CHANNEL", value_parser = values::name)]
    channels: Vec<String>,
    /// Also send a message marked [TEST] by each
    #[arg(long)]
    send: bool,
    /// Whom to send it to; again for more
    #[arg(long, value_name = "WHO", value_parser = values::filled, requires = "send")]
    to: Vec<String>,
}

impl Selftest {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let body = Body::default()
            .list("channels", &self.channels)
            .list("to", &self.to)
            .with("send", self.send.then_some(true));
        let call = Call::post(&["selftest"], body.into()).patient(PATIENCE.to_std());
        let answer = session.ask(call).await?;
        session.show(&answer, report)?;
        Ok(if flag(&answer.document, "ok") { Exit::Done } else { Exit::BadNews })
    }
}

fn report(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["CHANNEL", "KIND", "CHECK", "RESULT", "DETAIL"]);
    for channel in items(document, "channels") {
        let (mut name, mut kind) = (text(channel, "channel"), text(channel, "kind"));
        for check in items(channel, "checks") {
            // Named once, above what belongs to it.
            let (name, kind) = (std::mem::take(&mut name), std::mem::take(&mut kind));
            let status = text(check, "status");
            let ink = match status.as_str() {
                "ok" => Ink::Good,
                "failed" => Ink::Bad,
                "warning" => Ink::Warn,
                _ => Ink::Dim,
            };
            let detail = plain(check, "detail").unwrap_or_default();
            table.row(vec![
                name.into(),
                kind.into(),
                text(check, "name").into(),
                Piece::new(ink, status),
                detail.into(),
            ]);
        }
    }
    table.print(screen, "no channels")?;
    let bad = items(document, "channels").iter().filter(|channel| !flag(channel, "ok")).count();
    screen.line(match bad {
        0 => "every channel would work".to_owned(),
        1 => "1 channel would not work".to_owned(),
        n => format!("{n} channels would not work"),
    })
}
