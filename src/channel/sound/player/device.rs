//! The sound device, through ALSA: any name that ALSA knows, also those of asound.conf.
//!
//! It is opened and written without blocking, so that a device that is busy or takes nothing is
//! an error with a reason and not a wait without end.

use crate::channel::sound::player::voice::Form;
use alsa::pcm::{Access, Format, Frames, HwParams, PCM, State};
use alsa::{Direction, ValueOr};
use nix::errno::Errno;
use rodio::{ChannelCount, SampleRate};
use std::ffi::CString;
use std::fmt;
use std::thread::sleep;
use std::time::Duration;

/// What is asked for; a device may have its own mind.
const RATE: u32 = 48_000;
const CHANNELS: u32 = 2;
const BUFFER_US: u32 = 200_000;
const PERIOD_US: u32 = 50_000;
/// A device that takes no sample for so long is lost.
const STALL_MS: u32 = 2_000;
/// Recoveries in a row (after an underrun, a suspend) before a device is lost.
const MOST_RECOVERIES: u32 = 10;

/// Open, and ready to be written.
pub(super) struct Device {
    name: String,
    pcm: PCM,
    form: Form,
    format: Format,
    /// Frames at a time.
    period: usize,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.form.channels.get();
        write!(f, "{} Hz, {channels} channel{}", self.form.rate, if channels == 1 { "" } else { "s" })
    }
}

