//! Who may do what, by the unix user who asks. Needs root, to be other users.

use crate::harness::ways;
use crate::harness::{Daemon, Home, Said, run, skip};
use crate::standins::Standins;
use nix::unistd::{Uid, User};
use serde_json::Value;
use std::path::PathBuf;

const VIEWER: &str = "games";
const OPERATOR: &str = "daemon";
const PERSON: &str = "mail";
const STRANGER: &str = "nobody";

const ROLES: &str = r#"
[access]
viewer   = ["games"]
operator = ["daemon"]

[people.erin]
email = "erin@example.org"
login = "mail"

[levels.low]
channels = ["hook"]

[heartbeats.job]
kind  = "passive"
every = "1d"
"#;

/// `None`, and a loud line, where we cannot be other users.
fn can_be_others() -> Option<()> {
    let all = [VIEWER, OPERATOR, PERSON, STRANGER].iter().all(|name| uid(name).is_some());
    if Uid::effective().is_root() && all {
        return Some(());
    }
    skip("roles by unix user", "this needs root and Debian's usual users");
    None
}

fn uid(name: &str) -> Option<u32> {
    Some(User::from_name(name).ok()??.uid.as_raw())
}

/// The command itself in a place where everybody may run it.
fn shared_command(daemon: &Daemon) -> PathBuf {
    let copy = daemon.path("stentorctl");
    if !copy.exists() {
        // By another process: a file that we write ourselves is open in whatever another test forks
        // at that moment, and cannot be run.
        let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_stentorctl")).arg(&copy).status();
        assert!(copied.unwrap().success());
    }
    copy
}

async fn as_user(name: &str, daemon: &Daemon, arguments: &[&str]) -> Said {
    let mut command = tokio::process::Command::new(shared_command(daemon));
    command.env_clear().env("STENTOR_SOCKET", daemon.socket()).args(arguments).arg("--json");
    command.uid(uid(name).unwrap()).gid(65_534);
    run(&mut command).await
}

#[tokio::test]
async fn each_role_does_what_it_may_and_no_more() {
    let Some(()) = can_be_others() else { return };
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(ROLES)).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["page", "--subject", "x", "--level", "high"]).await;

    let reading: &[&[&str]] = &[&["status"], &["incidents", "list"], &["ledger", "query"], &["explain", "1"]];
    let viewing: &[&[&str]] = &[&["ping", "job"], &["metric", "set", "m", "1"]];
    let acting: &[&[&str]] = &[
        &["send", "--subject", "x"],
        &["ack", "1"],
        &["resolve", "1"],
        &["silence", "add", "a=b", "--for", "1h", "--comment", "c"],
    ];
    let ruling: &[&[&str]] = &[&["reload"]];
    let grants = [(STRANGER, 0), (VIEWER, 2), (OPERATOR, 3), ("root", 4)];
    let mut refused = 0;
    for (user, allowed) in grants {
        for (sort, commands) in [reading, viewing, acting, ruling].iter().enumerate() {
            for command in *commands {
                let said = as_user(user, &daemon, command).await;
                if sort < allowed {
                    // It may have been resolved before, or be bad news; refused it is not.
                    assert!(said.code <= 2, "{user} may {command:?}: {said:?}");
                } else {
                    assert_eq!(said.code, 5, "{user} may not {command:?}: {said:?}");
                    assert_eq!(said.json()["error"]["code"], "FORBIDDEN", "{said:?}");
                    refused += 1;
                }
            }
        }
    }
    let denied = daemon.ledger(&["auth_denied"]).await;
    assert_eq!(denied.len(), refused, "every refused call is on record once: {denied:#?}");
    for user in [STRANGER, VIEWER, OPERATOR] {
        // By name who is named in [access], else by uid.
        let number = format!("uid {}", uid(user).unwrap());
        let asked = |d: &&Value| d["initiator"] == user || d["initiator"] == number;
        assert!(denied.iter().any(|d| asked(&d)), "{user} asked: {denied:?}");
    }
    assert!(denied.iter().all(|d| d["action"].is_string() && d["role"].is_string()), "{denied:?}");
}

#[tokio::test]
async fn a_person_may_acknowledge_what_they_were_told_of_and_nothing_else() {
    let Some(()) = can_be_others() else { return };
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(ROLES)).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["page", "--subject", "for erin", "--level", "high", "--to", "erin", "--channel", "mail"]).await;
    daemon.ok(&["page", "--subject", "for bob", "--level", "high", "--to", "bob", "--channel", "mail"]).await;
    standins.wait_for("smtp", 2).await;
    let others = as_user(PERSON, &daemon, &["ack", "2"]).await;
    assert_eq!(others.code, 5, "{others:?}");
    let own = as_user(PERSON, &daemon, &["ack", "1"]).await;
    assert_eq!(own.code, 0, "{own:?}");
    assert_eq!(own.json()["incidents"][0]["acknowledged_by"], "erin");
    assert_eq!(as_user(PERSON, &daemon, &["resolve", "1"]).await.code, 5);
    let changed = daemon.read_config().replace("login = \"mail\"", "");
    daemon.write_config(&changed);
    daemon.ok(&["reload"]).await;
    assert_eq!(as_user(PERSON, &daemon, &["ack", "1"]).await.code, 5, "no longer a person after the reload");
}

#[tokio::test]
async fn without_a_daemon_or_a_socket_for_us_it_says_which() {
    let home = Home::new("");
    let said = home.ctl(&["status"]).await;
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.err.contains("ctl.sock") || said.out.contains("ctl.sock"), "{said:?}");
}
