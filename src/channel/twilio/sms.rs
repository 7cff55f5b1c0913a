//! A text message by Twilio: `POST .../Messages.json`.
//!
//! Settings beside [the account's](super): `from` (a number of ours) or `messaging_service_sid`; `inbound`
//! (what comes in at that number is sent to us).

use crate::channel::http::{number, shorten};
use crate::channel::twilio::inquiry::Sought;
use crate::channel::twilio::{Account, Form, warn_of_odd_sid};
use crate::channel::{Channel, Confirmer, Format, Found, Incoming, Inquirer, Kind, Lost, Outgoing, Probed};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::{AttemptResult, Heard};
use crate::domain::failure::Failure;
use crate::domain::time::Span;
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::Arc;

pub const KIND: Kind =
    Kind { name: "twilio-sms", sort: Sort::Addressed(Medium::Sms), provider: "twilio", format: Format::Sms, read };

/// Characters of a `Body`.
const LONGEST: usize = 1600;

#[derive(Debug)]
struct Sms {
    account: Account,
    from: From,
    inbound: bool,
}

#[derive(Debug)]
enum From {
    Number(String),
    Service(String),
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let account = Account::read(table);
    let service = table.text("messaging_service_sid");
    let unreadable = service.is_none() && table.has("messaging_service_sid");
    table.known(&["from"]);
    let from = match service.filter(|s| !s.is_empty()) {
        Some(service) => {
            warn_of_odd_sid(table, "messaging_service_sid", &service, "MG");
            if table.has("from") {
                table.error("from", "either from or messaging_service_sid", "leave one of them out");
            }
            Some(From::Service(service))
        }
        // Has been complained about.
        None if unreadable => None,
        None => table.require_text("from", "${TWILIO_PHONE_NUMBER}").map(From::Number),
    };
    let inbound = table.flag("inbound").unwrap_or(false);
    Some(Arc::new(Sms { account: account?, from: from?, inbound }))
}

impl Sms {
    fn form(&self, out: &Outgoing) -> Result<Form, Failure> {
        let from = match &self.from {
            From::Number(number) => ("From", number.clone()),
            From::Service(sid) => ("MessagingServiceSid", sid.clone()),
        };
        // Seconds that it may wait in Twilio's queue.
        let validity = out.ttl.as_secs().clamp(5, 36_000);
        let mut form = vec![
            ("To", number(out)?.to_owned()),
            from,
            ("Body", shorten(&out.text.text, LONGEST)),
            ("ValidityPeriod", validity.to_string()),
        ];
        form.extend(out.callback.as_ref().map(|callback| ("StatusCallback", callback.url("twilio/status"))));
        Ok(form)
    }
}

impl Channel for Sms {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            match self.form(out) {
                Ok(form) => self.account.create("Messages.json", &form, out.callback.is_some()).await,
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
        match &self.from {
            From::Number(own) | From::Service(own) => Some(own),
        }
    }

    fn describe(&self, out: &Outgoing) -> String {
        self.form(out).map_or_else(|f| f.to_string(), |form| self.account.describe("Messages.json", &form))
    }
}

impl Confirmer for Sms {
    fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        self.account.verify(call)
    }

    fn ask<'a>(&'a self, provider_id: &'a str) -> Option<BoxFuture<'a, Result<Heard, Failure>>> {
        Some(Box::pin(self.account.look_up("Messages", provider_id)))
    }

    fn inbound(&self) -> bool {
        self.inbound
    }

    fn has(&self, number: &str) -> bool {
        matches!(&self.from, From::Number(own) if own == number)
    }

    fn prices(&self) -> bool {
        true
    }

    fn patience(&self) -> Span {
        self.account.patience
    }
}

impl Inquirer for Sms {
    fn inquire<'a>(&'a self, lost: &'a Lost) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            let body = shorten(&lost.text.text, LONGEST);
            let sender = match &self.from {
                From::Number(number) => ("from", number.as_str()),
                From::Service(sid) => ("messaging_service_sid", sid.as_str()),
            };
            let to = lost.address.as_deref().unwrap_or_default();
            let sought = Sought { list: ("Messages.json", "messages"), to, sender, body: Some(&body) };
            self.account.inquire(sought, lost).await
        })
    }
}
