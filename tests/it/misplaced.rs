//! A state directory that is deleted or moved while it is in use, or that is somebody else's.

use crate::disk::{home, in_emergency, send, sink};
use crate::harness::tools::has;
use crate::harness::{Daemon, each, eventually};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// It is in no journal any more, but in a snapshot.
async fn what_is_open_survives_a_kill(daemon: &mut Daemon) {
    eventually("a snapshot", async || {
        let found = fs::read_dir(daemon.state_dir().join("snapshots")).ok()?;
        found.flatten().any(|file| file.path().extension().is_some_and(|e| e == "snapshot")).then_some(())
    })
    .await;
    daemon.kill().await;
    daemon.start().await;
    let (_, open) = daemon.request("GET", "/api/v1/incidents", "").await;
    assert!(each(&open["incidents"], "subject").iter().any(|s| s.contains("db-1 does not answer")), "{open}");
}

#[tokio::test]
async fn f20_a_state_directory_that_is_deleted_while_running() {
    let sink = sink().await;
    let mut daemon = home(&sink).start().await;
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    send(&daemon, "before").await;
    fs::remove_dir_all(daemon.state_dir()).unwrap();
    let (first, ()) = tokio::join!(daemon.try_request("POST", "/api/v1/notifications", r#"{"subject": "x"}"#), async {
        in_emergency(&daemon, true).await;
        assert_eq!(send(&daemon, "not now").await.0, 503, "nothing can be kept");
        let (_, open) = daemon.request("GET", "/api/v1/incidents", "").await;
        assert!(each(&open["incidents"], "subject").iter().any(|s| s.contains("journal")), "{open}");
        fs::create_dir(daemon.state_dir()).unwrap();
    });
    in_emergency(&daemon, false).await;
    assert_ne!(first.unwrap().0, 500);
    assert_eq!(send(&daemon, "after").await.0, 202);
    what_is_open_survives_a_kill(&mut daemon).await;
}

#[tokio::test]
async fn f20_a_journal_that_is_moved_away_while_running_is_told_and_what_is_open_is_kept() {
    let sink = sink().await;
    let mut daemon = home(&sink).start().await;
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    let journal = daemon.state_dir().join("journal");
    fs::rename(&journal, daemon.state_dir().join("elsewhere")).unwrap();
    fs::create_dir(&journal).unwrap();
    assert_eq!(send(&daemon, "after").await.0, 202);
    eventually("it says so", async || {
        let (_, open) = daemon.try_request("GET", "/api/v1/incidents", "").await?;
        each(&open["incidents"], "body").iter().any(|s| s.contains("deleted, moved or replaced")).then_some(())
    })
    .await;
    what_is_open_survives_a_kill(&mut daemon).await;
    let (_, found) = daemon.request("GET", "/api/v1/deliveries", "").await;
    assert!(each(&found["deliveries"], "subject").iter().any(|s| s == "after"), "{found}");
}

#[tokio::test]
async fn f20_a_state_directory_of_somebody_else_is_refused_in_clear_words() {
    if !nix::unistd::geteuid().is_root() || !has("setpriv", "a state directory of somebody else") {
        return;
    }
    let sink = sink().await;
    let home = home(&sink).started_by(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    fs::create_dir(home.state_dir()).unwrap();
    fs::set_permissions(home.state_dir(), fs::Permissions::from_mode(0o700)).unwrap();
    let (code, words) = home.ends().await;
    assert_eq!(code, 75, "{words}");
    assert!(words.contains(&home.state_dir().display().to_string()) && words.contains("ermission denied"), "{words}");
}
