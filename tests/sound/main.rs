//! Sound, from the channel through the real `stentor-player` to a device that ALSA's file plugin
//! emulates: pitch, length and silence are measured in the samples that came out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "sound")]
mod channel;
#[cfg(feature = "sound")]
mod check;
#[cfg(feature = "sound")]
mod device;
#[cfg(feature = "sound")]
mod faults;
#[cfg(not(feature = "sound"))]
mod mute;
#[cfg(feature = "sound")]
mod pitch;
#[cfg(feature = "sound")]
mod player;

const PLAYER: &str = env!("CARGO_BIN_EXE_stentor-player");

#[test]
fn only_the_player_links_libasound() {
    let names_it = |program: &str| {
        let bytes = std::fs::read(program).unwrap();
        bytes.windows(b"libasound.so".len()).any(|w| w == b"libasound.so")
    };
    assert!(!names_it(env!("CARGO_BIN_EXE_stentord")), "stentord links libasound");
    assert!(!names_it(env!("CARGO_BIN_EXE_stentorctl")), "stentorctl links libasound");
    assert_eq!(names_it(PLAYER), cfg!(feature = "sound"));
}
