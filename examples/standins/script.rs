//! How the stand-ins misbehave.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// One way to misbehave. As JSON: `{"fault": "status", "status": 503}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    #[default]
    None,
    /// Answers well, but only after this long.
    Slow { millis: u64 },
    /// Reads the request and never answers.
    Hang,
    /// Answers this, with the service's usual words for it unless `body` says other.
    Status {
        status: u16,
        #[serde(default)]
        retry_after: Option<String>,
        #[serde(default)]
        body: Option<String>,
    },
    /// Answers well, with these headers beside.
    Headers { headers: BTreeMap<String, String> },
    /// A success by its status, an error by its body.
    ErrorInside,
    /// Answers this, and says back all that it was told.
    Echo { status: u16 },
    /// 200 and a web page, as captive portals answer.
    Html,
    /// Closes the connection before it has read anything.
    CutBefore,
    /// Reads the whole request, then closes the connection.
    CutAfter,
    /// Promises a longer body than it sends.
    CutAnswer,
    /// Answers at once, then its body byte by byte for ever.
    Drip,
    /// Answers with this much of nothing.
    Huge { bytes: usize },
    /// Its certificate is for another host.
    WrongHost,
    /// Its certificate has expired.
    Expired,
    /// Its certificate is signed by itself.
    SelfSigned,
    /// Its certificate is good for nine days more.
    EndsSoon,
    /// SMTP only: at this verb (`connect`, `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data`,
    /// `text`, `noop`, `quit`) `stall`s, `drop`s the connection, or answers this line.
    Verb { verb: String, act: String },
}

impl Fault {
    pub fn status(status: u16) -> Fault {
        Fault::Status { status, retry_after: None, body: None }
    }

    /// A refusal in the provider's own words.
    pub fn refusal(status: u16, body: impl ToString) -> Fault {
        Fault::Status { status, retry_after: None, body: Some(body.to_string()) }
    }

    pub fn header(name: &str, value: &str) -> Fault {
        Fault::Headers { headers: [(name.to_owned(), value.to_owned())].into() }
    }

    /// Whether it shows in the TLS handshake.
    pub fn is_of_tls(&self) -> bool {
        matches!(self, Fault::WrongHost | Fault::Expired | Fault::SelfSigned | Fault::EndsSoon)
    }

    pub fn verb(verb: &str, act: &str) -> Fault {
        Fault::Verb { verb: verb.into(), act: act.into() }
    }
}

/// What each service is told to do.
#[derive(Debug, Default)]
pub struct Script(Mutex<BTreeMap<String, (Fault, Option<u32>)>>);

impl Script {
    pub fn set(&self, service: &str, fault: Fault, times: Option<u32>) {
        self.0.lock().unwrap().insert(service.into(), (fault, times));
    }

    /// What is set, not counted as done.
    pub fn peek(&self, service: &str) -> Fault {
        self.0.lock().unwrap().get(service).map(|(fault, _)| fault.clone()).unwrap_or_default()
    }

    /// What to do now, if it is one of those asked about; counts as done.
    pub fn take(&self, service: &str, wanted: impl Fn(&Fault) -> bool) -> Fault {
        let mut all = self.0.lock().unwrap();
        let Some((fault, times)) = all.get_mut(service).filter(|(fault, _)| wanted(fault)) else {
            return Fault::None;
        };
        let fault = fault.clone();
        if let Some(left) = times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                all.remove(service);
            }
        }
        fault
    }
}
