//! `[people.NAME]` with preferences, and `[groups.NAME]`.

use crate::channel::gateway_fate;
use crate::config::later::{self, Home};
use crate::config::options::LoadOptions;
use crate::config::person::{Person, Preferences, Quiet, Wanted};
use crate::config::read::daemon;
use crate::config::read::entries::{by_name, named};
use crate::config::read::incident;
use crate::domain::delivery::Medium;
use crate::domain::level::Level;
use crate::domain::phone::{self, Region};
use crate::domain::who;
use crate::domain::window::Window;
use crate::settings::{Shape, Table};
use std::collections::BTreeMap;

pub fn read(root: &mut Table<'_>, options: &LoadOptions<'_>, region: Option<Region>) -> BTreeMap<String, Person> {
    by_name(named(root, "people"), |table| Some(person(table, options, region)))
}

fn person(table: &mut Table<'_>, options: &LoadOptions<'_>, region: Option<Region>) -> Person {
    let preferences =
        later::may_read(table, Home::Person, "preferences", options).then(|| table.table("preferences")).flatten();
    let sms_domain = table.parsed("sms_domain", domain);
    if let Some(fate) = sms_domain.as_deref().and_then(gateway_fate) {
        table.warning("sms_domain", fate, "let it be never the only way to this person");
    }
    Person {
        name: table.name().to_owned(),
        email: address(table, "email", "unset@example.invalid", who::email),
        phone: address(table, "phone", "+10000000000", |text| phone::e164(text, region)),
        login: table.text("login").filter(|login| !login.is_empty()),
        tier: table.text("tier").filter(|tier| !tier.is_empty()),
        timezone: table.parsed("timezone", daemon::timezone).map(|(zone, _)| zone),
        sms_domain,
        preferences: preferences.map(|mut table| read_preferences(&mut table)).unwrap_or_default(),
    }
}

/// It may be empty (`"${BOB_PHONE:-}"`): the person has none then. Without secrets a placeholder
/// that is not set counts as present.
fn address(
    table: &mut Table<'_>,
    key: &str,
    stand_in: &str,
    parse: impl Fn(&str) -> Result<String, String>,
) -> Option<String> {
    let optional = |text: &str| if text.trim().is_empty() { Ok(None) } else { parse(text).map(Some) };
    match table.parsed(key, optional) {
        Some(address) => address,
        None if table.has(key) && table.reading().without_secrets() => Some(stand_in.to_owned()),
        None => None,
    }
}

/// A host name, as the part after the `@` of a carrier's gateway.
fn domain(text: &str) -> Result<String, String> {
    match who::email(&format!("number@{text}")) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("{text:?} is not a domain; write for example \"vtext.example.com\"")),
    }
}

fn read_preferences(table: &mut Table<'_>) -> Preferences {
    let mut preferences = Preferences::default();
    for medium in [Medium::Mail, Medium::Sms, Medium::Voice] {
        if let Some(wanted) = wanted(table, medium.as_str()) {
            preferences.media.insert(medium, wanted);
        }
    }
    if let Some(mut quiet) = table.table("quiet") {
        let hours = quiet.parsed_list("hours", Window::parse).unwrap_or_default();
        if hours.is_empty() {
            quiet.error("hours", "there are no quiet hours", "write hours = [\"22:00-07:00\"]");
        }
        let until = quiet.parsed("until", incident::level).unwrap_or(Level::Urgent);
        preferences.quiet = Some(Quiet { hours, until });
    }
    preferences
}

/// `None`: everything.
fn wanted(table: &mut Table<'_>, medium: &str) -> Option<Wanted> {
    if table.shape(medium) == Some(Shape::Table) {
        let mut inner = table.table(medium)?;
        return inner.texts("types").map(Wanted::Types);
    }
    match table.flag(medium)? {
        true => None,
        false => Some(Wanted::Off),
    }
}

pub fn read_groups(root: &mut Table<'_>) -> BTreeMap<String, Vec<String>> {
    by_name(named(root, "groups"), |table| {
        let members = table.texts("members");
        if members.is_none() && !table.has("members") {
            table.error("members", "a group has members", "write members = [\"alice\", \"bob\"]");
        }
        Some(members.unwrap_or_default())
    })
}
