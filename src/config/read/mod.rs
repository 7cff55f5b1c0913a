//! From tables to the model, each value by itself; whether they fit together is for the rules.
//!
//! What is wrong is reported and left out, and reading goes on: the draft that comes out is only
//! believed when there was no error.

mod access;
mod book;
mod channels;
mod daemon;
mod entries;
mod heartbeats;
mod hooks;
mod incident;
mod intake;
mod levels;
mod limits;
mod people;
mod policies;
mod retention;
mod schedules;
mod templates;
mod watches;

use crate::config::later::{self, Home};
use crate::config::model::{Config, Source};
use crate::config::options::LoadOptions;
use crate::settings::{Environment, Table};
use book::Book;

/// Reads every table of the document.
pub fn draft(root: &mut Table<'_>, environment: &dyn Environment, options: &LoadOptions<'_>) -> Config {
    let daemon = daemon::read(root, environment);
    let people = people::read(root, options, daemon.region);
    let book = Book { people: &people, region: daemon.region };
    let config = Config {
        access: access::read(root, &people, options),
        deadman: daemon::read_deadman(root),
        http: daemon::read_http(root),
        retention: retention::read(root),
        channels: channels::read(root, options, book),
        hooks: hooks::read(root),
        groups: people::read_groups(root),
        schedules: schedules::read(root, &daemon, options),
        levels: levels::read(root, options, book),
        policies: policies::read(root, book),
        heartbeats: heartbeats::read(root, &daemon.timezone_name, book),
        watches: watches::read(root, book),
        alertmanager: intake::read(root),
        templates: templates::read(root, options),
        budgets: limits::budgets(root),
        source: Source::default(),
        people,
        daemon,
    };
    if later::may_read(root, Home::Top, "routes", options) {
        root.known(&["routes"]);
    }
    config
}
