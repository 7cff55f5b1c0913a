//! What needs no daemon.

use crate::standin::{run, stentorctl};
use serde_json::json;

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

#[test]
fn the_definition_is_sound() {
    stentor::ctl::command().debug_assert();
}

/// `cargo run --example man` writes them.
#[test]
fn the_man_pages_are_those_of_the_definition() {
    let made = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(stentor::ctl::command(), made.path()).unwrap();
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let names = |dir: &std::path::Path| {
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(made.path()), names(&kept), "run: cargo run --example man");
    for name in names(&kept) {
        let read = |dir: &std::path::Path| std::fs::read_to_string(dir.join(&name)).unwrap();
        assert_eq!(read(made.path()), read(&kept), "{name:?}; run: cargo run --example man");
    }
}
