//! The sound-file check asks a program; here a script in its place.

use crate::config::{Player, SoundCheck, SoundVerdict};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn asked(script: &str) -> SoundVerdict {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("player");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Player::at(&program).check(Path::new("/sounds/a b.mp3"))
}

#[test]
fn its_exit_code_is_the_verdict_and_its_first_line_the_reason() {
    assert_eq!(asked(r#"[ "$1" = --check ] && [ "$2" = "/sounds/a b.mp3" ]"#), SoundVerdict::Good);
    assert_eq!(
        asked("echo 'no sound in it' >&2; echo more >&2; exit 1"),
        SoundVerdict::Bad("no sound in it".to_owned())
    );
    assert_eq!(asked("exit 3"), SoundVerdict::Bad("the player ended with exit status: 3".to_owned()));
}

#[test]
fn a_player_that_talks_without_end_is_heard_out() {
    let verdict = asked(
        "i=0; while [ $i -lt 5000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; exit 1",
    );
    assert_eq!(verdict, SoundVerdict::Bad("0123456789".repeat(4)));
}

#[test]
fn without_a_player_nobody_can_tell() {
    let verdict = Player::at("/nowhere/stentor-player").check(Path::new("/a.mp3"));
    assert!(matches!(verdict, SoundVerdict::NotChecked(why) if why.contains("/nowhere/stentor-player")));
}
