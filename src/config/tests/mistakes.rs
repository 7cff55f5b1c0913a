//! One small wrong config for each error and each warning, named after the mistake, and beside it
//! what the user will see. `STENTOR_BLESS=1` writes the latter anew.

use crate::channel::{Channel, Kind, Outgoing, Probed, SoundEnded, SoundTerms, Sounder, WantedSound, sound};
use crate::config::testing::{FixedAccounts, STAND_INS, load_text, stand_in_options};
use crate::config::{LoadOptions, Loaded, Problem};
use crate::domain::event::AttemptResult;
use crate::domain::level::Level;
use futures_util::future::BoxFuture;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The real settings of a sound, with a player that knows one broken file.
const SOUND: &Kind = &Kind {
    read: |table| {
        let broken = table.text("file").is_some_and(|file| file.ends_with("broken.mp3"));
        let real = (sound::KIND.read)(table)?;
        Some(Arc::new(Sound { real, broken }))
    },
    ..sound::KIND
};

#[derive(Debug)]
struct Sound {
    real: Arc<dyn Channel>,
    broken: bool,
}

impl Channel for Sound {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        self.real.send(out)
    }
    fn probe(&self) -> BoxFuture<'_, Probed> {
        self.real.probe()
    }
    fn describe(&self, out: &Outgoing) -> String {
        self.real.describe(out)
    }
    fn sounder(&self) -> Option<&dyn Sounder> {
        Some(self)
    }
}

impl Sounder for Sound {
    fn terms(&self) -> SoundTerms {
        self.real.sounder().unwrap().terms()
    }
    fn wanted(&self, _sounds: Vec<WantedSound>) {}
    fn ended(&self) -> BoxFuture<'_, SoundEnded> {
        Box::pin(std::future::pending())
    }
    fn check(&self) -> Result<(), String> {
        if self.broken { Err("end of stream".to_owned()) } else { Ok(()) }
    }
}

fn load(text: &str, allow_later: bool) -> Loaded {
    let accounts = FixedAccounts { users: [("root".to_owned(), 0)].into(), ..FixedAccounts::default() };
    let kinds: Vec<_> = STAND_INS.iter().copied().filter(|k| k.name != SOUND.name).chain([SOUND]).collect();
    let options =
        LoadOptions { accounts: &accounts, kinds: &kinds, check_sounds: true, allow_later, ..stand_in_options() };
    load_text(text, &[], &options)
}

/// Every file of a folder with what is told about it.
fn each(folder: &str, told: impl Fn(&Path, Loaded) -> Vec<Problem>, allow_later: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/testdata").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = String::new();
    for file in files {
        let loaded = load(&std::fs::read_to_string(&file).unwrap(), allow_later);
        let problems = told(&file, loaded);
        if let Some(bare) = problems.iter().find(|p| p.hint.is_empty() || p.line == 0) {
            let _ = writeln!(wrong, "{}: no hint or no place: {bare}", file.display());
        }
        let said: String = problems.iter().map(line).collect();
        let beside = file.with_extension("txt");
        if std::env::var_os("STENTOR_BLESS").is_some() {
            std::fs::write(&beside, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if said != expected || said.is_empty() {
            let _ = writeln!(wrong, "{}\n--- expected\n{expected}--- said\n{said}", file.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn line(p: &Problem) -> String {
    let hint = if p.hint.is_empty() { String::new() } else { format!("\n    {}", p.hint) };
    format!("{}:{} {}{hint}\n", p.line, p.column, p.message)
}

fn errors(file: &Path, loaded: Loaded) -> Vec<Problem> {
    assert!(loaded.config.is_none(), "{} is accepted", file.display());
    loaded.errors
}

fn warnings(file: &Path, loaded: Loaded) -> Vec<Problem> {
    assert_eq!(loaded.errors, [], "{}", file.display());
    assert!(loaded.config.is_some());
    loaded.warnings
}

#[test]
fn f58_every_error_is_told_with_its_place_and_what_would_be_right() {
    each("errors", errors, false);
}

#[test]
fn f58_every_warning_is_told_and_refuses_nothing() {
    each("warnings", warnings, false);
}

#[test]
fn mistakes_in_what_later_issues_bring() {
    each("later-errors", errors, true);
    each("later-warnings", warnings, true);
}

#[test]
fn a_level_left_out_is_as_the_nearest_lower_else_the_nearest_higher_without_its_policy() {
    let text = "[channels.a]\nkind = 'slack'\n[channels.b]\nkind = 'slack'\n\
                [levels.normal]\nchannels = ['a']\npolicy = 'page'\nremind = '1h'\n[levels.urgent]\nchannels = ['b']\n\
                [policies.page]\nsteps = [{ after = '0s' }]\n";
    let levels = load(text, false).config.unwrap().levels;
    let seen: Vec<_> =
        Level::ALL.iter().map(|l| (levels[l].channels[0].as_str(), levels[l].policy.as_deref())).collect();
    assert_eq!(seen, [("a", None), ("a", Some("page")), ("a", Some("page")), ("b", None)]);
    assert_eq!(levels[&Level::Low].remind, levels[&Level::High].remind);
}
