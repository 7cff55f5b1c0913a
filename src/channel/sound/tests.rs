#![allow(clippy::unwrap_used)]

use super::*;
use crate::channel::{Matter, SoundOrder};
use crate::domain::event::Rendered;
use crate::domain::time::Span;
use crate::settings::testing;

fn read(text: &str) -> (Option<Settings>, String) {
    let (settings, problems) = testing::table(text, settings::read);
    (settings, testing::told(&problems))
}

/// What is told of a text that is refused.
fn refused(text: &str) -> String {
    let (_, told) = read(text);
    assert!(told.starts_with("error"), "{text} was taken: {told}");
    told
}

fn outgoing(level: Level) -> Outgoing {
    Outgoing {
        key: "one".to_owned(),
        attempt: 1,
        address: None,
        text: Rendered::default(),
        level,
        ttl: Span::mins(1),
        matter: Matter::default(),
        sound: Some(SoundOrder { max: Span::mins(2) }),
        attachments: Vec::new(),
        callback: None,
    }
}

#[test]
fn without_a_key_it_is_the_tone_of_the_level_once() {
    let (settings, told) = read("");
    assert_eq!(told, "");
    assert_eq!(settings.unwrap(), Settings::new(""));
    let terms = Settings::new("").terms;
    assert_eq!((terms.repeat, terms.max), (Some(1), Span::mins(15)));
}

#[test]
fn the_example_is_read() {
    let text = r#"
        file   = "/usr/share/stentor/sounds/siren.mp3"
        device = "default"
        volume = 0.5
        repeat = "until-acknowledged"
        max    = "10m""#;
    let (settings, told) = read(text);
    let settings = settings.unwrap();
    assert_eq!(told, "");
    assert_eq!(settings.file.as_deref(), Some("/usr/share/stentor/sounds/siren.mp3"));
    assert_eq!((settings.volume, settings.tone), (0.5, None));
    assert_eq!(settings.terms, SoundTerms { repeat: None, max: Span::mins(10) });
}

#[test]
fn repetitions_are_a_number_or_a_word() {
    assert_eq!(read("repeat = 3").0.unwrap().terms.repeat, Some(3));
    assert_eq!(read("repeat = '3'").0.unwrap().terms.repeat, Some(3));
    assert!(refused("repeat = 'for ever'").contains("write \"until-acknowledged\" or a number from 1 to 1000"));
    assert!(refused("repeat = 0").contains("number from 1 to 1000"));
    refused("repeat = true");
}

#[test]
fn until_acknowledged_without_max_is_warned_of() {
    let (settings, told) = read("repeat = 'until-acknowledged'");
    assert_eq!(settings.unwrap().terms, SoundTerms { repeat: None, max: Span::mins(15) });
    assert!(told.starts_with("warning 1:10 repeat: nothing says for how long; it will be 15m"), "{told}");
}

#[test]
fn every_mistake_is_told_at_once() {
    let told = refused("file = 'siren.mp3'\ntone = 'klaxon'\ndevice = ''\nvolume = 0\nmax = '0s'\nlouder = 1");
    for (line, words) in [
        (1, "\"siren.mp3\" is not an absolute path"),
        (2, "\"klaxon\" is not known"),
        (3, "is no name of a sound device"),
        (4, "0 is no volume that can be heard"),
        (5, "nothing can be heard in no time"),
        (6, "unknown key louder"),
    ] {
        assert!(told.lines().any(|l| l.starts_with(&format!("error {line}:")) && l.contains(words)), "{words}: {told}");
    }
    assert!(refused("file = '/a.mp3'\ntone = 'siren'").contains("a file and a tone are given"));
    assert!(refused("volume = 11").contains("at most 10"));
}

#[test]
fn it_describes_what_it_would_do() {
    let siren = Sound::new(Settings { file: Some("/a/siren.mp3".to_owned()), ..Settings::new("siren") });
    assert_eq!(siren.describe(&outgoing(Level::Urgent)), "play siren.mp3 on default, once, at most 2m, at volume 1");
    let terms = SoundTerms { repeat: None, max: Span::mins(15) };
    let tone = Sound::new(Settings { terms, volume: 0.5, ..Settings::new("siren") });
    assert_eq!(
        tone.describe(&outgoing(Level::Low)),
        "play the tone soft on default, until acknowledged, at most 2m, at volume 0.5"
    );
    assert_eq!(tone.sounder().unwrap().terms(), terms);
}

#[test]
fn outside_of_a_runtime_it_fails_and_does_not_panic() {
    let siren = Sound::new(Settings::new("siren"));
    siren.wanted(Vec::new());
    let failed = futures_util::FutureExt::now_or_never(siren.send(&outgoing(Level::Low))).unwrap();
    assert!(matches!(failed, AttemptResult::Failed(f) if f.words.contains("tokio runtime")));
}
