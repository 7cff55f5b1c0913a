//! Where the siren is heard: by a sound device, by us through a device made of ALSA's file plugin,
//! or by nobody.

use nix::sys::stat::Mode;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// This machine has a sound device.
    Real,
    /// It has none, but ALSA: we listen ourselves.
    Captured,
    /// The player cannot play at all.
    Simulated,
}

pub struct Ear {
    pub sound: Sound,
    config: Option<PathBuf>,
    loud: Arc<AtomicU64>,
}

/// A stereo frame of 16 bits; a device takes 48,000 a second.
const FRAME: usize = 4;
const CHUNK: usize = 2_400 * FRAME;
const CHUNK_LASTS: Duration = Duration::from_millis(50);
/// Samples under this cannot be heard.
const AUDIBLE: u16 = 300;

impl Ear {
    pub async fn find(dir: &Path, player: &Path) -> Ear {
        let none = |sound| Ear { sound, config: None, loud: Arc::default() };
        if !can_play(dir, player).await {
            return none(Sound::Simulated);
        }
        if has_device() {
            return none(Sound::Real);
        }
        Ear::captured(dir).unwrap_or(none(Sound::Simulated))
    }

    fn captured(dir: &Path) -> Option<Ear> {
        let (pipe, config) = (dir.join("pcm"), dir.join("alsa.conf"));
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).ok()?;
        let text = format!(
            "</usr/share/alsa/alsa.conf>\n\
             pcm.!default {{ type plug slave {{ pcm \"rec\" rate 48000 channels 2 format S16_LE }} }}\n\
             pcm.rec {{ type file slave.pcm {{ type null }} file \"{}\" format \"raw\" }}\n",
            pipe.display()
        );
        fs::write(&config, text).ok()?;
        let loud = Arc::<AtomicU64>::default();
        let counted = loud.clone();
        std::thread::spawn(move || listen(&pipe, &counted));
        Some(Ear { sound: Sound::Captured, config: Some(config), loud })
    }

    /// What the daemon's player must know.
    pub fn variable(&self) -> Option<(&'static str, PathBuf)> {
        Some(("ALSA_CONFIG_PATH", self.config.clone()?))
    }

    /// Milliseconds of sound that we have heard.
    pub fn heard_millis(&self) -> u64 {
        self.loud.load(Ordering::Relaxed)
    }

    pub fn describe(&self) -> &'static str {
        match self.sound {
            Sound::Real => "this machine has a sound device: the siren will sound",
            Sound::Captured => {
                "no sound device here: the siren plays into a device of ALSA's file plugin, and we listen"
            }
            Sound::Simulated => "this build or machine cannot play sound: the siren is simulated",
        }
    }
}

fn has_device() -> bool {
    let entries = fs::read_dir("/dev/snd").into_iter().flatten().flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).any(|n| n.starts_with("pcm") && n.ends_with('p'))
}

/// Whether the player knows sounds (it may be built without), and ALSA has its files.
async fn can_play(dir: &Path, player: &Path) -> bool {
    let wave = dir.join("tone.wav");
    if fs::write(&wave, tone()).is_err() || !Path::new("/usr/share/alsa/alsa.conf").exists() {
        return false;
    }
    let checked = tokio::process::Command::new(player).arg("--check").arg(&wave).output().await;
    checked.is_ok_and(|output| output.status.success())
}

/// A tenth of a second of 800 Hz, as a WAV file: 8,000 samples a second of 16 bits.
fn tone() -> Vec<u8> {
    let samples = (0..800).flat_map(|n| (if n % 10 < 5 { 8_000_i16 } else { -8_000 }).to_le_bytes());
    let mut wave =
        b"RIFF\x64\x06\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x40\x06\0\0".to_vec();
    wave.extend(samples);
    wave
}

/// Empties the pipe at the pace of a real device, for ever.
fn listen(pipe: &Path, loud: &AtomicU64) {
    while let Ok(mut open) = File::open(pipe) {
        let mut chunk = vec![0; CHUNK];
        while open.read_exact(&mut chunk).is_ok() {
            let left = |frame: &[u8]| i16::from_le_bytes([frame[0], frame[1]]).unsigned_abs();
            if chunk.chunks_exact(FRAME).any(|frame| left(frame) > AUDIBLE) {
                loud.fetch_add(CHUNK_LASTS.as_millis().try_into().unwrap_or(0), Ordering::Relaxed);
            }
            std::thread::sleep(CHUNK_LASTS);
        }
    }
}
