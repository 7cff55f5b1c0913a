//! Lines for standard error: `2026-11-30T05:56:08.123456Z  WARN words incident=7 channel="hook"`.
//!
//! What a line says may come from a stranger: a letter that steers a terminal is written as what it is.

use super::lines::Lines;
use crate::domain::clock;
use crate::domain::time::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use std::fmt::{self, Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// To the microsecond, in UTC.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
/// Room for most lines.
const USUAL: usize = 256;

/// Writes every event as one line.
pub struct Text(pub Lines);

impl<S: Subscriber> Layer<S> for Text {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.put_whole(line(clock::wall(), event).into_bytes());
    }
}

fn line(at: Timestamp, event: &Event<'_>) -> String {
    let mut entry = Entry(String::with_capacity(USUAL));
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    // Writing into a text cannot fail, here as below.
    let _ = PRINTER.print_timestamp(&at, &mut entry.0);
    entry.0.push(' ');
    entry.0.push_str(padded(event.metadata().level()));
    event.record(&mut entry);
    entry.0.push('\n');
    entry.0
}

fn padded(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "ERROR",
        Level::WARN => " WARN",
        Level::INFO => " INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// The words, and each field behind them as `name=value`.
struct Entry(String);

impl Entry {
    fn begin(&mut self, field: &Field) -> bool {
        self.0.push(' ');
        let is_message = field.name() == "message";
        if !is_message {
            self.0.push_str(field.name());
            self.0.push('=');
        }
        is_message
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let is_message = self.begin(field);
        let _ = match is_message {
            true => write!(Harmless(&mut self.0), "{value:?}"),
            false => write!(self.0, "{value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_message = self.begin(field);
        let _ = match is_message {
            true => Harmless(&mut self.0).write_str(value),
            false => write!(self.0, "{value:?}"),
        };
    }
}

/// Takes what terminals act upon.
struct Harmless<'a>(&'a mut String);

impl Write for Harmless<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Nearly every text is of letters that are harmless.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.0.push_str(text);
            return Ok(());
        }
        text.chars().try_for_each(|letter| match letter {
            '\x07' | '\x08' | '\x0c' | '\x1b' | '\x7f' => write!(self.0, "\\x{:02x}", letter as u32),
            '\u{80}'..='\u{9f}' => write!(self.0, "\\u{{{:x}}}", letter as u32),
            letter => self.0.write_char(letter),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, PoisonError};
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::SubscriberExt;

    /// What either way of writing made.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<String>>);

    impl Heard {
        fn text(&self) -> String {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
        fn add(&self, text: &str) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        }
    }

    impl std::io::Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.add(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Heard {
        type Writer = Heard;
        fn make_writer(&'a self) -> Heard {
            self.clone()
        }
    }

    struct Ours(Heard);

    impl<S: Subscriber> Layer<S> for Ours {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.add(&line(clock::wall(), event));
        }
    }

    fn say_all() {
        let incident = Some(7_u64);
        let nothing: Option<u64> = None;
        tracing::warn!(incident, nothing, channel = Some("ho\"ok"), "{}", "#7 opened: \u{1b}[2J\u{7f}\u{9b}é\tx");
        let error = std::io::Error::other("gone\nfor good");
        tracing::info!(%error, task = "loop", n = -3, well = true, share = 0.5, path = ?["a"], "a task ended");
        tracing::error!("no fields");
    }

    /// As the library writes them, whose lines people's filters know.
    #[test]
    fn a_line_has_its_time_its_level_its_words_and_its_fields() {
        let (ours, theirs) = (Heard::default(), Heard::default());
        let library = tracing_subscriber::fmt::layer().with_writer(theirs.clone()).with_target(false).with_ansi(false);
        let both = tracing_subscriber::registry().with(Ours(ours.clone())).with(library);
        tracing::subscriber::with_default(both, say_all);
        // Their times differ by what lies between the two.
        let timeless = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest).to_owned()).collect()
        };
        let (ours, theirs) = (ours.text(), theirs.text());
        assert_eq!(timeless(&ours), timeless(&theirs));
        let times = |text: &str| text.lines().map(|l| l.find(' ')).collect::<Vec<_>>();
        assert_eq!(times(&ours), times(&theirs));
        assert!(ours.contains(r"\x1b[2J\x7f\u{9b}é"), "{ours}");
    }
}
