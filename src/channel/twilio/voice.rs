//! A call by Twilio that reads the text aloud, twice: `POST .../Calls.json` with inline TwiML.
//!
//! That somebody picked up is no acknowledgement; there are no keys to press yet.
//!
//! Settings beside [the account's](super): `from` (a number of ours), `voice` and `language` as
//! `<Say>` takes them ("alice", "en-GB"), `ring` (how long it rings; Twilio's own default is 60s).

use crate::channel::http::number;
use crate::channel::twilio::inquiry::Sought;
use crate::channel::twilio::{Account, Form};
use crate::channel::{Channel, Format, Found, Inquirer, Kind, Lost, Outgoing, Probed};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::Failure;
use crate::domain::time::Span;
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::Arc;

pub const KIND: Kind = Kind {
    name: "twilio-voice",
    sort: Sort::Addressed(Medium::Voice),
    provider: "twilio",
    format: Format::Speech,
    read,
};

/// Characters of a `Twiml` field, all markup included.
const LONGEST: usize = 3999;

#[derive(Debug)]
struct Voice {
    account: Account,
    from: String,
    /// `<Say>`, with the attributes of the settings.
    say: String,
    ring: Option<Span>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let account = Account::read(table);
    let from = table.require_text("from", "${TWILIO_PHONE_NUMBER}");
    let mut say = String::from("<Say");
    for name in ["voice", "language"] {
        if let Some(value) = table.text(name).filter(|v| !v.is_empty()) {
            say += &format!(" {name}=\"{}\"", value.chars().filter_map(escape).collect::<String>());
        }
    }
    let ring = table.parsed("ring", |text| match Span::parse(text)? {
        span if (5..=600).contains(&span.as_secs()) => Ok(span),
        _ => Err(format!("{text:?} is out of range; write a time from \"5s\" to \"10m\"")),
    });
    Some(Arc::new(Voice { account: account?, from: from?, say: say + ">", ring }))
}

impl Voice {
    fn form(&self, out: &Outgoing) -> Result<Form, Failure> {
        let mut form =
            vec![("To", number(out)?.to_owned()), ("From", self.from.clone()), ("Twiml", self.twiml(&out.text.text))];
        form.extend(self.ring.map(|ring| ("Timeout", ring.as_secs().to_string())));
        Ok(form)
    }

    /// The text is said twice with a second between; a text that is too long is cut so that both fit.
    fn twiml(&self, text: &str) -> String {
        let markup = "<Response></Response><Pause length=\"1\"/>".len() + 2 * (self.say.len() + "</Say>".len());
        let mut room = LONGEST.saturating_sub(markup) / 2;
        let mut spoken = String::new();
        for escaped in text.chars().filter_map(escape) {
            let width = escaped.chars().count();
            if width > room {
                break;
            }
            room -= width;
            spoken += &escaped;
        }
        let say = format!("{}{spoken}</Say>", self.say);
        format!("<Response>{say}<Pause length=\"1\"/>{say}</Response>")
    }
}

/// One character as XML text; `None` for what XML cannot hold.
fn escape(c: char) -> Option<String> {
    Some(match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        '\n' | '\t' => " ".into(),
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => return None,
        c => c.into(),
    })
}

impl Channel for Voice {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            match self.form(out) {
                Ok(form) => self.account.create("Calls.json", &form).await,
                Err(failure) => AttemptResult::Failed(failure),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(self.account.probe())
    }

    fn inquirer(&self) -> Option<&dyn Inquirer> {
        Some(self)
    }

    fn describe(&self, out: &Outgoing) -> String {
        self.form(out).map_or_else(|f| f.to_string(), |form| self.account.describe("Calls.json", &form))
    }
}

impl Inquirer for Voice {
    fn inquire<'a>(&'a self, lost: &'a Lost) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            let to = lost.address.as_deref().unwrap_or_default();
            let sought = Sought { list: ("Calls.json", "calls"), to, sender: ("from", &self.from), body: None };
            self.account.inquire(sought, lost).await
        })
    }
}
