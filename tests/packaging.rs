//! What is shipped beside the programs: the units, the user, the installer, the licences of what we
//! depend on. systemd's own tools judge the units, where they are installed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PROGRAMS: [&str; 3] = ["stentord", "stentorctl", "stentor-player"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Of one of systemd's tools; `None`, said loudly, where it is not installed.
fn systemd(tool: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    match Command::new(tool).args(arguments).current_dir(folder).output() {
        Ok(output) => Some(output),
        Err(e) => {
            // Past the test harness, which would keep it for itself.
            let _ =
                writeln!(stderr(), "\n*** SKIPPED: what {tool} says of our units; it cannot be run here ({e}) ***\n");
            None
        }
    }
}

fn assert_clean(output: &Output) {
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.trim().is_empty(), "{said}");
}

/// A stand-in for every program that the units start.
fn stand_ins() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in PROGRAMS.iter().chain(&["wall"]) {
        let path = folder.path().join(name);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// The units as on a machine where the programs are installed.
fn units() -> TempDir {
    let folder = stand_ins();
    for unit in ["stentord.service", "stentor-failure@.service"] {
        let programs = format!("{}/", folder.path().display());
        let unit_text = fs::read_to_string(root().join("systemd").join(unit)).unwrap();
        fs::write(folder.path().join(unit), unit_text.replace("/usr/bin/", &programs)).unwrap();
    }
    folder
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let units = units();
    let drop_ins = units.path().join("stentord.service.d");
    let verify = ["verify", "--man=no", "--recursive-errors=yes"];
    for unit in ["./stentord.service", "./stentor-failure@stentord.service"] {
        let arguments = [&verify[..], &[unit]].concat();
        let Some(output) = systemd("systemd-analyze", &arguments, units.path()) else { return };
        assert_clean(&output);
    }
    fs::create_dir(&drop_ins).unwrap();
    fs::copy(root().join("systemd/stentord-credentials.conf"), drop_ins.join("credentials.conf")).unwrap();
    let arguments = [&verify[..], &["./stentord.service"]].concat();
    assert_clean(&systemd("systemd-analyze", &arguments, units.path()).unwrap());
}

#[test]
fn the_daemon_is_exposed_to_little() {
    let units = units();
    let arguments = ["security", "--offline=true", "--threshold=15", "--no-pager", "./stentord.service"];
    let Some(output) = systemd("systemd-analyze", &arguments, units.path()) else { return };
    let said = text(&output.stdout);
    assert!(said.contains("Overall exposure level"), "{said}{}", text(&output.stderr));
    assert!(output.status.success(), "more than 1.5: {said}");
}

#[test]
fn the_user_and_the_groups_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let users = root().join("systemd/stentor.sysusers.conf");
    let root_there = format!("--root={}", folder.path().display());
    let arguments = ["--dry-run", &root_there, users.to_str().unwrap()];
    let Some(output) = systemd("systemd-sysusers", &arguments, folder.path()) else { return };
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for name in ["user 'stentor'", "group 'stentor-op'", "group 'stentor-view'", "group 'audio'"] {
        assert!(
            said.contains(&format!("Would create {name}")) || said.contains(&format!("Creating {name}")),
            "{name}: {said}"
        );
    }
}

/// Every file under a folder, with its mode.
fn files(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let about = entry.metadata().unwrap();
            if about.is_dir() {
                folders.push(entry.path());
            }
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.push((name, about.permissions().mode() & 0o777));
        }
    }
    found.sort();
    found
}

fn install(programs: &Path, destination: &Path, prefix: &str) -> Output {
    Command::new(root().join("packaging/install.sh"))
        .arg("--from")
        .arg(programs)
        .args(["--prefix", prefix, "--destdir"])
        .arg(destination)
        .output()
        .unwrap()
}

#[test]
fn the_installer_puts_everything_where_the_units_look_for_it() {
    let (programs, destination) = (stand_ins(), tempfile::tempdir().unwrap());
    assert_clean(&install(programs.path(), destination.path(), "/usr"));
    let installed = files(destination.path());
    for expected in [
        ("usr/bin/stentord", 0o755),
        ("usr/bin/stentorctl", 0o755),
        ("usr/bin/stentor-player", 0o755),
        ("usr/lib/systemd/system/stentord.service", 0o644),
        ("usr/lib/systemd/system/stentor-failure@.service", 0o644),
        ("usr/lib/sysusers.d/stentor.conf", 0o644),
        ("usr/share/doc/stentor/examples/stentor.example.toml", 0o644),
        ("usr/share/doc/stentor/examples/stentord-credentials.conf", 0o644),
        ("usr/share/doc/stentor/LICENSE", 0o644),
        ("usr/share/doc/stentor/README.md", 0o644),
        ("usr/share/man/man1/stentorctl.1", 0o644),
        ("usr/share/man/man1/stentord.1", 0o644),
        ("etc/stentor/stentor.toml", 0o644),
        ("etc/stentor/conf.d", 0o755),
    ] {
        let (name, mode) = expected;
        assert!(installed.contains(&(name.to_owned(), mode)), "{name} {mode:o} is not among {installed:?}");
    }
    let unit = fs::read_to_string(destination.path().join("usr/lib/systemd/system/stentord.service")).unwrap();
    assert!(unit.contains("ProcSubset=pid") && unit.contains("Environment=STENTOR_BOOT=%b"), "/proc/sys is hidden");
    let started: Vec<PathBuf> = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart=").or(line.strip_prefix("ExecReload=")))
        .map(|command| destination.path().join(command.split(' ').next().unwrap().trim_start_matches('/')))
        .collect();
    assert_eq!(started.len(), 2);
    assert!(started.iter().all(|program| program.is_file()), "{started:?}");
}

#[test]
fn an_own_config_outlives_the_installer_and_a_prefix_is_obeyed() {
    let (programs, destination) = (stand_ins(), tempfile::tempdir().unwrap());
    let config = destination.path().join("etc/stentor/stentor.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "# mine").unwrap();
    for _ in 0..2 {
        assert_clean(&install(programs.path(), destination.path(), "/usr/local"));
    }
    assert_eq!(fs::read_to_string(config).unwrap(), "# mine");
    let unit = destination.path().join("usr/local/lib/systemd/system/stentord.service");
    let unit = fs::read_to_string(unit).unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/stentord ") && !unit.contains("/usr/bin/stentor"), "{unit}");
}

#[test]
fn the_installer_says_what_is_missing() {
    let (nothing, destination) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = install(nothing.path(), destination.path(), "/usr");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("stentord is missing; run make release first"), "{}", text(&output.stderr));
    assert_eq!(files(destination.path()), []);
}

#[test]
fn the_configs_that_are_shipped_are_good() {
    for config in ["etc/stentor.toml", "etc/demo.toml"] {
        let output = Command::new(env!("CARGO_BIN_EXE_stentorctl"))
            .args(["check-config", config])
            .current_dir(root())
            .env_clear()
            .output()
            .unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && said.contains("0 errors, 0 warnings"), "{config}: {said}");
    }
}

#[test]
fn no_banned_crate_and_no_foreign_source_is_locked() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let rules = fs::read_to_string(root().join("deny.toml")).unwrap();
    let banned: Vec<&str> = rules.split("{ crate = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(banned.contains(&"openssl-sys") && banned.contains(&"aws-lc-sys"), "{banned:?}");
    for name in banned {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name} is banned and in Cargo.lock");
    }
    let mut sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    sources.sort_unstable();
    sources.dedup();
    assert!(matches!(sources.as_slice(), [one] if one.starts_with("source = \"registry+")), "{sources:?}");
}
