//! The attempts under way. One that never ends shows as the oldest, however many others come and go.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
pub struct UnderWay(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    last: u64,
    open: BTreeSet<u64>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Attempt {
    of: Arc<UnderWay>,
    number: u64,
}

impl UnderWay {
    pub(super) fn begin(self: &Arc<UnderWay>) -> Attempt {
        let number = self.change(|numbers| {
            numbers.last += 1;
            numbers.open.insert(numbers.last);
            numbers.last
        });
        Attempt { of: self.clone(), number }
    }

    /// The number of the one that began first. No number comes twice.
    pub fn oldest(&self) -> Option<u64> {
        self.change(|numbers| numbers.open.first().copied())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Numbers) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.of.change(|numbers| numbers.open.remove(&self.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f04_the_oldest_stays_while_others_come_and_go() {
        let all = Arc::new(UnderWay::default());
        assert_eq!(all.oldest(), None);
        let hangs = all.begin();
        for _ in 0..3 {
            let _quick = all.begin();
            assert_eq!(all.oldest(), Some(1));
        }
        let later = all.begin();
        drop(hangs);
        assert_eq!(all.oldest(), Some(5));
        drop(later);
        assert_eq!(all.oldest(), None);
    }
}
