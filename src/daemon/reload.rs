//! Reload: everything that can fail happens before the swap. A refused file changes nothing.

use super::args::Args;
use crate::config::{self, Config, Loaded, Problem};
use crate::domain::time::Span;
use crate::engine::{Answer, Ask, Caller, Code, Refusal};
use crate::runtime::Handle;
use crate::settings::ProcessEnvironment;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Between two looks at files that may be under way, and how many of them.
const MOMENT: Span = Span::millis(250);
const LOOKS: usize = 20;

/// Reads the config again, one at a time.
#[derive(Clone)]
pub struct Reloader {
    args: Arc<Args>,
    handle: Handle,
    /// Hash of the files refused last: the same fault is told once.
    refused: Arc<Mutex<Option<String>>>,
    /// One writes at a time.
    writing: Arc<Mutex<()>>,
}

impl Reloader {
    /// `refused`: hash of the files that were refused at start, if they were.
    pub fn new(args: Arc<Args>, handle: Handle, refused: Option<String>) -> Reloader {
        Reloader { args, handle, refused: Arc::new(Mutex::new(refused)), writing: Arc::default() }
    }

    /// Files that may have changed: nothing is said when they have not, and nothing is done while
    /// somebody is writing them.
    pub async fn look(&self) {
        if let Some(settled) = self.settled().await {
            self.read_again(Caller::engine(), Some(settled)).await;
        }
    }

    /// On request: the answer of `stentorctl reload`.
    pub async fn reload(&self, by: Caller) -> Value {
        self.read_again(by, None).await
    }

    /// A channel's own file, and what followed from it.
    async fn write(&self, by: Caller, name: String, text: Option<String>) -> Answer {
        let _one = self.writing.lock().await;
        let (args, known) = (self.args.clone(), self.handle.config().channels.contains_key(&name));
        let written = move || super::written::channel(&args, &name, text.as_deref(), known);
        let inside = |_| Refusal::new(Code::Conflict, "writing the channel failed inside");
        let file = tokio::task::spawn_blocking(written).await.map_err(inside)??;
        let mut answer = self.read_again(by, None).await;
        answer["file"] = file.display().to_string().into();
        Ok(answer)
    }

    /// The hash of the files when they are the same twice, a moment apart: half a file may be a good
    /// config, too. `None` when they do not settle; whoever writes them makes us look again.
    async fn settled(&self) -> Option<String> {
        let mut before = self.load(false).await?.source.hash;
        for _ in 0..LOOKS {
            if before == self.handle.config().source.hash {
                return Some(before);
            }
            tokio::time::sleep(MOMENT.to_std()).await;
            let now = self.load(false).await?.source.hash;
            if now == before {
                return Some(now);
            }
            before = now;
        }
        None
    }

    /// Reading blocks: files, name lookups, and the player that decodes sound files.
    async fn load(&self, sounds: bool) -> Option<Loaded> {
        let args = self.args.clone();
        tokio::task::spawn_blocking(move || load(&args, sounds)).await.ok()
    }

