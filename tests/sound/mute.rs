//! A build without sound says so, and keeps its promises otherwise.

use crate::PLAYER;
use std::io::{Write, stderr};
use std::process::{Command, Stdio};

#[test]
fn built_without_sound_it_says_so() {
    // Past the test harness, which would keep it for itself.
    let _ = writeln!(
        stderr(),
        "\n*** SKIPPED: every test of sound, because stentor is built without the cargo feature `sound` \
         (ALSA's headers: apt-get install libasound2-dev pkg-config) ***\n"
    );
    let mut player = Command::new(PLAYER).arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = player.stdin.take().unwrap();
    writeln!(stdin, r#"{{"ask":"play","id":1,"tone":"siren","volume":1.0,"max_ms":60000}}"#).unwrap();
    writeln!(stdin, r#"{{"ask":"ping","id":2}}"#).unwrap();
    drop(stdin);
    let output = player.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut answers = answers.lines();
    let failed = answers.next().unwrap();
    assert!(failed.contains(r#""answer":"failed","id":1"#) && failed.contains("built without sound"), "{failed}");
    assert_eq!(answers.next(), Some(r#"{"answer":"pong","id":2}"#));
}

#[test]
fn without_sound_a_file_cannot_be_judged() {
    let output = Command::new(PLAYER).args(["--check", "/etc/hostname"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}
