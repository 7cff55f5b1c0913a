//! Whether every sound file can be played.

use crate::config::rules::spot::Judge;

pub fn check(judge: &Judge<'_>) {
    for (name, channel) in &judge.config.channels {
        let Some(sounder) = channel.adapter.sounder() else { continue };
        if let Err(why) = sounder.check() {
            judge.error(
                &["channels", name, "file"],
                format!("it cannot be played: {why}"),
                "name an MP3, WAV, OGG or FLAC file, or write tone = \"siren\"",
            );
        }
    }
}
