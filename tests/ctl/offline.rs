//! What needs no daemon.

use crate::standin::{run, stentorctl};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

async fn ctl(args: &[&str]) -> crate::standin::Ran {
    run(stentorctl(args), None).await
}

#[tokio::test]
async fn the_version_is_the_package_s() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(ctl(&["version"]).await.out, format!("stentorctl {version}\n"));
    assert_eq!(ctl(&["--version"]).await.out, format!("stentorctl {version}\n"));
    assert_eq!(ctl(&["version", "--json"]).await.json(), json!({"version": version}));
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_no_success() {
    for args in [&["version"][..], &["version", "--json"], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = stentorctl(args).stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the answer"), "{args:?}");
    }
}

#[tokio::test]
async fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = ctl(&["completions", shell]).await;
        assert_eq!(ran.code, 0);
        for command in stentor::ctl::command().get_subcommands() {
            assert!(ran.out.contains(command.get_name()), "{shell} does not know {}", command.get_name());
        }
    }
}

#[tokio::test]
async fn help_is_no_error_and_names_every_command() {
    let ran = ctl(&["--help"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for command in stentor::ctl::command().get_subcommands() {
        assert!(ran.out.contains(command.get_name()));
        assert!(command.get_about().is_some(), "{} has no words", command.get_name());
    }
}

#[tokio::test]
async fn a_config_is_checked_without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stentor.toml");
    std::fs::write(&file, "[daemon]\nnmae = \"x\"\n").unwrap();
    let path = file.to_str().unwrap();
    let people = ctl(&["check-config", path]).await;
    assert_eq!((people.code, people.err.as_str()), (1, ""), "{people:?}");
    assert!(people.out.contains(&format!("{path}:2:1: error: ")), "{people:?}");
    assert!(people.out.contains("the configuration is refused: "), "{people:?}");

    let scripts = ctl(&["check-config", path, "--json"]).await;
    let report = scripts.json();
    assert_eq!((scripts.code, &report["ok"]), (1, &json!(false)));
    let error = &report["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(1)), "{report}");
    assert!(error["message"].is_string() && error["hint"].is_string() && report["warnings"].is_array());

    let missing = ctl(&["check-config", "/does/not/exist.toml"]).await;
    assert_eq!((missing.code, missing.out.contains("/does/not/exist.toml")), (1, true), "{missing:?}");
}

#[tokio::test]
async fn secrets_may_be_left_out_of_a_check() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stentor.toml");
    std::fs::write(&file, "[daemon]\nname = \"${STENTOR_TEST_NAME_THAT_NOBODY_SETS}\"\n").unwrap();
    let path = file.to_str().unwrap();
    let says = |ran: &crate::standin::Ran| ran.out.contains("STENTOR_TEST_NAME_THAT_NOBODY_SETS");
    assert!(says(&ctl(&["check-config", path]).await));
    assert!(!says(&ctl(&["check-config", "--without-secrets", path]).await));
}

#[test]
fn the_definitions_are_sound() {
    stentor::ctl::command().debug_assert();
    stentor::daemon::command().debug_assert();
    stentor::channel::sound::player::command().debug_assert();
}

/// `cargo run --example man` writes them.
#[test]
fn the_man_pages_are_those_of_the_definition() {
    let made = tempfile::tempdir().unwrap();
    let player = stentor::channel::sound::player::command();
    for program in [stentor::ctl::command(), stentor::daemon::command(), player] {
        clap_mangen::generate_to(program, made.path()).unwrap();
    }
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let names = |dir: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(made.path()), names(&kept), "run: cargo run --example man");
    for name in names(&kept) {
        let read = |dir: &std::path::Path| std::fs::read_to_string(dir.join(&name)).unwrap();
        assert!(read(made.path()) == read(&kept), "{name:?} is stale; run: cargo run --example man");
    }
}

/// The commands of the definition that do something, and their flags.
fn described(command: &clap::Command, path: &str, found: &mut BTreeMap<String, Vec<String>>) {
    let later = |help: Option<&clap::builder::StyledStr>| {
        help.is_some_and(|h| h.to_string().to_lowercase().contains("not yet supported"))
    };
    for inner in command.get_subcommands().filter(|c| !later(c.get_about())) {
        let name = format!("{path} {}", inner.get_name()).trim().to_owned();
        match inner.has_subcommands() {
            true => described(inner, &name, found),
            false => {
                let flags = inner.get_arguments().filter(|a| !later(a.get_help())).filter_map(|a| a.get_long());
                found.insert(name, flags.map(str::to_owned).collect());
            }
        }
    }
}

#[test]
fn every_command_is_in_the_operators_handbook() {
    let mut commands = BTreeMap::new();
    described(&stentor::ctl::command(), "", &mut commands);
    assert!(commands.len() > 30, "only {} commands were found", commands.len());
    let daemon = stentor::daemon::command();
    let flags = daemon.get_arguments().filter_map(|a| a.get_long()).map(str::to_owned);
    commands.insert("stentord".into(), flags.collect());

    let text = include_str!("../../docs/commands.md");
    let headings = text.lines().filter(|line| line.starts_with("### `"));
    let named: BTreeSet<&str> = headings.flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let wanted: BTreeSet<&str> = commands.keys().map(String::as_str).collect();
    assert_eq!(named, wanted, "headings of docs/commands.md, and the commands that there are");
    for (command, flags) in &commands {
        for flag in flags {
            assert!(text.contains(&format!("--{flag}")), "docs/commands.md does not tell of {command} --{flag}");
        }
    }
}
