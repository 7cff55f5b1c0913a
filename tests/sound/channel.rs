//! The channel as the daemon uses it.

use crate::device::{Device, eventually, fixture, times, until_acknowledged};
use crate::pitch::{peak, pitch, seconds, share, trimmed};
use stentor::channel::sound::{Settings, Sound, Tone};
use stentor::channel::{Channel, Matter, Outgoing, SoundOrder, Sounder, WantedSound};
use stentor::domain::event::{AttemptResult, Rendered};
use stentor::domain::level::Level;
use stentor::domain::time::Span;

pub fn outgoing(key: &str, level: Level) -> Outgoing {
    Outgoing {
        key: key.to_owned(),
        attempt: 1,
        address: None,
        text: Rendered::default(),
        level,
        ttl: Span::mins(5),
        matter: Matter::default(),
        sound: Some(SoundOrder { max: Span::mins(15) }),
        attachments: Vec::new(),
        callback: None,
    }
}

pub fn wanted(key: &str) -> WantedSound {
    WantedSound { key: key.to_owned(), level: Level::Urgent, left: Span::mins(15), full: false }
}

/// The detail of a delivery.
pub fn delivered(result: AttemptResult) -> String {
    match result {
        AttemptResult::Delivered { detail, .. } => detail,
        other => panic!("not delivered: {other:?}"),
    }
}

/// Plays to its end and says what was heard.
async fn play(device: &Device, settings: Settings, level: Level) -> (Vec<f32>, String) {
    let channel = device.channel(settings);
    let detail = delivered(channel.send(&outgoing("one", level)).await);
    let ended = channel.ended().await;
    assert_eq!(ended.key, "one");
    (device.heard(), detail)
}

#[tokio::test]
async fn an_urgent_sound_is_a_siren_of_two_tones() {
    let device = Device::file();
    let (heard, detail) = play(&device, Settings::new("siren"), Level::Urgent).await;
    assert_eq!(detail, "the tone siren on default");
    let heard = trimmed(&heard);
    assert!((3.9..4.05).contains(&seconds(heard)), "{} s", seconds(heard));
    let halves: Vec<Option<f32>> = heard.chunks(24_000).map(|half| pitch(half, &[800.0, 600.0])).collect();
    assert_eq!(halves, [Some(800.0), Some(600.0)].repeat(4));
}

#[tokio::test]
async fn every_level_sounds_different() {
    let mut pitches = Vec::new();
    for level in [Level::High, Level::Normal, Level::Low] {
        let device = Device::file();
        let (heard, _) = play(&device, Settings::new("siren"), level).await;
        let heard = trimmed(&heard);
        pitches.push((pitch(&heard[..12_000], &[880.0, 440.0]), peak(heard) > 0.5));
    }
    assert_eq!(pitches, [(None, true), (Some(880.0), true), (Some(440.0), false)]);
}

#[tokio::test]
async fn every_format_is_played() {
    for (name, hz) in [("500hz.wav", 500.0), ("1000hz.mp3", 1_000.0), ("750hz.ogg", 750.0), ("1250hz.flac", 1_250.0)] {
        let device = Device::file();
        let settings = Settings { file: Some(fixture(name)), ..Settings::new("siren") };
        let (heard, detail) = play(&device, settings, Level::Urgent).await;
        assert_eq!(detail, format!("{name} on default"));
        let heard = trimmed(&heard);
        assert!((0.5..0.7).contains(&seconds(heard)), "{name}: {} s", seconds(heard));
        assert!(share(heard, hz) > 0.8, "{name}: {} of it at {hz} Hz", share(heard, hz));
    }
}

#[tokio::test]
async fn volume_and_repetitions_are_obeyed() {
    let (once, loud) = (Device::file(), Device::file());
    let file = Some(fixture("500hz.wav"));
    let settings = Settings { file, volume: 0.5, terms: times(3), ..Settings::new("siren") };
    let (quiet, _) = play(&once, settings.clone(), Level::Low).await;
    let (loud, _) = play(&loud, Settings { volume: 1.0, ..settings }, Level::Low).await;
    assert!((1.75..1.9).contains(&seconds(trimmed(&quiet))), "{} s", seconds(trimmed(&quiet)));
    let ratio = peak(&quiet) / peak(&loud);
    assert!((0.45..0.55).contains(&ratio), "{ratio}");
}

#[tokio::test]
async fn a_tone_named_in_the_config_is_that_of_every_level() {
    let device = Device::file();
    let (heard, detail) =
        play(&device, Settings { tone: Some(Tone::Beep), ..Settings::new("siren") }, Level::Urgent).await;
    assert_eq!(detail, "the tone beep on default");
    assert_eq!(pitch(&trimmed(&heard)[..14_000], &[800.0, 880.0]), Some(880.0));
}

