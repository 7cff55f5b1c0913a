//! `stentor-player --check FILE`.

use crate::PLAYER;
use crate::device::fixture;
use std::path::Path;
use std::process::Command;

/// Exit code, standard output, standard error.
fn check(file: &Path) -> (i32, String, String) {
    let output = Command::new(PLAYER).arg("--check").arg(file).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_sound_is_described() {
    for (name, what) in [
        ("500hz.wav", "0.6 s, 8000 Hz, 1 channel"),
        ("1000hz.mp3", "0.6 s, 24000 Hz, 2 channels"),
        ("750hz.ogg", "0.6 s, 22050 Hz, 1 channel"),
        ("1250hz.flac", "0.6 s, 16000 Hz, 1 channel"),
    ] {
        let file = fixture(name);
        assert_eq!(check(Path::new(&file)), (0, format!("{file}: {what}\n"), String::new()));
    }
}

#[test]
fn what_is_no_sound_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let good = std::fs::read(fixture("500hz.wav")).unwrap();
    let silent = [&good[..44], &vec![0; good.len() - 44]].concat();
    let garbage: Vec<u8> = (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (name, bytes, words) in [
        ("garbage.mp3", &garbage[..], "is not a sound that can be decoded"),
        ("empty.wav", &[][..], "is not a sound that can be decoded"),
        ("text.ogg", b"OggS but no sound at all".as_slice(), "is not a sound that can be decoded"),
        ("cut.wav", &good[..2_000], "is cut off: only 0.1 s of 0.6 s decode"),
        ("silent.wav", &silent, "0.6 s of silence; an alarm must be heard"),
    ] {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let (code, out, err) = check(&file);
        assert_eq!((code, out.as_str()), (1, ""), "{name}");
        assert!(err.starts_with(&format!("{}: {words}", file.display())), "{name}: {err}");
    }
    let (code, _, err) = check(&dir.path().join("missing.wav"));
    assert_eq!(code, 1);
    assert!(err.contains("missing.wav: cannot be read: No such file"), "{err}");
    let (code, _, err) = check(dir.path());
    assert_eq!((code, err.contains("is not a file")), (1, true), "{err}");
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    for arguments in [vec![], vec!["--sing"], vec!["--serve", "--check", "x"], vec!["--check"]] {
        let output = Command::new(PLAYER).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    let output = Command::new(PLAYER).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("stentor-player {}\n", env!("CARGO_PKG_VERSION")));
}
