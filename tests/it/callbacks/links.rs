//! The link in a message: looking does nothing, the button acknowledges.

use super::{Called, PUBLIC, nth_post, posts, up};
use crate::harness::{door_get, door_post};
use std::os::unix::fs::PermissionsExt;

const PAGE: &str = "[levels.low]\nchannels = [\"hook\"]\n[levels.urgent]\nchannels = [\"sms\"]\n";

/// An incident that these were told of by SMS, and the path of each one's link.
async fn page(called: &Called, subject: &str, to: &[&str]) -> (String, Vec<String>) {
    let before = posts(&called.standins, "twilio").len();
    let mut args = vec!["page", "--subject", subject, "--channel", "sms"];
    args.extend(to.iter().flat_map(|who| ["--to", who]));
    let opened = called.daemon.ok(&args).await;
    let mut links = Vec::new();
    for n in 0..to.len() {
        let text = nth_post(called, "twilio", before + n).await.form["Body"].clone();
        let url = text.split(' ').find(|word| word.starts_with(PUBLIC)).map(str::to_owned);
        links.extend(url.map(|url| url[PUBLIC.len()..].to_owned()));
    }
    (opened["number"].to_string(), links)
}

#[tokio::test]
async fn f77_looking_changes_nothing_and_the_button_acknowledges() {
    let mut called = up("1h", PAGE).await;
    let (number, links) = page(&called, "disk <b>full</b> & hot", &["alice"]).await;
    let status = async |called: &Called| called.daemon.ok(&["incidents", "show", &number]).await["status"].clone();
    for _ in 0..3 {
        let (code, html) = door_get(&called.address, &links[0]).await;
        assert!(code == 200 && html.contains("<form method=\"post\">"), "{html}");
        assert!(html.contains("disk &lt;b&gt;full&lt;/b&gt; &amp; hot") && !html.contains("<script"), "{html}");
        assert_eq!(status(&called).await, "open", "whoever looks");
    }
    // The key outlives the daemon.
    let key = called.daemon.state_dir().join("link.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    called.daemon.kill().await;
    called.daemon.start().await;
    crate::harness::eventually("it listens", async || tokio::net::TcpStream::connect(&called.address).await.ok()).await;
    let (code, html) = door_post(&called.address, &links[0], "", "").await.unwrap();
    assert!(code == 200 && html.contains("Acknowledged by alice."), "{html}");
    let shown = called.daemon.ok(&["incidents", "show", &number]).await;
    assert_eq!((&shown["status"], &shown["acknowledged_by"]), (&"acknowledged".into(), &"alice".into()), "{shown}");
    let recorded = called.daemon.ledger(&["incident_acknowledged"]).await;
    assert_eq!(recorded[0]["via"], "link", "{recorded:?}");
    let again = door_post(&called.address, &links[0], "", "").await.unwrap();
    assert_eq!(again.0, 200, "{again:?}");
    called.daemon.ok(&["resolve", &number]).await;
    let over = door_post(&called.address, &links[0], "", "").await.unwrap();
    assert_eq!(over.0, 410, "it ends with the incident: {over:?}");
}

#[tokio::test]
async fn f77_changed_links_are_none_and_clients_get_none() {
    let called = up("1h", PAGE).await;
    let (first, links) = page(&called, "first", &["alice"]).await;
    let (second, _) = page(&called, "second", &["bob"]).await;
    let link = &links[0];
    let other = link.replacen(&format!("/a/{first}."), &format!("/a/{second}."), 1);
    let cut = link[..link.len() - 1].to_owned();
    for bad in [other, cut, format!("{link}A"), "/a/".to_owned() + "x", link.to_uppercase().replacen("/A/", "/a/", 1)] {
        for (code, html) in
            [door_get(&called.address, &bad).await, door_post(&called.address, &bad, "", "").await.unwrap()]
        {
            assert_eq!(code, 403, "{bad}: {html}");
            assert!(!html.contains("first") && !html.contains("second"), "{html}");
        }
    }
    for number in [&first, &second] {
        assert_eq!(called.daemon.ok(&["incidents", "show", number]).await["status"], "open");
    }
    let (_, clients) = page(&called, "third", &["carol"]).await;
    assert!(clients.is_empty(), "a client has no link: {clients:?}");
    let (_, strangers) = page(&called, "fourth", &["+15550177"]).await;
    assert!(strangers.is_empty(), "nor has a bare number: {strangers:?}");
    let denied = called.daemon.ledger(&["auth_denied"]).await;
    assert!(denied.iter().any(|d| d["action"].as_str().unwrap().contains("link that is not valid")), "{denied:?}");
}