    /// `settled`: only if these are the files; `None` when somebody asked for it.
    async fn read_again(&self, by: Caller, settled: Option<String>) -> Value {
        let asked = settled.is_none();
        let mut refused = self.refused.lock().await;
        let Some(loaded) = self.load(true).await else {
            return json!({ "ok": false, "errors": ["reading the config failed inside"], "warnings": [], "changed": [] });
        };
        let Loaded { config, errors, warnings, source } = refuse_nothing(loaded, &self.handle.config());
        if settled.is_some_and(|hash| hash != source.hash) {
            return json!({ "ok": true, "errors": [], "warnings": [], "changed": [] });
        }
        match config {
            None => {
                let lines: Vec<String> = errors.iter().map(line).collect();
                let news = refused.as_ref() != Some(&source.hash);
                if news {
                    for line in &lines {
                        tracing::error!(problem = %line, "the new config is refused; the old one stays in force");
                    }
                }
                if news || asked {
                    *refused = Some(source.hash.clone());
                    // It opens an incident; the answer goes to the caller either way.
                    let ask = Ask::ConfigRefused { hash: source.hash, errors: lines };
                    let _ = self.handle.ask(by, ask).await;
                }
                json!({ "ok": false, "errors": errors, "warnings": warnings, "changed": [] })
            }
            Some(mut config) => {
                let old = self.handle.config();
                let mut warnings = warnings;
                warnings.extend(until_restart(&old, &mut config));
                match self.apply(by, &old, config, refused.is_some(), asked).await {
                    Ok(changed) => {
                        *refused = None;
                        json!({ "ok": true, "errors": [], "warnings": warnings, "changed": changed })
                    }
                    Err(words) => json!({ "ok": false, "errors": [words], "warnings": warnings, "changed": [] }),
                }
            }
        }
    }

    /// The names of what changed.
    async fn apply(
        &self,
        by: Caller,
        old: &Config,
        config: Config,
        was_refused: bool,
        asked: bool,
    ) -> Result<Vec<String>, String> {
        let same = old.source.hash == config.source.hash && old.source.values_hash == config.source.values_hash;
        if same && !was_refused {
            if asked {
                tracing::info!(by = %by.name, "the config was read again: nothing has changed");
            }
            return Ok(Vec::new());
        }
        let changed = config::diff(old, &config);
        give_folders(&config);
        super::systemd::reloading();
        let config = Arc::new(config);
        let applied =
            self.handle.ask(by, Ask::Apply { config: config.clone(), changed: changed.clone(), kept: false }).await;
        super::systemd::ready(super::systemd::status(false));
        match applied {
            Ok(_) => {
                keep(&config.daemon.state_dir, &config);
                let names = if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") };
                tracing::info!(changed = %names, "a new config is in force");
                Ok(changed)
            }
            Err(refusal) => {
                tracing::error!(reason = %refusal.message, "the new config could not be applied");
                Err(format!("it could not be applied: {}", refusal.message))
            }
        }
    }
}

impl crate::api::Reloader for Reloader {
    fn reload(&self, by: Caller) -> BoxFuture<'_, Value> {
        Box::pin(self.reload(by))
    }

    fn write_channel(&self, by: Caller, name: String, text: Option<String>) -> BoxFuture<'_, Answer> {
        Box::pin(self.write(by, name, text))
    }
}

/// A file that has become empty is one that is about to be written, or was lost; it says nothing about
/// what is wanted.
fn refuse_nothing(loaded: Loaded, old: &Config) -> Loaded {
    if is_empty(&old.source.files) { loaded } else { not_empty(loaded) }
}

/// With an error in the place of a config that nothing is written in.
pub(super) fn not_empty(mut loaded: Loaded) -> Loaded {
    if loaded.config.is_some() && is_empty(&loaded.source.files) {
        loaded.config = None;
        loaded.errors.push(Problem {
            file: loaded.source.path.display().to_string(),
            line: 1,
            column: 1,
            message: "the file is empty".into(),
            hint: "write [daemon] into it if nothing else is wanted".into(),
        });
    }
    loaded
}

fn is_empty(files: &[(PathBuf, Vec<u8>)]) -> bool {
    files.iter().all(|(name, bytes)| config::is_text(name) || bytes.trim_ascii().is_empty())
}

