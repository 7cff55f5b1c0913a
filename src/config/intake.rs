//! `[intake.alertmanager]`: how bad an alert from outside is, and for how long it is believed.

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::Span;

/// Alerts on `/api/v2/alerts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alertmanager {
    /// The label that says how bad it is.
    pub level_label: String,
    /// Its values, in small letters.
    pub levels: Vec<(String, Level)>,
    /// Where the label is missing, or says something else.
    pub otherwise: Level,
    /// An alert without an end is over when it has not been reported for so long.
    pub resolve_timeout: Span,
}

impl Default for Alertmanager {
    fn default() -> Self {
        let levels = [
            ("critical", Level::Urgent),
            ("page", Level::Urgent),
            ("error", Level::High),
            ("warning", Level::Normal),
            ("info", Level::Low),
            ("none", Level::Low),
        ];
        Alertmanager {
            level_label: "severity".to_owned(),
            levels: levels.map(|(word, level)| (word.to_owned(), level)).into(),
            otherwise: Level::Normal,
            resolve_timeout: Span::mins(5),
        }
    }
}

impl Alertmanager {
    /// The level that these labels ask for; `None`: they do not say, and it is `otherwise`.
    ///
    /// The words of the config come first, in any case, then the aliases that commands know, too.
    pub fn level_of(&self, labels: &Labels) -> Option<Level> {
        let said = labels.get(&self.level_label)?;
        let written = self.levels.iter().find(|(word, _)| word.eq_ignore_ascii_case(said));
        written.map(|(_, level)| *level).or_else(|| Level::parse(said))
    }
}

/// A fixed bearer token of `[http.tokens.NAME]`.
#[derive(Clone, Debug)]
pub struct Token {
    pub name: String,
    pub secret: crate::domain::secret::Secret,
    /// May report alerts and read them.
    pub alerts: bool,
}

impl Token {
    /// Compared in constant time, by hashes.
    pub fn is(&self, presented: &str) -> bool {
        !self.secret.is_empty() && blake3::hash(self.secret.reveal().as_bytes()) == blake3::hash(presented.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(word: &str) -> Option<Level> {
        Alertmanager::default().level_of(&[("severity".to_owned(), word.to_owned())].into())
    }

    #[test]
    fn words_of_the_config_come_first_then_the_aliases() {
        assert_eq!(level("critical"), Some(Level::Urgent));
        assert_eq!(level("Page"), Some(Level::Urgent));
        assert_eq!(level("none"), Some(Level::Low));
        assert_eq!(level("crit"), Some(Level::Urgent), "an alias");
        assert_eq!(level("MAJOR"), Some(Level::High), "an alias");
        assert_eq!(level("high"), Some(Level::High), "our own word");
        assert_eq!((level("sev1"), level("")), (None, None));
        let mine = Alertmanager { levels: vec![("warning".to_owned(), Level::Urgent)], ..Alertmanager::default() };
        let labels = [("severity".to_owned(), "warning".to_owned())].into();
        assert_eq!(mine.level_of(&labels), Some(Level::Urgent));
        assert_eq!(mine.level_of(&Labels::new()), None);
    }

    #[test]
    fn an_empty_token_opens_nothing() {
        let token =
            |secret: &str| Token { name: "a".into(), secret: crate::domain::secret::Secret::new(secret), alerts: true };
        assert!(token("0123456789abcdef").is("0123456789abcdef"));
        assert!(!token("0123456789abcdef").is("0123456789abcdeg"));
        assert!(!token("").is(""));
    }
}
