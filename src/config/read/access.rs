//! `[access]`, and `login` of people: unix users and groups to uids, now and not per request.

use crate::config::model::Access;
use crate::config::options::LoadOptions;
use crate::config::person::Person;
use crate::settings::Table;
use std::collections::{BTreeMap, BTreeSet};

pub fn read(root: &mut Table<'_>, people: &BTreeMap<String, Person>, options: &LoadOptions<'_>) -> Access {
    let mut access = Access { logins: logins(root, people, options), ..Access::default() };
    if let Some(mut table) = root.table("access") {
        let names = &mut access.names;
        access.admin = role(&mut table, "admin", options, names);
        access.operator = role(&mut table, "operator", options, names);
        access.viewer = role(&mut table, "viewer", options, names);
        access.channel_settings = table.flag("channel_settings").unwrap_or(false);
    }
    access
}

/// The uids that a role is given to; users named one by one are remembered by `known`.
fn role(
    table: &mut Table<'_>,
    key: &str,
    options: &LoadOptions<'_>,
    known: &mut BTreeMap<u32, String>,
) -> BTreeSet<u32> {
    let names = table.texts(key).unwrap_or_default();
    let places = table.element_places(key);
    let mut uids = BTreeSet::new();
    for (i, name) in names.iter().enumerate() {
        let found = match name.strip_prefix('@') {
            Some(group) => options.accounts.group(group),
            None => options.accounts.user(name).map(|uid| {
                known.insert(uid, name.clone());
                BTreeSet::from([uid])
            }),
        };
        match found {
            Some(found) => uids.extend(found),
            None => {
                let sort = if name.starts_with('@') { "unix group" } else { "unix user" };
                let place = places.get(i).copied().unwrap_or_else(|| table.place(key));
                let message = format!("{}: there is no {sort} {:?}", table.path(key), name.trim_start_matches('@'));
                table.reading().warning_at(place, message, "it grants nothing until it is there and stentor reloads");
            }
        }
    }
    uids
}

fn logins(root: &mut Table<'_>, people: &BTreeMap<String, Person>, options: &LoadOptions<'_>) -> BTreeMap<u32, String> {
    let mut logins: BTreeMap<u32, String> = BTreeMap::new();
    for mut table in root.named_tables("people") {
        table.ignore_unknown();
        let Some(login) = people.get(table.name()).and_then(|p| p.login.as_ref()) else { continue };
        let Some(uid) = options.accounts.user(login) else {
            table.warning(
                "login",
                format!("there is no unix user {login:?}"),
                "it grants nothing until it is there and stentor reloads",
            );
            continue;
        };
        if let Some(other) = logins.get(&uid) {
            table.error("login", format!("the unix user {login:?} is {other} already"), "one unix user is one person");
            continue;
        }
        logins.insert(uid, table.name().to_owned());
    }
    logins
}
