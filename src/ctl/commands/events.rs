//! `events`: what happens, as a webhook gets it, from the API's event stream.

use crate::ctl::client::{Api, Call, Message};
use crate::ctl::commands::values;
use crate::ctl::fields::{number, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen};
use crate::ctl::session::{Form, Outcome, Reconnect, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Args;
use serde_json::Value;
use std::io;
use std::time::Duration;

/// Without `-f`: a stream that brings nothing for so long has told what there was.
const SILENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub struct Events {
    /// Go on with what happens from now on
    #[arg(long, short)]
    follow: bool,
    /// Begin after this sequence number
    #[arg(long, value_name = "N")]
    since_seq: Option<u64>,
    /// Only this kind: incident.opened, 'sms.*', '*'; again for more
    #[arg(long = "kind", value_name = "KIND", value_parser = values::filled)]
    kinds: Vec<String>,
}

impl Events {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let api = session.api()?;
        let mut reader = Reader { seen: None, reconnect: Reconnect::default() };
        if !self.follow {
            reader.read(session, &api, &self).await?;
            return Ok(Exit::Done);
        }
        loop {
            // A stream that ends is one that was cut: it goes on where it was.
            let why = match reader.read(session, &api, &self).await {
                Ok(()) => Trouble::Unreachable("the daemon ended the event stream".into()),
                Err(trouble) => trouble,
            };
            reader.reconnect.pause(session, why).await?;
        }
    }
}

struct Reader {
    /// The id of the last event.
    seen: Option<String>,
    reconnect: Reconnect,
}

impl Reader {
    /// Until the far end closes the stream, or without `-f` until it has no more to tell.
    async fn read(&mut self, session: &mut Session<'_>, api: &Api, args: &Events) -> Result<(), Trouble> {
        let call = Call::get(&["events"])
            .with("since_seq", args.since_seq.filter(|_| self.seen.is_none()))
            .with("follow", (!args.follow).then_some(false))
            .after(self.seen.clone());
        let call = args.kinds.iter().fold(call, |call, kind| call.with("kind", Some(kind)));
        let mut messages = api.messages(call).await?;
        self.reconnect.works();
        loop {
            let message = match args.follow {
                true => messages.next().await?,
                false => tokio::time::timeout(SILENCE, messages.next()).await.unwrap_or(Ok(None))?,
            };
            let Some(message) = message else { return Ok(()) };
            show(session, &message)?;
            self.seen = message.id.or(self.seen.take());
        }
    }
}

fn show(session: &mut Session<'_>, message: &Message) -> Result<(), Trouble> {
    match session.form {
        Form::Nobody => {}
        Form::Scripts => session.screen.document(message.data.as_bytes())?,
        Form::People => {
            let event = serde_json::from_str(&message.data).unwrap_or(Value::Null);
            line(&mut session.screen, &event)?;
            session.screen.flush()?;
        }
    }
    Ok(())
}

/// `2026-11-20 03:02:03.120  1234  incident.opened  #417 URGENT  Twilio credentials refused`
fn line(screen: &mut Screen<'_>, event: &Value) -> io::Result<()> {
    let mut pieces = vec![
        Piece::new(Ink::Dim, screen.stamp(when(event, "at").or_else(|| when(event, "timestamp")))),
        format!("  {:>7}  {:<21}  ", text(event, "seq"), text(event, "kind")).into(),
    ];
    if let Some(incident) = event.get("incident").filter(|i| i.is_object()) {
        pieces.push(Piece::new(Ink::Bold, format!("{} ", number(incident))));
    }
    let level = text(event, "level");
    match event.get("data") {
        None => pieces.push(Piece::new(Ink::of_status(&level), level.to_uppercase())),
        Some(_) => pieces.push(Piece::status(text(event, "status"))),
    }
    let subject = plain(event, "subject").or_else(|| plain(event.get("data")?, "subject"));
    pieces.push(format!("  {}", subject.unwrap_or_default()).into());
    screen.pieces(&pieces)
}
