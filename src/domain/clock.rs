//! The one place that reads time. A lint (`clippy.toml`) forbids the others.

use crate::domain::time::{Span, Timestamp};

/// What the runtime knows of time at one wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Can be set by hand or by NTP.
    pub wall: Timestamp,
    /// Since boot, suspend included; never set.
    pub boot: Span,
}

/// A source of time; tests bring their own.
pub trait Clock: Send + Sync {
    fn read(&self) -> Reading;
}

/// `CLOCK_REALTIME` and `CLOCK_BOOTTIME`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        Reading {
            wall: Timestamp(micros(nix::time::ClockId::CLOCK_REALTIME)),
            boot: Span(micros(nix::time::ClockId::CLOCK_BOOTTIME)),
        }
    }
}

/// The wall clock for tools that run without an engine.
pub fn wall() -> Timestamp {
    SystemClock.read().wall
}

fn micros(clock: nix::time::ClockId) -> i64 {
    // Both clocks exist on every Linux that can run this; 0 is as visible as an error.
    clock.now().map_or(0, |t| t.tv_sec() * 1_000_000 + t.tv_nsec() / 1_000)
}
