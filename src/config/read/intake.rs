//! `[intake.alertmanager]` and `[http.tokens.NAME]`.

use crate::config::intake::{Alertmanager, Token};
use crate::config::read::entries::{named, some_time};
use crate::config::read::incident::level;
use crate::domain::level::Level;
use crate::domain::matcher::is_label_name;
use crate::settings::Table;

/// A shorter secret can be guessed.
const SHORTEST: usize = 16;
/// What a token may do.
const RIGHTS: &[&str] = &["alerts"];

/// The defaults for what is left out.
pub fn read(root: &mut Table<'_>) -> Alertmanager {
    let mut found = Alertmanager::default();
    let Some(mut intake) = root.table("intake") else { return found };
    let Some(mut table) = intake.table("alertmanager") else { return found };
    let label = table.parsed("level_label", |name| match is_label_name(name) {
        true => Ok(name.to_owned()),
        false => Err(format!("{name:?} is not a label name; write for example \"severity\"")),
    });
    if let Some(label) = label {
        found.level_label = label;
    }
    if let Some(levels) = levels(&mut table) {
        found.levels = levels;
    }
    if let Some(level) = table.parsed("otherwise", level) {
        found.otherwise = level;
    }
    if let Some(span) = some_time(&mut table, "resolve_timeout") {
        found.resolve_timeout = span;
    }
    found
}

/// Words of the label to our levels; instead of the default ones, not beside them.
fn levels(table: &mut Table<'_>) -> Option<Vec<(String, Level)>> {
    let written = table.text_map("levels")?;
    let mut levels = Vec::new();
    for (word, name) in written {
        match level(&name) {
            Ok(level) => levels.push((word.to_lowercase(), level)),
            Err(why) => {
                let (message, hint) = why.split_once("; ").unwrap_or((&why, "write low, normal, high or urgent"));
                table.error("levels", format!("{word}: {message}"), hint);
            }
        }
    }
    Some(levels)
}

/// The fixed bearer tokens of the TCP listener.
pub fn read_tokens(http: &mut Table<'_>) -> Vec<Token> {
    named(http, "tokens").into_iter().filter_map(|mut table| token(&mut table)).collect()
}

fn token(table: &mut Table<'_>) -> Option<Token> {
    let secret = table.require_secret("secret", "${file:prometheus-token}");
    let may = table.parsed_list("may", right).unwrap_or_default();
    let name = table.name().to_owned();
    if may.is_empty() && table.element_places("may").is_empty() {
        table.error("may", "this token may do nothing", "write may = [\"alerts\"]");
    }
    let secret = secret?;
    if !table.simulated() && secret.reveal().trim() != secret.reveal() {
        table.error("secret", "it begins or ends with a blank, and no header can carry that", "take the blank away");
    } else if !table.simulated() && secret.reveal().len() < SHORTEST {
        table.warning(
            "secret",
            "it is short enough to be guessed",
            "write 16 characters or more, for example from `openssl rand -hex 24`",
        );
    }
    Some(Token { name, secret, alerts: may.contains(&"alerts") })
}

fn right(word: &str) -> Result<&'static str, String> {
    let known = RIGHTS.iter().copied().find(|right| *right == word);
    known.ok_or_else(|| format!("{word:?} is no right of a token; write \"alerts\""))
}
