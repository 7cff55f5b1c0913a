//! A call by Twilio that reads the text aloud, twice: `POST .../Calls.json` with inline TwiML.
//!
//! Where Twilio can reach us, keys are offered: the text and the menu are in the request, so that they are
//! heard even when we cannot be reached at that moment; only what is pressed comes to us. That somebody, or
//! a machine, picked up is no acknowledgement.
//!
//! Settings beside [the account's](super): `from` (a number of ours), `voice` and `language` as
//! `<Say>` takes them ("alice", "en-GB"), `ring` (how long it rings; Twilio's own default is 60s),
//! `machine_detection` (Twilio finds out, while the call runs and nobody has to wait, whether a machine has picked
//! up; it costs extra).

use crate::channel::http::number;
use crate::channel::twilio::inquiry::Sought;
use crate::channel::twilio::{Account, Form};
use crate::channel::{Channel, Confirmer, Format, Found, Incoming, Inquirer, Kind, Lost, Outgoing, Probed, Spoken};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::{AttemptResult, Heard};
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
/// What can be pressed.
const MENU: &str = "Press 4 to acknowledge, 6 to resolve, 5 to escalate, star to repeat.";
const NO_KEY: &str = "No key was pressed. Goodbye.";

#[derive(Debug)]
struct Voice {
    account: Account,
    from: String,
    /// `<Say>`, with the attributes of the settings.
    say: String,
    ring: Option<Span>,
    machine_detection: bool,
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
    let machine_detection = table.flag("machine_detection").unwrap_or(false);
    Some(Arc::new(Voice { account: account?, from: from?, say: say + ">", ring, machine_detection }))
}

impl Voice {
    fn form(&self, out: &Outgoing) -> Result<Form, Failure> {
        let keys = out.callback.as_ref().filter(|callback| callback.keys).map(|callback| callback.url("twilio/gather"));
        let twiml = self.twiml("", &out.text.text, keys.as_deref());
        let mut form = vec![("To", number(out)?.to_owned()), ("From", self.from.clone()), ("Twiml", twiml)];
        form.extend(self.ring.map(|ring| ("Timeout", ring.as_secs().to_string())));
        if self.machine_detection {
            form.extend([("MachineDetection", "Enable"), ("AsyncAmd", "true")].map(|(name, on)| (name, on.to_owned())));
        }
        if let Some(callback) = &out.callback {
            form.extend([("StatusCallback", callback.url("twilio/call")), ("StatusCallbackMethod", "POST".to_owned())]);
            let each = ["initiated", "ringing", "answered", "completed"];
            form.extend(each.map(|event| ("StatusCallbackEvent", event.to_owned())));
        }
        Ok(form)
    }

    /// The remark, then the text twice with a second between, and the menu where there are keys; a text
    /// that is too long is cut so that all of it fits.
    fn twiml(&self, remark: &str, text: &str, keys: Option<&str>) -> String {
        let say = |text: &str| format!("{}{text}</Say>", self.say);
        let (before, after) = match keys {
            Some(url) => (
                format!("<Gather numDigits=\"1\" action=\"{}\" method=\"POST\" timeout=\"8\">", escaped(url, LONGEST)),
                format!("{}</Gather>{}", say(MENU), say(NO_KEY)),
            ),
            None => (String::new(), String::new()),
        };
        let remark = if remark.is_empty() { String::new() } else { say(&escaped(remark, LONGEST / 4)) };
        let markup = "<Response></Response><Pause length=\"1\"/>".len() + 2 * say("").len();
        let room = LONGEST.saturating_sub(markup + remark.len() + before.len() + after.len()) / 2;
        let text = say(&escaped(text, room));
        format!("<Response>{remark}{before}{text}<Pause length=\"1\"/>{text}{after}</Response>")
    }
}

/// As much of a text, as XML, as fits.
fn escaped(text: &str, mut room: usize) -> String {
    let mut whole = String::new();
    for escaped in text.chars().filter_map(escape) {
        let width = escaped.chars().count();
        if width > room {
            break;
        }
        room -= width;
        whole += &escaped;
    }
    whole
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
                Ok(form) => self.account.create("Calls.json", &form, out.callback.is_some()).await,
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

    fn confirmer(&self) -> Option<&dyn Confirmer> {
        self.account.keys.as_ref().map(|_| self as &dyn Confirmer)
    }

    fn sender(&self) -> Option<&str> {
        Some(&self.from)
    }

    fn describe(&self, out: &Outgoing) -> String {
        self.form(out).map_or_else(|f| f.to_string(), |form| self.account.describe("Calls.json", &form))
    }
}

impl Confirmer for Voice {
    fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        self.account.verify(call)
    }

    fn ask<'a>(&'a self, provider_id: &'a str) -> Option<BoxFuture<'a, Result<Heard, Failure>>> {
        Some(Box::pin(self.account.look_up("Calls", provider_id)))
    }

    fn hang_up<'a>(&'a self, provider_id: &'a str, picked_up: bool) -> Option<BoxFuture<'a, Result<(), Failure>>> {
        Some(Box::pin(self.account.hang_up(provider_id, picked_up)))
    }

    fn speak(&self, spoken: &Spoken<'_>) -> String {
        let twiml = match spoken.menu {
            Some((text, url)) => self.twiml(spoken.remark, text, Some(url)),
            None => format!("<Response>{}{}</Say><Hangup/></Response>", self.say, escaped(spoken.remark, LONGEST / 2)),
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{twiml}")
    }

    fn prices(&self) -> bool {
        true
    }

    fn patience(&self) -> Span {
        self.account.patience
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
