//! How a setting is complained about.

use std::fmt;

/// One complaint: an error refuses the config, a warning does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 when it is about no line.
    pub line: usize,
    /// From 1, in characters; 0 when it is about no line.
    pub column: usize,
    /// What is wrong, and where in words: `channels.sms.timeout: "5x" is not a duration`.
    pub message: String,
    /// What would be right; empty when the message says it.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}