impl Device {
    pub(super) fn open(name: &str) -> Result<Device, String> {
        // ALSA keeps what it knew of the cards; one that was plugged in since is only seen afresh.
        let _ = alsa::config::update_free_global();
        let c_name = CString::new(name).map_err(|_| format!("{name:?} is no name of a device"))?;
        let pcm = PCM::open(&c_name, Direction::Playback, true).map_err(|e| explain(name, e))?;
        let (form, format, period) = set_up(&pcm).map_err(|e| explain(name, e))?;
        Ok(Device { name: name.to_owned(), pcm, form, format, period })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Samples (of all channels) that are best written at once.
    pub(super) fn chunk(&self) -> usize {
        self.period * usize::from(self.form.channels.get())
    }

    /// Hands all samples over; waits for room as long as the device goes on taking some.
    pub(super) fn write(&mut self, samples: &[f32]) -> Result<(), String> {
        // A sum of voices that is too loud is cut off, it must not wrap around.
        let clipped = samples.iter().map(|s| s.clamp(-1.0, 1.0));
        match self.format {
            Format::S16LE | Format::S16BE => {
                self.write_as(&clipped.map(|s| (s * f32::from(i16::MAX)) as i16).collect::<Vec<_>>())
            }
            Format::S32LE | Format::S32BE => {
                self.write_as(&clipped.map(|s| (f64::from(s) * f64::from(i32::MAX)) as i32).collect::<Vec<_>>())
            }
            _ => self.write_as(&clipped.collect::<Vec<f32>>()),
        }
    }

    fn write_as<S: alsa::pcm::IoFormat>(&self, mut rest: &[S]) -> Result<(), String> {
        let io = self.pcm.io_checked::<S>().map_err(|e| explain(&self.name, e))?;
        let channels = usize::from(self.form.channels.get());
        let (mut waited, mut recoveries) = (0, 0);
        while !rest.is_empty() {
            let wait = match io.writei(rest) {
                Ok(frames) if frames > 0 => {
                    rest = rest.get(frames * channels..).unwrap_or_default();
                    (waited, recoveries) = (0, 0);
                    continue;
                }
                Ok(_) => self.pcm.wait(Some(100)),
                Err(e) if e.errno() == Errno::EAGAIN as i32 => self.pcm.wait(Some(100)),
                Err(e) => Err(e),
            };
            match wait {
                Ok(room) => {
                    // A device that says it has room and takes nothing must not spin a core.
                    sleep(Duration::from_millis(if room { 5 } else { 0 }));
                    waited += if room { 5 } else { 100 };
                }
                Err(e) => {
                    recoveries += 1;
                    if recoveries > MOST_RECOVERIES || self.pcm.try_recover(e, true).is_err() {
                        return Err(explain(&self.name, e));
                    }
                }
            }
            if waited >= STALL_MS {
                return Err(format!("device {:?} took no samples for {} s", self.name, STALL_MS / 1_000));
            }
        }
        Ok(())
    }

    /// Plays what it has been given, then closes it.
    pub(super) fn finish(self) {
        let mut left_ms = BUFFER_US / 1_000 + 500;
        // Does not wait, as the device was opened so.
        let _ = self.pcm.drain();
        while self.pcm.state() == State::Draining && left_ms > 0 {
            sleep(Duration::from_millis(10));
            left_ms -= 10;
        }
    }

    /// Throws away what it has not played yet, and closes it.
    pub(super) fn silence(self) {
        let _ = self.pcm.drop();
    }
}

fn set_up(pcm: &PCM) -> alsa::Result<(Form, Format, usize)> {
    let hw = HwParams::any(pcm)?;
    hw.set_access(Access::RWInterleaved)?;
    let format = [Format::s16(), Format::s32(), Format::float()]
        .into_iter()
        .find(|format| hw.set_format(*format).is_ok())
        .ok_or_else(|| alsa::Error::new("snd_pcm_hw_params_set_format", Errno::EINVAL as i32))?;
    let channels = hw.set_channels_near(CHANNELS)?;
    let rate = hw.set_rate_near(RATE, ValueOr::Nearest)?;
    hw.set_buffer_time_near(BUFFER_US, ValueOr::Nearest)?;
    hw.set_period_time_near(PERIOD_US, ValueOr::Nearest)?;
    pcm.hw_params(&hw)?;
    let (period, buffer) = (hw.get_period_size()?, hw.get_buffer_size()?);
    let sw = pcm.sw_params_current()?;
    // Begins when half of the buffer is full; a shorter sound begins when it is drained.
    sw.set_start_threshold((buffer / 2).max(1))?;
    sw.set_avail_min(period.max(1))?;
    pcm.sw_params(&sw)?;
    let broken = || alsa::Error::new("snd_pcm_hw_params", Errno::EINVAL as i32);
    let form = Form {
        channels: u16::try_from(channels).ok().and_then(ChannelCount::new).ok_or_else(broken)?,
        rate: SampleRate::new(rate).ok_or_else(broken)?,
    };
    let most = Frames::from(rate) / 20;
    Ok((form, format, period.clamp(1, most.max(1)) as usize))
}

/// What ALSA says, and what would be right.
fn explain(name: &str, e: alsa::Error) -> String {
    let what = match Errno::from_raw(e.errno()) {
        // What ALSA says of a card that it does not have.
        Errno::EINVAL if e.func() == "snd_pcm_open" => "there is no such sound device (see `aplay -L`)",
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO => "there is no such sound device (see `aplay -L`)",
        Errno::EBUSY | Errno::EAGAIN => "the sound device is busy: another program holds it",
        Errno::EACCES | Errno::EPERM => "no permission for the sound device: the daemon's user needs the group audio",
        Errno::EIO => "the sound device fails",
        _ => "the sound device cannot be used",
    };
    format!("device {name:?}: {what} ({} in {})", Errno::from_raw(e.errno()).desc(), e.func())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alsa_says_is_said_in_words_for_operators() {
        for (errno, words) in [
            (Errno::ENOENT, "there is no such sound device"),
            (Errno::EINVAL, "there is no such sound device"),
            (Errno::ENODEV, "there is no such sound device"),
            (Errno::EBUSY, "the sound device is busy: another program holds it"),
            (Errno::EACCES, "the daemon's user needs the group audio"),
            (Errno::EIO, "the sound device fails"),
        ] {
            let said = explain("hw:0", alsa::Error::new("snd_pcm_open", errno as i32));
            assert!(said.starts_with("device \"hw:0\": ") && said.contains(words), "{said}");
            assert!(said.ends_with(" in snd_pcm_open)"), "{said}");
        }
    }
}
