//! `[policies.NAME]`: how it goes on until somebody acknowledges.

use crate::config::model::{Policy, Step};
use crate::config::read::book::Book;
use crate::config::read::entries::{by_name, named, some_time};
use crate::config::read::incident::NO_POLICY;
use crate::domain::time::Span;
use crate::settings::Table;
use std::collections::BTreeMap;

pub fn read(root: &mut Table<'_>, book: Book<'_>) -> BTreeMap<String, Policy> {
    by_name(named(root, "policies"), |table| {
        if table.name() == NO_POLICY {
            table.error("", "\"none\" is reserved: it means no policy at all", "give it another name");
        }
        Some(policy(table, book))
    })
}

fn policy(table: &mut Table<'_>, book: Book<'_>) -> Policy {
    table.renamed("attempts", "repeat = 3");
    table.renamed("notify", "steps = [ { after = \"0s\", channels = [\"...\"] } ]");
    let repeat = table.integer("repeat", 0..=1000).map_or(0, |n| n as u32);
    let every = some_time(table, "every");
    let steps = steps(table, book);
    if steps.is_empty() && (!table.has("steps") || table.element_places("steps").is_empty()) {
        table.error("steps", "a policy has steps", "write steps = [ { after = \"0s\", channels = [\"...\"] } ]");
    }
    if repeat > 0 && !table.has("every") {
        table.error("every", "rounds that are repeated begin at a distance", "write every = \"30m\"");
    }
    if let (Some(every), Some(last)) = (every, steps.last())
        && every <= last.after
    {
        table.error(
            "every",
            format!("a round of {every} is over before its last step at {}", last.after),
            format!("write a duration longer than {}", last.after),
        );
    }
    Policy { name: table.name().to_owned(), repeat, every, steps }
}

/// In the order of the file, which must be the order of time.
fn steps(table: &mut Table<'_>, book: Book<'_>) -> Vec<Step> {
    let mut before: Option<Span> = None;
    let mut steps = Vec::new();
    for mut table in table.tables("steps") {
        let step = step(&mut table, book);
        match before {
            None if step.after > Span::ZERO => {
                table.error("after", format!("the first step waits {}", step.after), "write after = \"0s\"");
            }
            Some(before) if step.after <= before && table.has("after") => {
                let message = format!("{} is not later than the step before, at {before}", step.after);
                table.error("after", message, format!("write a duration longer than {before}"));
            }
            _ => {}
        }
        before = Some(step.after);
        steps.push(step);
    }
    steps
}

fn step(table: &mut Table<'_>, book: Book<'_>) -> Step {
    table.renamed("notify", "channels = [\"...\"], to = [\"...\"]");
    table.renamed("schedule", "to = [\"schedule:NAME\"]");
    Step {
        after: table.require_parsed("after", "5m", Span::parse).unwrap_or_default(),
        channels: table.texts("channels"),
        to: book.who(table, "to"),
    }
}
