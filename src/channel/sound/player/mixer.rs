//! The mixer of a device's card: whether anything can be heard through it, and, where the settings
//! say so, raised until it can be.
//!
//! Only what all sound goes through is looked at (`Master`, `PCM`): that headphones are muted says
//! nothing. A card without such an element, or a device without a card, has nothing to say.

use alsa::mixer::{Mixer, Selem, SelemChannelId, SelemId};

/// What all sound of a card goes through.
const WAYS: [&str; 2] = ["Master", "PCM"];

/// One element of a mixer.
trait Control {
    fn is_muted(&self) -> bool;
    /// `None` without a volume.
    fn percent(&self) -> Option<u8>;
    /// Whether it could be done.
    fn unmute(&self) -> bool;
    fn raise(&self, percent: u8) -> bool;
}

/// What stands in the way of being heard on this device, and what became of it.
pub(super) fn look(device: &str, floor: Option<u8>) -> Vec<String> {
    let Ok(mixer) = Mixer::new(&card(device), false) else { return Vec::new() };
    let found = WAYS.into_iter().filter_map(|name| Some((name, mixer.find_selem(&SelemId::new(name, 0))?)));
    found.filter_map(|(name, element)| judge(name, &element, floor)).collect()
}

/// The card's name for its mixer: `hw:1` of `plughw:1,0`, `hw:PCH` of `front:CARD=PCH,DEV=0`; else the
/// default one.
fn card(device: &str) -> String {
    let rest = device.split_once(':').map_or("", |(_, rest)| rest);
    let first = rest.split(',').next().unwrap_or_default();
    match first.strip_prefix("CARD=").unwrap_or(first) {
        "" => "default".to_owned(),
        card => format!("hw:{card}"),
    }
}

fn judge(name: &str, control: &dyn Control, floor: Option<u8>) -> Option<String> {
    let (muted, percent) = (control.is_muted(), control.percent());
    let low = percent.is_some_and(|percent| percent < floor.unwrap_or(1));
    let was = match (muted, low) {
        (false, false) => return None,
        (true, false) => format!("the mixer's {name} was muted"),
        (false, true) => format!("the mixer's {name} was at {} %", percent.unwrap_or_default()),
        (true, true) => format!("the mixer's {name} was muted and at {} %", percent.unwrap_or_default()),
    };
    let Some(floor) = floor else { return Some(format!("{was}: nobody can hear it")) };
    let done = (!muted || control.unmute()) && (!low || control.raise(floor));
    Some(match (done, percent) {
        (true, Some(percent)) => format!("{was}, now it is at {} %", percent.max(floor)),
        (true, None) => format!("{was}, now it is not"),
        (false, _) => format!("{was} and cannot be raised: nobody can hear it"),
    })
}

impl Control for Selem<'_> {
    fn is_muted(&self) -> bool {
        self.has_playback_switch() && self.get_playback_switch(SelemChannelId::mono()).is_ok_and(|on| on == 0)
    }

    fn percent(&self) -> Option<u8> {
        let (least, most) = self.get_playback_volume_range();
        let volume = self.get_playback_volume(SelemChannelId::mono()).ok().filter(|_| self.has_playback_volume())?;
        let share = (volume - least) as f64 / (most - least).max(1) as f64;
        Some((share * 100.0).round().clamp(0.0, 100.0) as u8)
    }

    fn unmute(&self) -> bool {
        self.set_playback_switch_all(1).is_ok()
    }

    fn raise(&self, percent: u8) -> bool {
        let (least, most) = self.get_playback_volume_range();
        // Rounded up: it is a floor.
        let steps = ((most - least) as f64 * f64::from(percent) / 100.0).ceil() as i64;
        self.set_playback_volume_all(least + steps).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Knob {
        muted: Cell<bool>,
        percent: Cell<Option<u8>>,
        stuck: bool,
    }

    impl Control for Knob {
        fn is_muted(&self) -> bool {
            self.muted.get()
        }
        fn percent(&self) -> Option<u8> {
            self.percent.get()
        }
        fn unmute(&self) -> bool {
            self.muted.set(self.stuck);
            !self.stuck
        }
        fn raise(&self, percent: u8) -> bool {
            if !self.stuck {
                self.percent.set(Some(percent));
            }
            !self.stuck
        }
    }

    fn said(muted: bool, percent: Option<u8>, floor: Option<u8>, stuck: bool) -> (Option<String>, bool, Option<u8>) {
        let knob = Knob { muted: Cell::new(muted), percent: Cell::new(percent), stuck };
        let words = judge("Master", &knob, floor);
        (words, knob.muted.get(), knob.percent.get())
    }

    #[test]
    fn f61_what_nobody_can_hear_is_raised_where_that_is_wished_and_reported_always() {
        for (muted, percent, floor, words, after) in [
            (false, Some(80), None, None, (false, Some(80))),
            (false, Some(3), None, None, (false, Some(3))),
            (false, Some(0), None, Some("the mixer's Master was at 0 %: nobody can hear it"), (false, Some(0))),
            (true, Some(80), None, Some("the mixer's Master was muted: nobody can hear it"), (true, Some(80))),
            (false, Some(80), Some(60), None, (false, Some(80))),
            (false, Some(3), Some(60), Some("the mixer's Master was at 3 %, now it is at 60 %"), (false, Some(60))),
            (true, Some(80), Some(60), Some("the mixer's Master was muted, now it is at 80 %"), (false, Some(80))),
            (
                true,
                Some(0),
                Some(60),
                Some("the mixer's Master was muted and at 0 %, now it is at 60 %"),
                (false, Some(60)),
            ),
            (true, None, Some(60), Some("the mixer's Master was muted, now it is not"), (false, None)),
        ] {
            let (told, is_muted, is_at) = said(muted, percent, floor, false);
            assert_eq!((told.as_deref(), (is_muted, is_at)), (words, after));
        }
        let (told, ..) = said(true, Some(0), Some(60), true);
        let words = "the mixer's Master was muted and at 0 % and cannot be raised: nobody can hear it";
        assert_eq!(told.as_deref(), Some(words));
    }

    #[test]
    fn the_mixer_is_that_of_the_devices_card() {
        for (device, mixer) in [
            ("default", "default"),
            ("pulse", "default"),
            ("hw:1,0", "hw:1"),
            ("plughw:PCH", "hw:PCH"),
            ("front:CARD=PCH,DEV=0", "hw:PCH"),
            ("hw:", "default"),
        ] {
            assert_eq!(card(device), mixer, "{device}");
        }
    }

    #[test]
    fn a_device_without_a_card_has_no_mixer_to_speak_of() {
        assert_eq!(look("plughw:77,0", Some(60)), Vec::<String>::new());
    }
}
