//! The main file and conf.d, as they lie on a disk.

use crate::config::check::{self, CheckReport};
use crate::config::testing::stand_in_options;
use crate::config::{Loaded, load};
use crate::settings::testing::environment;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn loaded(dir: &Path) -> Loaded {
    load(&dir.join("stentor.toml"), &environment(&[]), &stand_in_options())
}

/// File name, line and message of each error.
fn errors(dir: &Path) -> Vec<String> {
    let name = |file: &str| PathBuf::from(file).file_name().unwrap().to_str().unwrap().to_owned();
    loaded(dir).errors.iter().map(|p| format!("{}:{} {}", name(&p.file), p.line, p.message)).collect()
}

#[test]
fn named_entries_of_all_files_are_joined_in_order_of_name() {
    let dir = folder(&[
        ("stentor.toml", "[daemon]\nname = 'main'\n[people.ann]\n"),
        ("conf.d/20-b.toml", "[people.bob]\n[levels.high]\nchannels = []\n"),
        ("conf.d/10-a.toml", "[people.carol]\n[levels.low]\nchannels = []\n"),
        ("conf.d/.#30-editor.toml", "broken"),
        ("conf.d/notes.txt", "broken"),
    ]);
    let loaded = loaded(dir.path());
    assert_eq!(loaded.errors, []);
    let config = loaded.config.unwrap();
    assert_eq!(config.people.keys().collect::<Vec<_>>(), ["ann", "bob", "carol"]);
    let names: Vec<&str> = config.source.files.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, ["stentor.toml", "conf.d/10-a.toml", "conf.d/20-b.toml"]);
}

#[test]
fn an_entry_or_a_single_table_given_twice_is_an_error() {
    let dir = folder(&[
        ("stentor.toml", "[daemon]\nname = 'main'\n\n[people.ann]\n"),
        ("conf.d/10-a.toml", "[people.ann]\nphone = '+15550100'\n[daemon]\nsocket = '/s'\n"),
    ]);
    let main = dir.path().join("stentor.toml");
    assert_eq!(
        errors(dir.path()),
        [
            format!("10-a.toml:1 people.ann is written twice, first in {}, line 4", main.display()),
            format!("10-a.toml:3 daemon is written twice, first in {}, line 1", main.display()),
        ]
    );
}

#[test]
fn lists_of_routes_are_joined() {
    let dir =
        folder(&[("stentor.toml", "[[routes]]\npolicy = 'a'\n"), ("conf.d/10-a.toml", "[[routes]]\npolicy = 'b'\n")]);
    assert_eq!(errors(dir.path()), ["stentor.toml:1 routes is not yet supported"]);
}

#[test]
fn a_mistake_is_told_in_the_file_where_it_is_and_all_files_are_read() {
    let dir = folder(&[
        ("stentor.toml", "[daemon]\nnmae = 'x'\n"),
        ("conf.d/10-a.toml", "\n[levels.low]\nchannels = ['mail']\n"),
        ("conf.d/20-b.toml", "[people.x]\nphone = '5'\n"),
    ]);
    let told = errors(dir.path());
    assert_eq!(told[0], "stentor.toml:2 unknown key daemon.nmae");
    assert!(told.contains(&"10-a.toml:3 levels.low.channels[1]: there is no channel \"mail\"".to_owned()), "{told:?}");
    assert!(told.last().unwrap().starts_with("20-b.toml:2 people.x.phone"), "{told:?}");
}

#[test]
fn f53_files_that_are_no_toml_are_all_told() {
    let dir = folder(&[("stentor.toml", "[daemon"), ("conf.d/a.toml", "x = "), ("conf.d/b.toml", "")]);
    fs::write(dir.path().join("conf.d/b.toml"), b"# ok\nname = \"\xff\"\n").unwrap();
    let told = errors(dir.path());
    assert!(told[0].starts_with("stentor.toml:1 this is not TOML"), "{told:?}");
    assert!(told[1].starts_with("a.toml:1 this is not TOML"), "{told:?}");
    assert_eq!(told[2], "b.toml:2 this is not UTF-8");
}

#[test]
fn what_cannot_be_read_is_told_by_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stentor.toml");
    let missing = loaded(dir.path());
    assert!(missing.config.is_none());
    assert_eq!(missing.errors.len(), 1);
    assert_eq!((missing.errors[0].file.as_str(), missing.errors[0].line), (path.to_str().unwrap(), 0));
    assert!(missing.errors[0].message.contains("No such file"), "{}", missing.errors[0].message);

    fs::create_dir(&path).unwrap();
    assert!(loaded(dir.path()).errors[0].message.contains("not a regular file"));
    fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(loaded(dir.path()).errors[0].message.contains("not a regular file"));

    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    std::os::unix::fs::symlink("/nowhere", dir.path().join("conf.d/a.toml")).unwrap();
    let dangling = loaded(dir.path());
    assert!(dangling.config.is_none() && dangling.errors[0].file.ends_with("conf.d/a.toml"));
}

#[test]
fn the_hash_covers_names_and_bytes_but_not_where_they_lie() {
    let files = [("stentor.toml", "[people.a]\n"), ("conf.d/a.toml", "[people.b]\n")];
    let (one, two) = (folder(&files), folder(&files));
    assert_eq!(loaded(one.path()).source.hash, loaded(two.path()).source.hash);
    fs::rename(two.path().join("conf.d/a.toml"), two.path().join("conf.d/b.toml")).unwrap();
    assert_ne!(loaded(one.path()).source.hash, loaded(two.path()).source.hash);
    let moved = folder(&[("stentor.toml", "[people.a]\n[people.b]\n"), ("conf.d/a.toml", "")]);
    assert_ne!(loaded(one.path()).source.hash, loaded(moved.path()).source.hash);
    assert_eq!(loaded(one.path()).source.values_hash, loaded(moved.path()).source.values_hash);
}

#[test]
fn a_report_is_the_document_of_the_contract_and_a_text_for_people() {
    let dir = folder(&[("stentor.toml", "[daemon]\nnmae = 'x'\n[access]\nadmin = ['ghost']\n")]);
    let path = dir.path().join("stentor.toml");
    let report = check::report(&path, &environment(&[]), &stand_in_options());
    let json: serde_json::Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(
        json["errors"],
        serde_json::json!([{"file": path.to_str().unwrap(), "line": 2, "column": 1,
            "message": "unknown key daemon.nmae", "hint": "did you mean \"name\"?"}])
    );
    let warning = "access.admin: there is no unix user \"ghost\"";
    assert!(json["warnings"].as_array().unwrap().iter().any(|w| w["message"] == warning && w["line"] == 4));
    let text = report.render_text();
    let path = path.display();
    assert!(
        text.starts_with(&format!("{path}:2:1: error: unknown key daemon.nmae\n    did you mean \"name\"?\n")),
        "{text}"
    );
    assert!(text.contains(&format!("{path}:4:10: warning: {warning}\n")), "{text}");
    assert!(text.ends_with("the configuration is refused: 1 error, 3 warnings\n"), "{text}");
    let good = CheckReport { ok: true, ..CheckReport::default() };
    assert_eq!(good.render_text(), "the configuration is good: 0 errors, 0 warnings\n");
}
