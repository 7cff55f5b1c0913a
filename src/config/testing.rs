//! A finished config from a text, for tests: stand-in adapters for every kind, also those to come,
//! and everything that is "not yet supported" read all the same.

use crate::channel::{Channel, Confirmer, Format, Found, Incoming, Inquirer, Kind, Lost, Outgoing, Probed, sound};
use crate::config::accounts::Accounts;
use crate::config::load::load_from_files;
use crate::config::model::Config;
use crate::config::options::{LoadOptions, Loaded};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::{AttemptResult, Heard};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::time::Span;
use crate::settings::Table;
use crate::settings::testing::environment;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Reads `text` as a whole config. Placeholders may be unset, secrets missing, and later kinds and
/// keys are read.
///
/// # Panics
/// When there is an error, with all of them.
pub fn from_toml(text: &str) -> Config {
    let options = LoadOptions { without_secrets: true, allow_later: true, ..stand_in_options() };
    let loaded = load_text(text, &[], &options);
    match loaded.config {
        Some(config) => config,
        None => {
            let told: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
            panic!("the config has errors:\n{}", told.join("\n"))
        }
    }
}

/// Loads `text` as the file `test.toml`; `values` are variables (`NAME`) and files (`file:NAME`).
pub fn load_text(text: &str, values: &[(&str, &str)], options: &LoadOptions<'_>) -> Loaded {
    let files = vec![("test.toml".into(), text.as_bytes().to_vec())];
    load_from_files(Path::new("test.toml"), files, &environment(values), options)
}

/// Stand-in kinds, and a machine without users.
pub fn stand_in_options() -> LoadOptions<'static> {
    LoadOptions { kinds: STAND_INS, accounts: &Nobody, ..LoadOptions::default() }
}

/// No users and no groups.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Accounts for Nobody {
    fn user(&self, _name: &str) -> Option<u32> {
        None
    }
    fn group(&self, _name: &str) -> Option<BTreeSet<u32>> {
        None
    }
}

/// These users and groups.
#[derive(Clone, Debug, Default)]
pub struct FixedAccounts {
    pub users: BTreeMap<String, u32>,
    pub groups: BTreeMap<String, BTreeSet<u32>>,
}

impl Accounts for FixedAccounts {
    fn user(&self, name: &str) -> Option<u32> {
        self.users.get(name).copied()
    }
    fn group(&self, name: &str) -> Option<BTreeSet<u32>> {
        self.groups.get(name).cloned()
    }
}

/// One of each kind of the example, which takes any key and sends nothing.
pub const STAND_INS: &[&Kind] = &[
    &Kind { read: take_and_carry, ..stand_in("smtp", Sort::Addressed(Medium::Mail), Format::Mail) },
    &Kind { read: take_and_carry, ..stand_in("sendgrid", Sort::Addressed(Medium::Mail), Format::Mail) },
    &Kind { read: take_and_list, ..stand_in("twilio-sms", Sort::Addressed(Medium::Sms), Format::Sms) },
    &Kind { read: take_and_tell, ..stand_in("telnyx-sms", Sort::Addressed(Medium::Sms), Format::Sms) },
    &stand_in("email-sms", Sort::Addressed(Medium::Sms), Format::Sms),
    &Kind { read: take_and_tell, ..stand_in("twilio-voice", Sort::Addressed(Medium::Voice), Format::Speech) },
    &stand_in("slack", Sort::Fixed, Format::Chat),
    &stand_in("webhook", Sort::Fixed, Format::Document),
    // The real one: it touches nothing before it is asked to send.
    &sound::KIND,
];

const fn stand_in(name: &'static str, sort: Sort, format: Format) -> Kind {
    Kind { name, sort, provider: name, format, read: take_anything }
}

fn take_anything(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    table.ignore_unknown();
    Some(Arc::new(StandIn::default()))
}

fn take_and_carry(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mib = table.integer("attachments_mib", 0..=25).map_or(20, i64::unsigned_abs);
    table.ignore_unknown();
    Some(Arc::new(StandIn { attaches: Some(mib << 20), ..StandIn::default() }))
}

fn take_and_list(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    table.ignore_unknown();
    Some(Arc::new(StandIn { tells: true, lists: true, ..StandIn::default() }))
}

fn take_and_tell(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    table.ignore_unknown();
    Some(Arc::new(StandIn { tells: true, ..StandIn::default() }))
}

/// Says "simulated" to everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandIn {
    /// Bytes of files that it carries.
    attaches: Option<u64>,
    /// Its provider says later how a message ended; asked, it does not answer.
    tells: bool,
    /// Its provider can be asked what it has; it says that it cannot tell.
    lists: bool,
}

impl Channel for StandIn {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async { AttemptResult::Simulated { detail: self.describe(out) } })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async { Ok("a stand-in is always well".to_owned()) })
    }

    fn describe(&self, out: &Outgoing) -> String {
        format!("to {}", out.address.as_deref().unwrap_or("its own place"))
    }

    fn attaches(&self) -> Option<u64> {
        self.attaches
    }

    fn confirmer(&self) -> Option<&dyn Confirmer> {
        self.tells.then_some(self)
    }

    fn inquirer(&self) -> Option<&dyn Inquirer> {
        self.lists.then_some(self)
    }
}

impl Confirmer for StandIn {
    fn verify(&self, _call: &Incoming<'_>) -> Result<(), String> {
        Err("a stand-in calls nobody".to_owned())
    }

    fn ask<'a>(&'a self, _provider_id: &'a str) -> Option<BoxFuture<'a, Result<Heard, Failure>>> {
        let failure = Failure::new(FailureClass::Timeout, Blame::Channel, "a stand-in cannot tell");
        Some(Box::pin(async { Err(failure) }))
    }

    fn prices(&self) -> bool {
        true
    }

    fn patience(&self) -> Span {
        Span::secs(30)
    }
}

impl Inquirer for StandIn {
    fn inquire<'a>(&'a self, _lost: &'a Lost) -> BoxFuture<'a, Found> {
        Box::pin(async { Found::Unclear { words: "a stand-in cannot tell".to_owned() } })
    }
}
