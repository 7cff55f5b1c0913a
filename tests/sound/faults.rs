//! What happens when files, devices and players are not as they should be.

use crate::channel::{delivered, outgoing, wanted};
use crate::device::{Device, Listener, eventually, fixture, script, until_acknowledged};
use crate::pitch::{pitch, trimmed};
use nix::sys::signal::{Signal, kill};
use stentor::channel::sound::client::Launch;
use stentor::channel::sound::{Settings, Sound};
use stentor::channel::{Channel, Sounder};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame, Failure, FailureClass};
use stentor::domain::level::Level;

fn siren() -> Settings {
    Settings { terms: until_acknowledged(), ..Settings::new("siren") }
}

fn failed(result: AttemptResult) -> Failure {
    match result {
        AttemptResult::Failed(failure) => failure,
        other => panic!("did not fail: {other:?}"),
    }
}

/// The pipe holds a third of a second of the first one.
async fn a_second_player_plays(device: &Device, listener: &Listener) {
    eventually("there is a second player", || device.players().len() > 1).await;
    let before = listener.all().len();
    eventually("a second of siren is heard", || listener.all().len() > before + 48_000).await;
    let heard = listener.all();
    let last: Vec<_> = heard[heard.len() - 24_000..].chunks(2_400).map(|c| pitch(c, &[800.0, 600.0])).collect();
    assert!(last.iter().filter(|pitch| pitch.is_some()).count() >= 8, "that is no siren: {last:?}");
}

#[tokio::test]
async fn a_bad_file_sounds_as_the_tone_of_the_level_and_says_so() {
    let device = Device::file();
    let file = device.path("siren.mp3");
    std::fs::write(&file, [0x5a; 5_000]).unwrap();
    let channel = device.channel(Settings { file: Some(file.to_str().unwrap().to_owned()), ..Settings::new("siren") });
    let detail = delivered(channel.send(&outgoing("one", Level::Urgent)).await);
    assert!(detail.starts_with("the tone siren on default, because /"), "{detail}");
    assert!(detail.contains("siren.mp3 is not a sound that can be decoded"), "{detail}");
    channel.ended().await;
    assert_eq!(pitch(&trimmed(&device.heard())[..24_000], &[800.0]), Some(800.0));
    let why = channel.check().unwrap_err();
    assert!(why.contains("siren.mp3 is not a sound that can be decoded"), "{why}");
}

#[tokio::test]
async fn f59_a_missing_device_is_a_failure_that_says_so() {
    let device = Device::file();
    let channel = device.channel(Settings { device: "plughw:77".to_owned(), ..siren() });
    let failure = failed(channel.send(&outgoing("one", Level::Urgent)).await);
    assert_eq!((failure.class, failure.blame), (FailureClass::ProviderError, Blame::Channel));
    assert!(failure.words.starts_with("device \"plughw:77\": there is no such sound device"), "{}", failure.words);
    assert!(failure.words.contains("ALSA lib"), "without libasound's own words: {}", failure.words);
    let failure = channel.probe().await.unwrap_err();
    assert!(failure.words.contains("no such sound device"), "{}", failure.words);
    assert_eq!(device.players().len(), 1, "a missing device is no reason for a new player");
}

#[tokio::test]
async fn f59_a_device_that_comes_back_is_used_at_the_next_order() {
    let device = Device::file();
    let config = std::fs::read_to_string(device.config()).unwrap();
    std::fs::write(device.config(), "</usr/share/alsa/alsa.conf>\n").unwrap();
    let channel = device.channel(Settings { device: "rec".to_owned(), ..Settings::new("siren") });
    let failure = failed(channel.send(&outgoing("one", Level::Low)).await);
    assert!(failure.words.contains("no such sound device"), "{}", failure.words);
    std::fs::write(device.config(), config).unwrap();
    delivered(channel.send(&outgoing("one", Level::Low)).await);
    assert_eq!(channel.ended().await.key, "one");
    assert_eq!(device.players().len(), 1);
}

