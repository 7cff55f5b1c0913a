//! The figures as they are printed, and how many measurements become one.

use std::fmt;
use std::time::Duration;

/// Rows of what was measured, its figure, and what that is of the machine's own limit.
#[derive(Default)]
pub struct Table(Vec<[String; 3]>);

impl Table {
    pub fn row(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.0.push([what.into(), figure.into(), String::new()]);
    }

    pub fn ratio(&mut self, what: impl Into<String>, figure: impl Into<String>, ratio: impl Into<String>) {
        self.0.push([what.into(), figure.into(), ratio.into()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |i: usize| self.0.iter().map(|row| row[i].chars().count()).max().unwrap_or_default();
        let (what, figure) = (width(0), width(1));
        for row in &self.0 {
            let line = format!("{:what$}  {:>figure$}  {}", row[0], row[1], row[2]);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// So many in that time, a second.
pub fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(1e-9)
}

/// Durations in order.
pub struct Spread(Vec<Duration>);

impl Spread {
    pub fn of(mut all: Vec<Duration>) -> Spread {
        all.sort();
        Spread(all)
    }

    pub fn median(&self) -> Duration {
        self.at(0.5)
    }

    pub fn p99(&self) -> Duration {
        self.at(0.99)
    }

    fn at(&self, part: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (p99 {})", millis(self.median()), millis(self.p99()))
    }
}

pub fn millis(d: Duration) -> String {
    format!("{:.2} ms", d.as_secs_f64() * 1e3)
}

pub fn micros(d: Duration) -> String {
    format!("{:.0} µs", d.as_secs_f64() * 1e6)
}
