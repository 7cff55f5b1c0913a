//! Lists and single things; what has left the state comes from the history.

use super::Api;
use super::fault::Fault;
use super::history::Thing;
use super::params::{Named, Params, ROWS};
use super::past::{self, Rows};
use crate::config::Config;
use crate::domain::delivery::Status;
use crate::domain::id::DeliveryId;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use crate::domain::who::Who;
use crate::engine::{Caller, Code, Contact, DeliveryFilter, Read, Refusal};
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use std::sync::Arc;
use ulid::Ulid;

type Listed = Result<Json<Value>, Fault>;

/// What the engine answers to a question without parameters.
async fn plain(api: &Api, by: &Caller, params: Params, read: Read) -> Listed {
    params.done()?;
    Ok(Json(api.read(by, read).await?))
}

pub async fn watches(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Watches).await
}

pub async fn fomo(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Fomo).await
}

pub async fn channels(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Channels).await
}

pub async fn silences(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Silences).await
}

pub async fn metric(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
) -> Listed {
    plain(&api, &by, params, Read::Metric(name)).await
}

pub async fn delivery(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
) -> Listed {
    params.done()?;
    Ok(Json(past::delivery(&api, &by, &id).await?))
}

pub async fn deliveries(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, mut params: Params) -> Listed {
    let limit = params.limit()?;
    let wanted = Wanted::read(&api, &by, &mut params).await?;
    let before = cursor(&mut params)?;
    params.done()?;
    let live = match api.read(&by, Read::Deliveries(wanted.filter(before, limit))).await {
        Ok(page) => Rows::of_page(page, "deliveries"),
        // The incident has left the state, and its deliveries with it.
        Err(refusal) if refusal.code == Code::NotFound => Rows::default(),
        Err(refusal) => return Err(refusal.into()),
    };
    let ended = match wanted.status {
        // What has not ended is at hand, all of it.
        Some(status) if !status.is_end() => Rows::default(),
        _ => past::ended(&api, Thing::Delivery, before, limit, |d| wanted.fits(d)).await,
    };
    let page = live.merge(ended).page("deliveries", limit);
    // One that has been taken out of the config may still have deliveries; a slip of the fingers has none.
    let unknown = wanted.channel.filter(|c| !api.handle.config().channels.contains_key(c));
    match unknown.filter(|_| page["deliveries"].as_array().is_some_and(Vec::is_empty)) {
        Some(name) => Err(no_channel(&api, &name).into()),
        None => Ok(Json(page)),
    }
}

fn no_channel(api: &Api, name: &str) -> Refusal {
    let config = api.handle.config();
    let known: Vec<&str> = config.channels.keys().map(String::as_str).collect();
    let message = format!("there is no channel {name:?}; there are {}", known.join(", "));
    Refusal { field: Some("channel".into()), ..Refusal::new(Code::NotFound, message) }
}

/// The id of the last row of the page before.
pub fn cursor(params: &mut Params) -> Result<Option<Ulid>, Refusal> {
    params.read("cursor", |text| Ulid::from_string(text).map_err(|_| "this is not a cursor of this list".to_owned()))
}

