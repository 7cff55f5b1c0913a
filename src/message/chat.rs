//! A few lines of plain text for a team's channel.

use crate::message::attachment;
use crate::message::clean;
use crate::message::context::Context;
use crate::message::phrase::{self, Says};

/// Slack advises to stay under 4,000 letters; the rest is in the mail and the ledger.
const BODY: usize = 3000;

/// The built-in text.
pub fn text(context: &Context<'_>) -> String {
    let mut lines = vec![phrase::headline(context, &clean::short(&phrase::subject(context), 300))];
    if matches!(Says::of(context), Says::Alarm | Says::Reminder | Says::OneShot | Says::Test) {
        let body = clean::short(&clean::block(context.body), BODY);
        lines.extend((!body.is_empty()).then_some(body));
        lines.extend(links(context));
        lines.extend(attachment::lines(&context.enclosures));
    }
    lines.extend(phrase::acknowledge(context).map(|ways| clean::line(&ways)));
    if context.possibly_duplicate {
        lines.push("(This may be a repeat: the answer to an earlier attempt was lost.)".to_owned());
    }
    lines.join("\n")
}

/// What every chat text must be, a template's too.
pub fn finished(text: &str) -> String {
    clean::short(&clean::block(text), 4000)
}

/// Runbooks and dashboards that the alert brought.
fn links<'a>(context: &'a Context<'_>) -> impl Iterator<Item = String> + 'a {
    let is_link = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let links = context.annotations.iter().filter(move |(_, value)| is_link(value));
    links.take(3).map(|(name, value)| format!("{}: {}", clean::line(name), clean::short(&clean::line(value), 300)))
}
