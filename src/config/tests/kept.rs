//! "A broken morning": the last accepted config is there when the file is not.

use crate::config::testing::stand_in_options;
use crate::config::{Source, kept, load, load_from_files, state_dir};
use crate::settings::testing::environment;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn source(files: &[(&str, &str)]) -> Source {
    let files = files.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect();
    load_from_files(Path::new("/etc/stentor/stentor.toml"), files, &environment(&[]), &stand_in_options()).source
}

fn kept_people(state: &Path) -> Option<Vec<String>> {
    let loaded = kept::load(state, &environment(&[]), &stand_in_options())?;
    assert_eq!(loaded.errors, []);
    Some(loaded.config?.people.into_keys().collect())
}

#[test]
fn what_was_kept_comes_back_with_the_same_hash() {
    let state = tempfile::tempdir().unwrap();
    assert!(kept::load(state.path(), &environment(&[]), &stand_in_options()).is_none());
    let source = source(&[("my.toml", "[people.a]\n"), ("conf.d/10.toml", "[people.b]\n")]);
    kept::save(state.path(), &source).unwrap();
    assert_eq!(kept_people(state.path()).unwrap(), ["a", "b"]);
    let again = kept::load(state.path(), &environment(&[]), &stand_in_options()).unwrap();
    assert_eq!(again.source.hash, source.hash);
    assert_eq!(again.source.values_hash, source.values_hash);
}

#[test]
fn a_newer_one_replaces_it_as_a_whole() {
    let state = tempfile::tempdir().unwrap();
    kept::save(state.path(), &source(&[("s.toml", ""), ("conf.d/10.toml", "[people.b]\n")])).unwrap();
    kept::save(state.path(), &source(&[("s.toml", "[people.c]\n")])).unwrap();
    assert_eq!(kept_people(state.path()).unwrap(), ["c"]);
    let left: Vec<_> = fs::read_dir(state.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["kept-config"]);
}

#[test]
fn a_crash_between_leaves_the_old_or_the_new_one() {
    let state = tempfile::tempdir().unwrap();
    let path = |name: &str| state.path().join(name);
    kept::save(state.path(), &source(&[("s.toml", "[people.old]\n")])).unwrap();
    // Before the first rename: the new one is half there.
    fs::create_dir(path("kept-config.new")).unwrap();
    fs::write(path("kept-config.new/s.toml"), "[peop").unwrap();
    assert_eq!(kept_people(state.path()).unwrap(), ["old"]);
    // Between the renames.
    fs::rename(path("kept-config"), path("kept-config.old")).unwrap();
    assert_eq!(kept_people(state.path()).unwrap(), ["old"]);
    // The next save cleans up after both.
    kept::save(state.path(), &source(&[("s.toml", "[people.new]\n")])).unwrap();
    assert_eq!(kept_people(state.path()).unwrap(), ["new"]);
    assert!(!path("kept-config.old").exists() && !path("kept-config.new").exists());
}

#[test]
fn nobody_else_can_read_it() {
    let state = tempfile::tempdir().unwrap();
    kept::save(state.path(), &source(&[("s.toml", ""), ("conf.d/10.toml", "")])).unwrap();
    let mode =
        |path: &str| fs::metadata(state.path().join("kept-config").join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("conf.d"), mode("s.toml"), mode("conf.d/10.toml")), (0o700, 0o700, 0o600, 0o600));
}

#[test]
fn it_is_judged_anew() {
    let state = tempfile::tempdir().unwrap();
    let files = vec![("s.toml".into(), b"[daemon]\nname = '${NAME}'\n".to_vec())];
    let env = environment(&[("NAME", "x")]);
    let loaded = load_from_files(Path::new("s.toml"), files, &env, &stand_in_options());
    kept::save(state.path(), &loaded.source).unwrap();
    assert!(kept::load(state.path(), &env, &stand_in_options()).unwrap().config.is_some());
    assert!(kept::load(state.path(), &environment(&[]), &stand_in_options()).unwrap().config.is_none());
}

#[test]
fn a_refused_file_still_says_where_its_state_lies() {
    let env = environment(&[("STATE_DIRECTORY", "/from/systemd"), ("DIR", "/srv")]);
    let dir = |files: &[(&str, &str)]| state_dir::of_refused(&source(files), &env);
    let broken = "[daemon]\nstate_dir = \"${DIR}/stentor\"\nport = = 5\n[channels.x\n";
    assert_eq!(dir(&[("s.toml", broken)]), Path::new("/srv/stentor"));
    assert_eq!(dir(&[("s.toml", "[daemon]\nnmae = 5\nstate_dir = '/a'\n")]), Path::new("/a"));
    assert_eq!(dir(&[("s.toml", "]["), ("conf.d/a.toml", "daemon.state_dir = '/b'")]), Path::new("/b"));
    assert_eq!(dir(&[("s.toml", "[daemon]\nstate_dir = 5\n")]), Path::new("/from/systemd"));
    assert_eq!(dir(&[("s.toml", "[daemon]\nstate_dir = '${GONE}'\n")]), Path::new("/from/systemd"));
    assert_eq!(dir(&[]), Path::new("/from/systemd"));
    assert_eq!(state_dir::of_refused(&source(&[]), &environment(&[])), Path::new("/var/lib/stentor"));
}

#[test]
fn a_state_directory_that_cannot_be_written_keeps_what_was_there() {
    let state = tempfile::tempdir().unwrap();
    kept::save(state.path(), &source(&[("s.toml", "[people.old]\n")])).unwrap();
    // A file where the folder should be made.
    fs::write(state.path().join("kept-config.new"), "").unwrap();
    assert!(kept::save(state.path(), &source(&[("s.toml", "[people.new]\n")])).is_err());
    assert_eq!(kept_people(state.path()).unwrap(), ["old"]);
    assert!(kept::save(&state.path().join("nowhere\0"), &source(&[("s.toml", "")])).is_err());
    let _ = load(Path::new("/nowhere"), &environment(&[]), &stand_in_options());
}