/// What is open since the start stays as it is until the next one; each with a warning.
fn until_restart(old: &Config, new: &mut Config) -> Vec<Problem> {
    let mut kept = Vec::new();
    let mut keep = |key: &str, now: String| {
        kept.push(Problem {
            file: old.source.path.display().to_string(),
            line: 0,
            column: 0,
            message: format!("{key}: a change needs a restart"),
            hint: format!("until then it is {now}"),
        });
    };
    if new.daemon.state_dir != old.daemon.state_dir {
        keep("daemon.state_dir", old.daemon.state_dir.display().to_string());
        new.daemon.state_dir.clone_from(&old.daemon.state_dir);
    }
    if new.daemon.socket != old.daemon.socket {
        keep("daemon.socket", old.daemon.socket.display().to_string());
        new.daemon.socket.clone_from(&old.daemon.socket);
    }
    let listens = |config: &Config| config.http.as_ref().map(|http| http.listen);
    if listens(new) != listens(old) {
        keep("http.listen", listens(old).map_or_else(|| "off".to_owned(), |listen| listen.to_string()));
        match (&mut new.http, &old.http) {
            (Some(new), Some(old)) => new.listen = old.listen,
            (new, old) => new.clone_from(old),
        }
    }
    kept
}

/// Keeps an accepted config for the morning when the file is broken.
pub fn keep(state_dir: &std::path::Path, config: &Config) {
    if let Err(error) = config::kept::save(state_dir, &config.source) {
        tracing::warn!(%error, "the accepted config could not be kept");
    }
}

/// Reads the config with the command line's overrides; at start sound files are left for later.
pub fn load(args: &Args, sounds: bool) -> Loaded {
    let options = config::LoadOptions { check_sounds: sounds, ..Default::default() };
    with_overrides(config::load(&args.config, &ProcessEnvironment, &options), args)
}

/// `--state-dir` and `--socket` win over the file.
pub fn with_overrides(mut loaded: Loaded, args: &Args) -> Loaded {
    if let Some(config) = &mut loaded.config {
        if let Some(dir) = &args.state_dir {
            config.daemon.state_dir = dir.clone();
        }
        if let Some(socket) = &args.socket {
            config.daemon.socket = socket.clone();
        }
    }
    loaded
}

/// Each channel is told where it may keep what it has to know after a restart.
pub fn give_folders(config: &Config) {
    let folder = config.daemon.state_dir.join("tokens");
    config.channels.values().for_each(|channel| channel.adapter.keep_in(&folder));
}

/// `file:line:column: what; what would be right`
pub fn line(problem: &Problem) -> String {
    let Problem { file, line, column, message, hint } = problem;
    let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
    match line {
        0 => format!("{file}: {message}{hint}"),
        _ => format!("{file}:{line}:{column}: {message}{hint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::from_toml;

    fn config(state_dir: &str, http: &str) -> Config {
        let rest =
            "[channels.hook]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n[levels.low]\nchannels = [\"hook\"]";
        from_toml(&format!("[daemon]\nstate_dir = {state_dir:?}\nsocket = \"/run/a.sock\"\n{http}\n{rest}"))
    }

    #[test]
    fn what_is_open_stays_until_the_next_start_and_says_so() {
        let old = config("/var/a", "[http]\nlisten = \"127.0.0.1:7373\"");
        let mut new =
            config("/var/b", "[http]\nlisten = \"127.0.0.1:7374\"\npublic_url = \"https://alarm.example.org\"");
        let said: Vec<String> = until_restart(&old, &mut new).iter().map(line).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].ends_with("daemon.state_dir: a change needs a restart (until then it is /var/a)"), "{said:?}");
        assert!(
            said[1].ends_with("http.listen: a change needs a restart (until then it is 127.0.0.1:7373)"),
            "{said:?}"
        );
        assert_eq!(new.daemon.state_dir, old.daemon.state_dir);
        let http = new.http.as_ref().map(|http| (http.listen.port(), http.public_url.as_deref()));
        assert_eq!(http, Some((7373, Some("https://alarm.example.org"))), "the rest of the table is in force");

        let mut without = config("/var/a", "");
        assert_eq!(until_restart(&old, &mut without).len(), 1);
        assert!(without.http.is_some());
        let mut same = config("/var/a", "[http]\nlisten = \"127.0.0.1:7373\"");
        assert!(until_restart(&old, &mut same).is_empty());
    }
}
