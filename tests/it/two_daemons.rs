//! One state directory, one daemon.

use crate::harness::Home;
use crate::harness::ways;
use crate::standins::Standins;

#[tokio::test]
async fn f09_the_second_one_exits_75_and_names_the_first() {
    let standins = Standins::start().await;
    let mut first = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    let (code, words) = first.ends().await;
    assert_eq!(code, 75, "{words}");
    assert!(words.contains(&format!("{}", first.pid())), "names the pid {}: {words}", first.pid());

    let sent = first.ok(&["send", "--subject", "the first one goes on", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");

    let rebuild =
        ["ledger", "rebuild", "--offline", "--state-dir", first.state_dir().to_str().unwrap()].map(str::to_owned);
    let rebuild: Vec<&str> = rebuild.iter().map(String::as_str).collect();
    let said = first.ctl_text(&rebuild).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!((said.err + &said.out).contains(&format!("{}", first.pid())), "it is in use");

    assert_eq!(first.stop().await, 0);
    let said = first.ctl_text(&rebuild).await;
    assert_eq!(said.code, 0, "{said:?}");
    let verify =
        ["ledger", "verify", "--offline", "--state-dir", first.state_dir().to_str().unwrap()].map(str::to_owned);
    let verify: Vec<&str> = verify.iter().map(String::as_str).collect();
    assert_eq!(first.ok(&verify).await["ok"], true);
    first.start().await;
    let stats = first.ok(&["ledger", "stats"]).await;
    assert_eq!(stats["total"], 1, "{stats}");
}

/// Somebody tidied up. The directory itself is locked, too.
#[tokio::test]
async fn f09_without_the_lock_file_the_second_one_still_writes_nothing() {
    let standins = Standins::start().await;
    let mut first = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    first.ok(&["send", "--subject", "before", "--wait"]).await;
    std::fs::remove_file(first.state_dir().join("lock")).unwrap();
    let (code, words) = first.ends().await;
    assert_eq!(code, 75, "{words}");
    assert!(words.contains("is in use by another process"), "{words}");
    first.ok(&["send", "--subject", "after", "--wait"]).await;
    let starts = first.ledger(&["started"]).await.len();
    assert_eq!(starts, 1, "only the first one is in the ledger");
    assert_eq!(first.ok(&["ledger", "verify"]).await["ok"], true);
    first.kill().await;
    first.start().await;
    assert!(first.ok(&["incidents", "list"]).await["incidents"].as_array().unwrap().is_empty());
}
