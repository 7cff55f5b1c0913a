//! `incidents list` and `incidents show`.

use crate::ctl::commands::deliveries::attached;
use crate::ctl::commands::incidents::text::{block, notified};
use crate::ctl::commands::ledger::happened;
use crate::ctl::fields::{count, items, number, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use serde_json::Value;
use std::io;

pub fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["NUMBER", "LEVEL", "STATUS", "OPENED", "BY", "SUBJECT"]);
    for incident in items(document, "incidents") {
        table.row(vec![
            Piece::new(Ink::Bold, number(incident)),
            Piece::status(text(incident, "level")),
            Piece::status(text(incident, "status")),
            screen.clock(when(incident, "opened_at")).into(),
            text(incident, "opened_by").into(),
            text(incident, "subject").into(),
        ]);
    }
    table.print(screen, "no incidents")?;
    screen.more(document)
}

pub fn one(screen: &mut Screen<'_>, incident: &Value) -> io::Result<()> {
    block(screen, incident, None)?;
    let mut fields = vec![
        ("id", text(incident, "id")),
        ("fingerprint", text(incident, "fingerprint")),
        ("type", text(incident, "type")),
        ("opened", screen.stamp(when(incident, "opened_at"))),
        ("policy", policy(incident)),
        ("labels", text(incident, "labels")),
    ];
    fields.extend(attached(incident));
    screen.line("")?;
    screen.fields(&fields)?;
    if let Some(body) = plain(incident, "body") {
        screen.line("")?;
        screen.paragraph("  ", &body)?;
    }
    lines(screen, "told", items(incident, "notified"), |screen, n| {
        let mut line = vec!["  ".into()];
        line.extend(notified(screen, n));
        screen.pieces(&line)
    })?;
    lines(screen, "happened", items(incident, "events"), |screen, e| happened(screen, "  ", e))
}

fn policy(incident: &Value) -> String {
    match (plain(incident, "policy"), count(incident, "rounds")) {
        (Some(name), 0) => name,
        (Some(name), rounds) => {
            format!("{name}, round {} of {rounds}, step {}", text(incident, "round"), text(incident, "step"))
        }
        (None, _) => "none".into(),
    }
}

fn lines(
    screen: &mut Screen<'_>,
    title: &str,
    of: &[Value],
    mut line: impl FnMut(&mut Screen<'_>, &Value) -> io::Result<()>,
) -> io::Result<()> {
    if of.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.pieces(&[Piece::new(Ink::Dim, title)])?;
    of.iter().try_for_each(|one| line(screen, one))
}