#[tokio::test]
async fn f59_a_second_device_plays_where_the_first_one_is_missing_and_it_is_said() {
    let device = Device::file();
    let second = |first: &str| Settings {
        device: first.to_owned(),
        fallback_device: Some("rec".to_owned()),
        ..Settings::new("siren")
    };
    let channel = device.channel(second("plughw:77"));
    let detail = delivered(channel.send(&outgoing("one", Level::Urgent)).await);
    assert!(
        detail.starts_with("the tone siren on rec; device \"plughw:77\": there is no such sound device"),
        "{detail}"
    );
    assert_eq!(channel.ended().await.key, "one");
    assert_eq!(pitch(&trimmed(&device.heard())[..24_000], &[800.0]), Some(800.0), "it is heard");
    let words = channel.probe().await.unwrap();
    assert!(words.contains("; device \"plughw:77\": there is no such sound device"), "{words}");
    // The first one is used when it is there.
    let channel = device.channel(second("default"));
    assert_eq!(delivered(channel.send(&outgoing("two", Level::Urgent)).await), "the tone siren on default");
    // And where none is, both are named.
    let channel = device.channel(Settings { fallback_device: Some("plughw:78".to_owned()), ..second("plughw:77") });
    let failure = failed(channel.send(&outgoing("three", Level::Urgent)).await);
    assert!(failure.words.contains("\"plughw:77\"") && failure.words.contains("\"plughw:78\""), "{}", failure.words);
}

#[tokio::test]
async fn f59_without_a_player_it_is_a_failure() {
    let launch = Launch::new("default").program("/nonexistent/stentor-player");
    let channel = Sound::with_player(siren(), launch);
    let failure = failed(channel.send(&outgoing("one", Level::Urgent)).await);
    assert!(failure.words.contains("/nonexistent/stentor-player cannot be started"), "{}", failure.words);
    assert_eq!(channel.check(), Ok(()), "nothing is known of the file");
}

#[tokio::test]
async fn a_player_that_cannot_live_is_a_failure_with_its_last_words() {
    let channel = Sound::with_player(siren(), Launch::new("default").program(script("dies.sh")));
    let failure = failed(channel.send(&outgoing("one", Level::Urgent)).await);
    assert_eq!(failure.class, FailureClass::ProviderError);
    assert!(failure.words.contains("died of signal 6"), "{}", failure.words);
    assert!(failure.words.contains("Assertion failed: oh no"), "{}", failure.words);
}

#[tokio::test]
async fn f59_a_killed_player_is_started_again_and_the_sound_goes_on() {
    let (device, listener) = Device::paced();
    let channel = device.channel(siren());
    delivered(channel.send(&outgoing("one", Level::Urgent)).await);
    eventually("it is heard", || listener.all().len() > 12_000).await;
    kill(device.players()[0], Signal::SIGKILL).unwrap();
    a_second_player_plays(&device, &listener).await;
    assert_eq!(device.players().len(), 2);
}

#[tokio::test]
async fn f60_a_player_that_hangs_is_killed_and_the_sound_goes_on() {
    let (device, listener) = Device::paced();
    let channel = device.channel(siren());
    channel.wanted(vec![wanted("one")]);
    eventually("it is heard", || listener.all().len() > 12_000).await;
    let first = device.players()[0];
    kill(first, Signal::SIGSTOP).unwrap();
    a_second_player_plays(&device, &listener).await;
    eventually("the first one is gone", || kill(first, None).is_err()).await;
}

#[tokio::test]
async fn f60_a_player_that_hangs_does_not_keep_a_stopped_sound_alive() {
    let (device, listener) = Device::paced();
    let channel = device.channel(siren());
    channel.wanted(vec![wanted("one")]);
    eventually("it is heard", || listener.all().len() > 12_000).await;
    kill(device.players()[0], Signal::SIGSTOP).unwrap();
    channel.wanted(vec![]);
    eventually("the player is gone", || kill(device.players()[0], None).is_err()).await;
    eventually("the device is closed", || !listener.is_open()).await;
    assert_eq!(device.players().len(), 1, "there is nothing to start it for");
}

#[tokio::test]
async fn f60_a_device_that_hangs_is_a_time_out() {
    let device = Device::stuck();
    let channel = device.channel(siren());
    let failure = failed(channel.send(&outgoing("one", Level::Urgent)).await);
    assert_eq!((failure.class, failure.blame), (FailureClass::Timeout, Blame::Channel));
    assert!(failure.words.contains("did not answer and was killed"), "{}", failure.words);
}

#[tokio::test]
async fn f59_a_device_that_vanishes_is_used_again_when_it_is_back() {
    let (device, listener) = Device::paced();
    let channel = device.channel(Settings { file: Some(fixture("500hz.wav")), ..siren() });
    channel.wanted(vec![wanted("one")]);
    eventually("it is heard", || listener.all().len() > 12_000).await;
    listener.unplug();
    eventually("the device is gone", || !listener.is_open()).await;
    let heard = listener.takes().len();
    listener.listen();
    eventually("it is heard again", || listener.takes()[heard..].concat().len() > 24_000).await;
}
