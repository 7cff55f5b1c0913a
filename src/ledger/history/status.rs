//! Whether the history can be asked, and why not.

/// Whether questions can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The store is being opened.
    Opening,
    Ready,
    /// It is being made (again) from the journal: `applied` of `of` events are in.
    Rebuilding {
        applied: u64,
        of: u64,
    },
    /// It cannot be used now; in a while it is tried again.
    Unavailable(String),
}

/// Why there is no answer. None of these stops an alarm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    #[error("the history is being made again from the journal: {applied} of {of} events are in")]
    Rebuilding { applied: u64, of: u64 },
    #[error("{0}")]
    Unavailable(String),
    #[error("the history did not answer in time")]
    Late,
    #[error("the history is closed")]
    Stopped,
}

impl HistoryError {
    pub(super) fn not_ready(phase: &Phase) -> HistoryError {
        match phase {
            Phase::Rebuilding { applied, of } => HistoryError::Rebuilding { applied: *applied, of: *of },
            Phase::Unavailable(words) => HistoryError::Unavailable(words.clone()),
            Phase::Opening | Phase::Ready => HistoryError::Unavailable("the history is being opened".to_owned()),
        }
    }
}
