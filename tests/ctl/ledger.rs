//! `ledger verify` and `ledger rebuild` on real files, while no daemon runs.

use crate::standin::{Ran, run, stentorctl};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stentor::config::{LoadOptions, ProcessEnvironment, kept, load};
use stentor::domain::event::{EventKind, Frame};
use stentor::domain::time::Timestamp;
use stentor::ledger::{Extract, Ledger, Options, open};

fn start(dir: &Path) -> Ledger {
    let opening = open(dir, Options::default()).unwrap();
    let recovered = opening.replay(&mut |_| Extract::default()).unwrap();
    recovered.start(Arc::new(|_| ())).unwrap()
}

/// A ledger of three frames, closed.
fn written() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ledger = start(dir.path());
    for seq in 1..=3 {
        let pinged = EventKind::HeartbeatPinged { name: format!("backup-number-{seq}"), ok: true };
        let at = Timestamp(1_700_000_000_000_000);
        let frame = Frame { seq, at, by: "a test".into(), recorded_late: false, events: vec![pinged.bare()] };
        ledger.append(frame.into(), &[7; 16], Extract::default()).unwrap();
    }
    ledger.stop().unwrap();
    dir
}

async fn offline(what: &str, dir: &Path, more: &[&str]) -> Ran {
    let dir = dir.to_str().unwrap();
    let args: Vec<&str> = ["ledger", what, "--offline", "--state-dir", dir].iter().chain(more).copied().collect();
    run(stentorctl(&args), None).await
}

fn shipped_config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/stentor.toml")
}

#[tokio::test]
async fn a_ledger_is_verified_without_a_daemon() {
    let dir = written();
    let people = offline("verify", dir.path(), &[]).await;
    assert_eq!((people.code, people.out.starts_with("ok: 3 events, head ")), (0, true), "{people:?}");
    let report = offline("verify", dir.path(), &["--json"]).await.json();
    assert_eq!((&report["ok"], &report["events"], &report["faults"]), (&json!(true), &json!(3), &json!([])));
    assert!(report["head"].as_str().is_some_and(|h| h.len() == 64), "{report}");
}

#[tokio::test]
async fn a_state_directory_is_only_named_where_it_is_read() {
    let ran = run(stentorctl(&["ledger", "verify", "--state-dir", "/somewhere"]), None).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--offline"), "{ran:?}");
}

#[tokio::test]
async fn an_edited_entry_is_found_with_its_place() {
    let dir = written();
    let segment = std::fs::read_dir(dir.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    let name = b"backup-number-2";
    let at = bytes.windows(name.len()).position(|w| w == name).unwrap();
    bytes[at] = b'B';
    std::fs::write(&segment, bytes).unwrap();
    let people = offline("verify", dir.path(), &[]).await;
    assert_eq!(people.code, 1, "{people:?}");
    let fault = people.out.lines().next().unwrap();
    let file = segment.file_name().unwrap().to_str().unwrap();
    assert!(fault.starts_with("fault: ") && fault.contains(file) && fault.contains(" at byte "), "{people:?}");
    assert!(people.out.contains("DAMAGED: "), "{people:?}");
    let scripts = offline("verify", dir.path(), &["--json"]).await;
    assert_eq!((scripts.code, &scripts.json()["ok"]), (1, &json!(false)));
}

#[tokio::test]
async fn a_directory_in_use_is_left_alone_and_the_process_named() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = start(dir.path());
    for what in ["verify", "rebuild"] {
        let ran = offline(what, dir.path(), &[]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(&format!("process {}", std::process::id())), "{ran:?}");
    }
    ledger.stop().unwrap();
}

#[tokio::test]
async fn the_history_is_made_anew_by_the_kept_config_or_another() {
    let dir = written();
    let history = dir.path().join("history");
    std::fs::remove_dir_all(&history).unwrap();

    let without = offline("rebuild", dir.path(), &[]).await;
    assert_eq!((without.code, without.err.contains("no accepted config is kept")), (1, true), "{without:?}");
    let broken = dir.path().join("broken.toml");
    std::fs::write(&broken, "[daemon]\nnmae = 1\n").unwrap();
    let refused = offline("rebuild", dir.path(), &["--config", broken.to_str().unwrap()]).await;
    assert_eq!((refused.code, refused.out.contains("broken.toml:2:1: error: ")), (1, true), "{refused:?}");
    assert!(!history.exists());

    let config = shipped_config();
    let named = offline("rebuild", dir.path(), &["--config", config.to_str().unwrap(), "--json"]).await;
    assert_eq!((named.code, &named.json()["events"]), (0, &json!(3)), "{named:?}");
    assert!(history.exists());

    std::fs::remove_dir_all(&history).unwrap();
    let loaded = load(&config, &ProcessEnvironment, &LoadOptions { without_secrets: true, ..LoadOptions::default() });
    kept::save(dir.path(), &loaded.source).unwrap();
    let kept = offline("rebuild", dir.path(), &[]).await;
    assert_eq!((kept.code, kept.out.starts_with("ok: 3 events, head ")), (0, true), "{kept:?}");
    let report = offline("verify", dir.path(), &["--json"]).await.json();
    assert_eq!((&report["ok"], &report["history_events"]), (&json!(true), &json!(3)), "{report}");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_said() {
    let dir = tempfile::tempdir().unwrap();
    for what in ["verify", "rebuild"] {
        let ran = offline(what, &dir.path().join("absent"), &[]).await;
        assert_eq!((ran.code, ran.err.contains("absent")), (1, true), "{what} {ran:?}");
    }
}
