//! Short plain text. The first 60 characters tell level, number and what; nothing in it is there
//! for a machine.

use crate::message::clean;
use crate::message::context::Context;
use crate::message::phrase::{self, Says};
use crate::message::segments;

/// Twilio takes no more, in UTF-16 units.
pub const LONGEST: usize = 1600;
/// What the message itself may take; the way to acknowledge follows after it.
const ROOM: usize = 160;

/// The built-in text.
///
/// The subject is cut so that all before the way to acknowledge takes at most 160 units: one part of
/// GSM-7; in UCS-2 three, because 70 letters would not tell what is wrong. A one-shot says what its
/// sender wrote, subject and body, in as many parts as that takes; what is longer than the providers take
/// ends with three dots.
pub fn text(context: &Context<'_>) -> String {
    let subject = phrase::subject(context);
    if matches!(Says::of(context), Says::OneShot) {
        let text = phrase::headline(context, &subject);
        let text = phrase::sentences(&text, &clean::line(context.body)).into_owned();
        return match context.enclosures.brief() {
            // What leads to the files is not what is cut.
            Some(files) => {
                let room = LONGEST.saturating_sub(files.encode_utf16().count() + 2);
                finished(&phrase::sentences(&segments::fit(&text, room), &files))
            }
            None => finished(&text),
        };
    }
    let mut text = phrase::headline(context, &subject);
    let over = segments::size(&text).units.saturating_sub(ROOM);
    if over > 0 {
        let room = segments::size(&subject).units.saturating_sub(over).max(3);
        text = phrase::headline(context, &segments::fit(&subject, room));
    }
    if matches!(Says::of(context), Says::Test) {
        let whole = phrase::sentences(&text, &clean::line(context.body)).into_owned();
        if over == 0 && segments::fits_one(&whole) {
            text = whole;
        }
    }
    if let Some(files) = context.enclosures.brief() {
        text = phrase::sentences(&text, &files).into_owned();
    }
    if let Some(ways) = phrase::acknowledge(context) {
        text = phrase::sentences(&text, &clean::line(&ways)).into_owned();
    }
    finished(&text)
}

/// What every SMS must be, a template's too: one line, and not longer than the providers take.
pub fn finished(text: &str) -> String {
    let text = clean::line(text);
    if text.encode_utf16().count() <= LONGEST { text } else { segments::fit(&text, LONGEST) }
}