#[tokio::test]
async fn max_ends_a_sound_that_nobody_acknowledges() {
    let device = Device::file();
    let channel = device.channel(Settings { terms: until_acknowledged(), ..Settings::new("siren") });
    let out = Outgoing { sound: Some(SoundOrder { max: Span::secs(3) }), ..outgoing("one", Level::Urgent) };
    delivered(channel.send(&out).await);
    assert_eq!(channel.ended().await.because, "its time was over");
    let heard = device.heard();
    // Its time runs from the asking, so a slow machine hears a little less.
    assert!((1.5..3.1).contains(&seconds(trimmed(&heard))), "{} s", seconds(trimmed(&heard)));
}

#[tokio::test]
async fn f62_it_is_silent_within_a_second_of_no_longer_being_wanted() {
    let (device, listener) = Device::paced();
    let channel = device.channel(Settings { terms: until_acknowledged(), ..Settings::new("siren") });
    channel.wanted(vec![wanted("one")]);
    eventually("a second of siren is heard", || listener.all().len() > 48_000).await;
    let before = listener.all().len();
    channel.wanted(vec![]);
    eventually("the device is closed", || !listener.is_open()).await;
    let after = listener.all().len() - before;
    assert!(after < 48_000, "{after} frames after the stop");
    assert_eq!(listener.takes().len(), 1, "it began again");
}

#[tokio::test]
async fn what_send_began_goes_on_when_it_appears_in_the_list() {
    let (device, listener) = Device::paced();
    let channel = device.channel(Settings { terms: until_acknowledged(), ..Settings::new("siren") });
    channel.wanted(vec![]);
    delivered(channel.send(&outgoing("one", Level::Urgent)).await);
    // Something else changed before the engine knew of the outcome.
    channel.wanted(vec![]);
    channel.wanted(vec![wanted("one")]);
    eventually("two seconds of siren are heard", || listener.all().len() > 96_000).await;
    assert_eq!(listener.takes().len(), 1, "it was interrupted");
    assert_eq!(device.players().len(), 1);
}

#[tokio::test]
async fn what_send_began_and_nobody_lists_falls_silent() {
    let (device, listener) = Device::paced();
    let channel = device.channel(Settings { terms: until_acknowledged(), ..Settings::new("siren") });
    channel.wanted(vec![]);
    delivered(channel.send(&outgoing("one", Level::Urgent)).await);
    eventually("the device is open", || listener.is_open()).await;
    eventually("the device is closed", || !listener.is_open()).await;
    assert!(listener.all().len() < 2 * 48_000, "{} frames", listener.all().len());
}

#[tokio::test]
async fn an_ended_sound_is_told_and_does_not_begin_again() {
    let device = Device::file();
    let channel = device.channel(Settings { tone: Some(Tone::Beep), terms: times(2), ..Settings::new("siren") });
    delivered(channel.send(&outgoing("one", Level::Normal)).await);
    let ended = channel.ended().await;
    assert_eq!((ended.key.as_str(), ended.because.as_str()), ("one", "played 2 times"));
    let length = device.heard().len();
    std::fs::remove_file(device.out()).unwrap();
    // The engine hears of the end later than it lists the sound.
    channel.wanted(vec![wanted("one")]);
    assert!(channel.probe().await.is_ok());
    assert!(length > 0 && device.heard().is_empty(), "it was played again");
}

#[tokio::test]
async fn two_channels_share_a_player_and_a_reload_keeps_it() {
    let (device, listener) = Device::paced();
    let settings = |name: &str| Settings { terms: until_acknowledged(), ..Settings::new(name) };
    let (one, two) = (device.channel(settings("one")), device.channel(settings("two")));
    one.wanted(vec![wanted("a")]);
    two.wanted(vec![wanted("b")]);
    eventually("something is heard", || listener.all().len() > 24_000).await;
    // A reload makes a new channel before it drops the old one.
    let again = device.channel(settings("one"));
    again.wanted(vec![wanted("a")]);
    drop(one);
    two.wanted(vec![]);
    let before = listener.all().len();
    eventually("it is still heard", || listener.all().len() > before + 48_000).await;
    drop(two);
    drop(again);
    eventually("the device is closed", || !listener.is_open()).await;
    assert_eq!(listener.takes().len(), 1);
    assert_eq!(device.players().len(), 1);
}

#[tokio::test]
async fn a_probe_opens_the_device_and_plays_nothing() {
    let device = Device::file();
    let channel: Sound = device.channel(Settings::new("siren"));
    assert_eq!(channel.probe().await.unwrap(), "device default opens (48000 Hz, 2 channels)");
    assert!(device.heard().is_empty());
}
