//! Whether every sound file can be played.

use crate::config::rules::spot::Judge;
use crate::config::sound_files::{SoundCheck, SoundVerdict};
use crate::settings::Table;
use std::path::Path;

pub fn check(judge: &Judge<'_>, player: &dyn SoundCheck) {
    for (name, channel) in &judge.config.channels {
        if channel.kind.name != "sound" {
            continue;
        }
        let Some(file) = file_of(judge, name) else { continue };
        let path = ["channels", name.as_str(), "file"];
        match player.check(Path::new(&file)) {
            SoundVerdict::Good => {}
            SoundVerdict::Bad(why) => {
                judge.error(
                    &path,
                    format!("it cannot be played: {why}"),
                    "name an MP3, WAV, OGG or FLAC file, or write tone = \"siren\"",
                );
            }
            SoundVerdict::NotChecked(why) => {
                judge.warning(
                    &path,
                    format!("nobody could try whether it can be played: {why}"),
                    "install stentor-player",
                );
            }
        }
    }
}

fn file_of(judge: &Judge<'_>, channel: &str) -> Option<String> {
    let mut root: Table<'_> = judge.reading.root(judge.tree);
    root.ignore_unknown();
    let mut channels = root.table("channels")?;
    channels.ignore_unknown();
    let mut table = channels.table(channel)?;
    table.ignore_unknown();
    table.text("file").filter(|file| !file.is_empty())
}
