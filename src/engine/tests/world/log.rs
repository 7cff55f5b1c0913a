//! What happened, and how a story tells it: each attempt once, at its time, and nothing else.

use super::{World, kind, span};
use crate::domain::event::Origin;
use crate::domain::id::DeliveryId;
use crate::domain::time::Span;

/// One attempt.
#[derive(Clone, Debug)]
pub struct Happening {
    pub at: Span,
    pub channel: String,
    /// Empty for a fixed channel.
    pub who: String,
    pub origin: Origin,
    pub n: u32,
    pub delivery: DeliveryId,
    /// Its subject line, or else its text.
    pub text: String,
}

impl std::fmt::Display for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} ({}, attempt {})", self.at.exact(), self.channel, self.who, kind(&self.origin), self.n)
    }
}

/// A point of the story.
pub struct Moment<'w> {
    world: &'w mut World,
}

impl World {
    /// So long after the beginning. Between the moment told before and this one nothing happened.
    pub fn at(&mut self, time: &str) -> Moment<'_> {
        let time = span(time);
        assert!(time >= self.elapsed, "the story is at {} already", self.elapsed.exact());
        if time > self.elapsed {
            self.nothing_untold();
        }
        self.run_until(time);
        let early: Vec<String> =
            self.happened.iter().filter(|h| h.at.as_secs() < time.as_secs()).map(ToString::to_string).collect();
        assert!(early.is_empty(), "before {} there was also\n  {}", time.exact(), early.join("\n  "));
        Moment { world: self }
    }

    /// Nothing happens until then.
    pub fn quiet_until(&mut self, time: &str) {
        self.at(time);
        self.nothing_untold();
    }

    /// Everything that happened is told.
    pub fn nothing_untold(&self) {
        let rest: Vec<String> = self.happened.iter().map(ToString::to_string).collect();
        assert!(rest.is_empty(), "the story does not tell\n  {}", rest.join("\n  "));
    }

    /// Lets time run until then, and hands out all that happened and was not told.
    pub fn all_until(&mut self, time: &str) -> Vec<Happening> {
        self.run_until(span(time));
        std::mem::take(&mut self.happened)
    }

    /// Lets time run until then: all that happened on channels that are not dead.
    pub fn loud_until(&mut self, time: &str) -> Vec<String> {
        let all = self.all_until(time);
        let alive = all.iter().filter(|h| !self.engine.state.channel(&h.channel).is_dead());
        alive.map(|h| format!("{} {} {}", h.at.exact(), h.channel, h.who).trim_end().to_owned()).collect()
    }

    /// What happened and was not told so far.
    pub fn untold(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }
}

impl Moment<'_> {
    fn one(self, what: &str, who: &str, channel: &str) -> Self {
        let same = |h: &Happening| h.channel == channel && h.who == who && kind(&h.origin) == what;
        match self.world.happened.iter().position(same) {
            Some(place) => {
                self.world.happened.remove(place);
            }
            None => {
                let rest: Vec<String> = self.world.happened.iter().map(ToString::to_string).collect();
                let at = self.world.elapsed.exact();
                panic!("at {at} there is no {what} for {who:?} by {channel}, but\n  {}", rest.join("\n  "));
            }
        }
        self
    }

    /// Somebody is told of the alarm, or gets the one-shot.
    pub fn rings(self, who: &str, channel: &str) -> Self {
        self.one("alarm", who, channel)
    }

    /// The same for a fixed channel.
    pub fn posts(self, channel: &str) -> Self {
        self.one("alarm", "", channel)
    }

    pub fn reminds(self, who: &str, channel: &str) -> Self {
        self.one("reminder", who, channel)
    }

    /// The same for a fixed channel.
    pub fn posts_again(self, channel: &str) -> Self {
        self.one("reminder", "", channel)
    }

    pub fn tests(self, who: &str, channel: &str) -> Self {
        self.one("test", who, channel)
    }

    /// A notice: "acknowledged" or "resolved"; `who` is empty for a fixed channel.
    pub fn notice(self, what: &str, who: &str, channel: &str) -> Self {
        self.one(what, who, channel)
    }

    /// And that was all.
    pub fn nothing_else(self) {
        self.world.nothing_untold();
    }
}
