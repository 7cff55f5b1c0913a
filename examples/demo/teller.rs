//! What the demo prints: lines with the time since it began, and what commands say.

use stentor::domain::clock;
use stentor::domain::time::Timestamp;

pub struct Teller {
    began: Timestamp,
}

impl Teller {
    pub fn begin() -> Teller {
        Teller { began: clock::wall() }
    }

    /// What just happened.
    pub fn says(&self, what: &str) {
        let since = (clock::wall() - self.began).0 / 1_000;
        println!("{:>3}.{} s  {what}", since / 1_000, since % 1_000 / 100);
    }

    /// A new scene.
    pub fn scene(&self, title: &str) {
        println!("\n---- {title}");
    }

    /// A command and what it printed.
    pub fn shows(&self, command: &str, printed: &str) {
        println!("         $ {command}");
        for line in printed.trim_end().lines() {
            println!("         | {line}");
        }
    }
}
