//! A text message as a mail to a carrier's gateway: `number@domain`, through an e-mail channel.
//!
//! Nothing is ever confirmed and carriers are closing these gateways; never the only way. The
//! number is written in digits without its country code, as the gateways want it; an address that
//! brings its own domain (`+15550100@gateway.example`, a person's `sms_domain`) keeps it.
//!
//! Gateways cut or lose what is longer than one text message, and attachments, so the text is cut here, where it
//! is known what matters: how the alarm can be acknowledged stays.
//!
//! Settings: `via` (an e-mail channel; the config connects the two), `domain`, `country_code`
//! (default "1"; "" leaves numbers whole), `longest` (characters that the gateway takes, default 160).

use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::{Arc, OnceLock};

pub const KIND: Kind = Kind {
    name: "email-sms",
    sort: Sort::Addressed(Medium::Sms),
    provider: "email-gateway",
    format: Format::Sms,
    read,
};

/// Gateways of carriers, and what became of them.
const GATEWAYS: &[(&str, &str)] = &[
    ("txt.att.net", "was shut down on 2025-06-17"),
    ("mms.att.net", "was shut down on 2025-06-17"),
    ("tmomail.net", "stopped delivering in December 2024, without a word"),
    ("messaging.sprintpcs.com", "is retired"),
    ("pm.sprint.com", "is retired"),
    ("vtext.com", "ends on 2027-03-31 and is unreliable"),
    ("vzwpix.com", "ends on 2027-03-31 and is unreliable"),
    ("email.uscc.net", "may be gone: nobody confirms it"),
    ("mms.uscc.net", "may be gone: nobody confirms it"),
    ("sms.cricketwireless.net", "is on AT&T's network, whose gateway was shut down"),
    ("mms.cricketwireless.net", "is on AT&T's network, whose gateway was shut down"),
    ("sms.myboostmobile.com", "may be gone: nobody confirms it"),
    ("msg.fi.google.com", "works for numbers of Google Fi only"),
    ("pcs.rogers.com", "may be restricted or charged: nobody confirms it"),
    ("fido.ca", "may be restricted or charged: nobody confirms it"),
    ("txt.bell.ca", "may be restricted or charged: nobody confirms it"),
    ("msg.telus.com", "may be restricted or charged: nobody confirms it"),
];

/// Characters of one text message.
const LONGEST: usize = 160;
/// What the way to acknowledge begins with; so much of the text has to go before it.
const WAY: &str = " Ack: ";
const LEAST: usize = 60;

#[derive(Debug)]
struct EmailSms {
    domain: String,
    country_code: String,
    longest: usize,
    via: OnceLock<Arc<dyn Channel>>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    table.require_text("via", "mail");
    let domain = table.require_text("domain", "sms.example.org");
    let country_code = table.parsed("country_code", |text| match text.trim_start_matches('+') {
        digits if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(digits.to_owned()),
        _ => Err(format!("{text:?} is not a country code; write \"1\" or \"44\"")),
    });
    let longest = table.integer("longest", 70..=1600).and_then(|n| usize::try_from(n).ok()).unwrap_or(LONGEST);
    let domain = domain?.trim().to_ascii_lowercase();
    if !domain.is_empty() && format!("1@{domain}").parse::<lettre::Address>().is_err() {
        table.error("domain", format!("{domain:?} is not a domain"), "write domain = \"sms.example.org\"");
        return None;
    }
    if let Some(fate) = fate(&domain) {
        table.warning("domain", fate, "let it be never the only way");
    }
    let country_code = country_code.unwrap_or_else(|| "1".into());
    Some(Arc::new(EmailSms { domain, country_code, longest, via: OnceLock::new() }))
}

/// What became of a carrier's gateway, if something did.
pub fn fate(domain: &str) -> Option<String> {
    let known = GATEWAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(domain));
    known.map(|(name, fate)| format!("the gateway {name} {fate}"))
}

impl EmailSms {
    /// The same message as a mail to the gateway.
    fn mail(&self, out: &Outgoing) -> Result<Outgoing, Failure> {
        let address = out.address.as_deref().unwrap_or_default();
        let (number, domain) = address.split_once('@').unwrap_or((address, &self.domain));
        let digits = number.strip_prefix('+').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let words = format!("{number:?} is not a number in E.164");
            return Err(Failure::new(FailureClass::ValidationError, Blame::Message, words));
        }
        let national = digits.strip_prefix(&self.country_code).unwrap_or(digits);
        let mut mail = out.clone();
        mail.address = Some(format!("{national}@{domain}"));
        mail.text.subject.clear();
        mail.text.text = fitting(&out.text.text, self.longest);
        mail.attachments.clear();
        Ok(mail)
    }

    fn via(&self) -> Result<&Arc<dyn Channel>, Failure> {
        let missing = || Failure::new(FailureClass::ProviderError, Blame::Account, "the channel in `via` is not there");
        self.via.get().ok_or_else(missing)
    }
}

/// At most so many characters; what leads to the acknowledgement is not what is cut, if there is room for more.
fn fitting(text: &str, most: usize) -> String {
    let length = |text: &str| text.chars().count();
    if length(text) <= most {
        return text.to_owned();
    }
    let way = text.rfind(WAY).map(|at| &text[at..]).filter(|way| length(way) + LEAST <= most).unwrap_or_default();
    let words = &text[..text.len() - way.len()];
    let room = most - length(way);
    // Dots of three, because one letter outside of GSM 03.38 would halve what fits.
    let cut: String = words.chars().take(room.saturating_sub(3)).collect();
    let cut = if length(words) <= room { words.to_owned() } else { format!("{}...", cut.trim_end()) };
    cut + way
}

impl Channel for EmailSms {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            match self.via().and_then(|via| Ok((via, self.mail(out)?))) {
                Ok((via, mail)) => via.send(&mail).await,
                Err(failure) => AttemptResult::Failed(failure),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let words = self.via()?.probe().await?;
            Ok(format!("{words}; what the gateway does with a message nobody can tell"))
        })
    }

    fn sender(&self) -> Option<&str> {
        self.via.get()?.sender()
    }

    fn describe(&self, out: &Outgoing) -> String {
        match self.via().and_then(|via| Ok(via.describe(&self.mail(out)?))) {
            Ok(words) => words,
            Err(failure) => failure.to_string(),
        }
    }

    fn connect_via(&self, via: Arc<dyn Channel>) {
        let _ = self.via.set(via);
    }
}
