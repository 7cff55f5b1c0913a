//! A network of a story's own: the story runs once more as a child process, in a user, network and mount
//! namespace in which it is root, and in which nothing leads out.

use super::skip;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// Says that we are inside.
const INSIDE: &str = "STENTOR_STORY_ALONE";
const UNSHARE: [&str; 6] = ["--user", "--map-root-user", "--net", "--mount", "--fork", "--kill-child"];

/// `true` inside, where loopback is up. Outside it runs the story (`network::f29_...`) inside, to its
/// end, or says that it was skipped; there is nothing more to do then.
pub async fn alone(story: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        ip("link set lo up").await;
        return true;
    }
    for needed in [&["true"] as &[&str], &["ip", "link", "set", "lo", "up"]] {
        let mut try_out = Command::new("unshare");
        try_out.args(UNSHARE).args(needed).stdout(Stdio::null()).stderr(Stdio::null());
        if !try_out.status().await.is_ok_and(|status| status.success()) {
            skip(story, "network namespaces or iproute2 cannot be used here");
            return false;
        }
    }
    let mut inside = Command::new("unshare");
    inside.args(UNSHARE).arg(std::env::current_exe().unwrap()).args(["--exact", story, "--nocapture"]);
    let told = inside.env(INSIDE, "1").kill_on_drop(true).output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{story}, told alone:\n{out}\n{err}");
    assert!(out.contains("1 passed"), "there is no story {story}: {out}");
    err.lines().filter(|line| line.contains("SKIPPED")).for_each(|line| eprintln!("{line}"));
    false
}

/// `ip` with these words.
pub async fn ip(words: &str) {
    shell(&format!("ip {words}")).await.unwrap_or_else(|why| panic!("ip {words}: {why}"));
}

/// A line of shell, and what it complained about.
pub async fn shell(line: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-c", line]).output().await.unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Shows this text in the place of a file of the system's, for what runs in the namespace.
pub async fn in_place_of(file: &str, text: &str, folder: &Path) -> Result<(), String> {
    let ours = folder.join(file.replace('/', "-"));
    std::fs::write(&ours, text).unwrap();
    shell(&format!("mount --bind {} {file}", ours.display())).await
}

/// From now on packets to these two addresses leave, and nothing ever comes back.
pub async fn black_hole() -> (&'static str, &'static str) {
    ip("link add hole type veth peer name nowhere").await;
    ip("link set hole up").await;
    ip("link set nowhere up").await;
    ip("addr add 192.0.2.1/24 dev hole").await;
    ip("addr add 2001:db8::1/64 dev hole nodad").await;
    for address in ["192.0.2.66", "2001:db8::66"] {
        ip(&format!("neigh add {address} lladdr 02:00:00:00:00:66 dev hole")).await;
    }
    ("192.0.2.66", "2001:db8::66")
}