/// Which deliveries.
struct Wanted {
    status: Option<Status>,
    channel: Option<String>,
    /// By number.
    incident: Option<u64>,
    tenant: Option<String>,
    contact: Option<Contact>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Wanted {
    async fn read(api: &Api, by: &Caller, params: &mut Params) -> Result<Wanted, Refusal> {
        let incident = match params.take("incident")? {
            Some(text) => past::incident(api, by, &text)
                .await
                .map_err(|r| Refusal { field: Some("incident".into()), ..r })?["number"]
                .as_u64(),
            None => None,
        };
        let (since, until) = params.period()?;
        Ok(Wanted {
            status: params.read("status", status)?,
            channel: params.take("channel")?,
            incident,
            tenant: params.take("tenant")?,
            contact: params.read("contact", |text| contact(text, &api.handle.config()))?,
            since,
            until,
        })
    }

    fn filter(&self, before: Option<Ulid>, limit: usize) -> DeliveryFilter {
        DeliveryFilter {
            status: self.status.map(|s| s.to_string()),
            channel: self.channel.clone(),
            incident: self.incident.map(|n| n.to_string()),
            tenant: self.tenant.clone(),
            contact: self.contact.clone(),
            since: self.since,
            until: self.until,
            limit: Some(limit.min(ROWS)),
            cursor: before.map(|id| id.to_string()),
        }
    }

    /// The same for a document.
    fn fits(&self, delivery: &Value) -> bool {
        let is = |key: &str, wanted: &str| delivery[key] == *wanted;
        let created = || delivery["created_at"].as_str().and_then(|t| Timestamp::parse(t).ok());
        self.status.is_none_or(|s| is("status", s.as_str()))
            && self.channel.as_ref().is_none_or(|c| is("channel", c) || is("via", c))
            && self.incident.is_none_or(|n| delivery["incident"] == n)
            && self.tenant.as_ref().is_none_or(|t| is("tenant", t))
            && self.contact.as_ref().is_none_or(|c| match c {
                // A person's name is in the place of their address.
                Contact::Person(name) => is("recipient", name) && !is("address", name),
                Contact::Address(address) => is("address", address),
            })
            && self.since.is_none_or(|t| created().is_some_and(|at| at >= t))
            && self.until.is_none_or(|t| created().is_some_and(|at| at < t))
    }
}

/// A person, an address or a number: in any form that `--to` takes. A name that nobody has any more still
/// finds what was for them.
fn contact(text: &str, config: &Config) -> Result<Contact, String> {
    match Who::parse(text)? {
        Who::Person(name) if config.people.contains_key(&name) || !phone::is_like_one(&name) => {
            Ok(Contact::Person(name))
        }
        Who::Person(number) => phone::e164(&number, config.daemon.region).map(Contact::Address),
        Who::Email(address) | Who::Phone(address) => Ok(Contact::Address(address)),
        other => Err(format!("{other} is not one person; name a person, an address or a number")),
    }
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| {
        let all: Vec<&str> = Status::ALL.iter().map(|s| s.as_str()).collect();
        format!("{text:?} is not a status; there are {}", all.join(", "))
    })
}

pub async fn dead_letters(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, mut params: Params) -> Listed {
    let limit = params.limit()?;
    let after = cursor(&mut params)?.map(DeliveryId);
    params.done()?;
    Ok(Json(api.read(&by, Read::DeadLetters { limit, after }).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::from_toml;
    use serde_json::json;

    #[test]
    fn a_contact_is_one_person_or_one_address() {
        let config = from_toml("[daemon]\nregion = 'CZ'\n[people.alice]\n[people.601123457]\n");
        let address = |text: &str| Ok(Contact::Address(text.to_owned()));
        let person = |name: &str| Ok(Contact::Person(name.to_owned()));
        assert_eq!(contact("person:alice", &config), person("alice"));
        assert_eq!(contact("bob-who-left", &config), person("bob-who-left"));
        assert_eq!(contact("601123457", &config), person("601123457"), "a name first");
        assert_eq!(contact("601 123 456", &config), address("+420601123456"));
        assert_eq!(contact("a@example.org", &config), address("a@example.org"));
        assert!(contact("group:ops", &config).unwrap_err().contains("not one person"));
        assert!(contact("12 34 56", &config).is_err());
    }

    #[test]
    fn a_document_fits_by_tenant_contact_and_time() {
        let document = json!({ "status": "sent", "channel": "sms", "via": "sms", "incident": null, "tenant": "acme",
            "recipient": "alice", "address": "+15550100", "created_at": "2026-11-20T02:47:03.120+01:00" });
        let none = || Wanted {
            status: None,
            channel: None,
            incident: None,
            tenant: None,
            contact: None,
            since: None,
            until: None,
        };
        let at = |text: &str| Timestamp::parse(text).ok();
        let contact = |c: Contact| Wanted { contact: Some(c), ..none() };
        assert!(none().fits(&document));
        assert!(Wanted { tenant: Some("acme".into()), ..none() }.fits(&document));
        assert!(!Wanted { tenant: Some("other".into()), ..none() }.fits(&document));
        assert!(contact(Contact::Person("alice".into())).fits(&document));
        assert!(contact(Contact::Address("+15550100".into())).fits(&document));
        assert!(!contact(Contact::Person("bob".into())).fits(&document));
        assert!(!contact(Contact::Address("alice".into())).fits(&document));
        assert!(Wanted { until: at("2026-11-20T03:00:00+01:00"), ..none() }.fits(&document));
        assert!(!Wanted { until: at("2026-11-20T02:00:00+01:00"), ..none() }.fits(&document));
        assert!(!Wanted { since: at("2026-11-20T03:00:00+01:00"), ..none() }.fits(&document));
    }
}
