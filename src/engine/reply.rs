//! What somebody writes back, as a word that we know: `417a`, `ack`, `4`, `resolve 417`.

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Acknowledge,
    Resolve,
    Escalate,
}

/// A text message, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With the number of the incident, or without one: the latest.
    Do(Verb, Option<u64>),
    Unknown,
}

/// The keys of a telephone, and what is the same in a message.
pub fn key(digit: &str) -> Option<Verb> {
    match digit {
        "4" => Some(Verb::Acknowledge),
        "6" => Some(Verb::Resolve),
        "5" => Some(Verb::Escalate),
        _ => None,
    }
}

fn word(word: &str) -> Option<Verb> {
    Some(match word {
        "a" | "ack" | "acknowledge" | "acknowledged" => Verb::Acknowledge,
        "r" | "resolve" | "resolved" | "c" | "close" => Verb::Resolve,
        "e" | "escalate" => Verb::Escalate,
        _ => return None,
    })
}

/// Capitals, blanks, quotes and full stops do not count. A number alone acknowledges.
pub fn parse(text: &str) -> Reply {
    let dropped =
        |c: char| c.is_whitespace() || c.is_control() || is_quote(c) || matches!(c, '#' | '.' | '!' | ':' | ',');
    // More than this is no word of ours.
    let plain: String = text.chars().take(80).filter(|c| !dropped(*c)).flat_map(char::to_lowercase).collect();
    if let Some(verb) = key(&plain).or_else(|| word(&plain)) {
        return Reply::Do(verb, None);
    }
    let digits = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let end = plain.find(|c: char| !c.is_ascii_digit()).unwrap_or(plain.len());
    let (number, rest) = plain.split_at(end);
    let (number, verb) = match number {
        "" => {
            let start = plain.find(|c: char| c.is_ascii_digit()).unwrap_or(plain.len());
            let (verb, number) = plain.split_at(start);
            (digits(number), word(verb))
        }
        number if rest.is_empty() => (digits(number), Some(Verb::Acknowledge)),
        number => (digits(number), word(rest)),
    };
    match (number, verb) {
        (Some(number), Some(verb)) => Reply::Do(verb, Some(number)),
        _ => Reply::Unknown,
    }
}

/// The words by which a number wants no more texts, or wants them again, whoever the carrier is.
pub fn opts_out(text: &str) -> Option<bool> {
    match text.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" => Some(true),
        "START" | "UNSTOP" => Some(false),
        _ => None,
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}')
}
