use crate::standins::Standins;
use crate::standins::oauth::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, error};
use crate::standins::script::Fault;
use crate::support::{channel, is, out, told};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::failure::{Blame::*, FailureClass::*};

fn settings(standins: &Standins) -> String {
    let at = standins.addresses();
    format!(
        "host = \"localhost\"\nport = {}\nca_file = \"{}\"\ntoken_url = \"{}\"\nusername = \"stentor\"\n\
         client_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\"\nrefresh_token = \"{REFRESH_TOKEN}\"\n\
         from = \"stentor@example.org\"\ntimeout = \"5s\"\n",
        at.smtp_port, at.ca_file, at.oauth_token_url
    )
}

fn gmail(standins: &Standins) -> Arc<dyn Channel> {
    channel("gmail", &settings(standins))
}

#[tokio::test]
async fn a_token_is_got_once_and_used_as_long_as_it_lives() {
    let standins = Standins::start().await;
    for kind in ["gmail", "office365"] {
        let mail = channel(kind, &settings(&standins));
        let before = standins.recorded("oauth").len();
        // The second goes by a connection of its own.
        assert!(mail.probe().await.unwrap().contains("credentials accepted"));
        let result = mail.send(&out(Some("alice@example.org"), "s", "t")).await;
        assert!(result.success().is_some(), "{result:?}");
        assert_eq!(standins.recorded("oauth").len(), before + 1, "{kind}");
    }
    let got = standins.recorded("oauth");
    assert_eq!((got[0].method.as_str(), got[0].path.as_str()), ("POST", "/token"));
    assert_eq!(got[0].form["grant_type"], "refresh_token");
    assert!(!got[0].form.contains_key("scope"));
    assert_eq!(got[1].form["scope"], "https://outlook.office.com/SMTP.Send offline_access");
    assert_eq!(standins.recorded("smtp")[0].headers["user"], "stentor");
}

#[tokio::test]
async fn a_token_that_was_revoked_is_changed_for_a_new_one() {
    let standins = Standins::start().await;
    let mail = gmail(&standins);
    mail.probe().await.unwrap();
    standins.revoke_oauth();
    let result = mail.send(&out(Some("alice@example.org"), "s", "t")).await;
    assert!(result.success().is_some(), "{result:?}");
    assert_eq!(standins.recorded("oauth").len(), 2);
}

#[tokio::test]
async fn a_refresh_token_that_comes_anew_is_known_after_a_restart() {
    let standins = Standins::start().await;
    standins.rotate_oauth();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("tokens");
    let message = out(Some("alice@example.org"), "s", "t");
    for life in 0..3 {
        let mail = channel("office365", &settings(&standins));
        mail.keep_in(&folder);
        for _ in 0..2 {
            // Whatever it has, it needs a new one.
            standins.revoke_oauth();
            let result = mail.send(&message).await;
            assert!(result.success().is_some(), "{life}: {result:?}");
        }
        let kept = || {
            let mut files = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path());
            std::fs::read_to_string(files.find(|file| file.extension().is_none())?).ok()
        };
        let want = standins.recorded("oauth").len().to_string();
        for _ in 0..300 {
            if kept().is_some_and(|token| token.ends_with(&format!("RefreshToken{want}"))) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(kept().unwrap().ends_with(&format!("RefreshToken{want}")), "{:?}", kept());
    }
    // Without a folder the one of the config is all there is, and it was good for one time.
    let refused = channel("office365", &settings(&standins)).probe().await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_deref()), (AuthError, Some("invalid_grant")));
}

#[tokio::test]
async fn a_token_that_cannot_be_had_has_its_class_and_blame_and_nothing_was_sent() {
    let standins = Standins::start().await;
    let message = out(Some("alice@example.org"), "s", "t");
    for (fault, class, blame, code) in [
        (
            Fault::refusal(400, error(400, "invalid_grant", "Token has been expired or revoked.").body),
            AuthError,
            Account,
            Some("invalid_grant"),
        ),
        (Fault::refusal(401, error(401, "invalid_client", "no").body), AuthError, Account, Some("invalid_client")),
        (Fault::refusal(503, error(503, "temporarily_unavailable", "later").body), ProviderError, Channel, Some("503")),
        (Fault::status(429), RateLimited, Channel, Some("429")),
        (Fault::status(500), ProviderError, Channel, Some("500")),
        (Fault::Html, ProviderError, Channel, Some("200")),
        (Fault::CutAfter, ProviderError, Channel, None),
    ] {
        standins.set_times("oauth", fault, 1);
        let failure = is(gmail(&standins).send(&message).await, class, blame, false);
        assert_eq!(failure.code.as_deref(), code);
        assert!(failure.words.starts_with("no token: "), "{failure}");
    }
    assert_eq!(standins.recorded("smtp").len(), 0);
    // The server is the judge of the token: nobody hears it said back.
    standins.set("smtp", Fault::verb("auth", "535 5.7.8 not standInAccessToken0002"));
    let refused = is(gmail(&standins).send(&message).await, AuthError, Account, false);
    assert_eq!(refused.to_string(), "AUTH_ERROR (535 5.7.8 not [secret])");
}

#[tokio::test]
async fn a_server_that_refuses_by_a_challenge_is_answered_and_believed() {
    let standins = Standins::start().await;
    let other = settings(&standins).replace("username = \"stentor\"", "username = \"somebody\"");
    let refused = channel("gmail", &other).probe().await.unwrap_err();
    assert_eq!((refused.class, refused.blame, refused.code.as_deref()), (AuthError, Account, Some("535 5.7.8")));
}

#[tokio::test]
async fn no_secret_is_shown() {
    let standins = Standins::start().await;
    let mail = gmail(&standins);
    let mut said = format!("{mail:?} {}", mail.describe(&out(Some("alice@example.org"), "s", "t")));
    let echo = format!("{CLIENT_SECRET} {REFRESH_TOKEN}");
    for status in [200, 400, 500] {
        standins.set_times("oauth", Fault::refusal(status, error(status, "invalid_grant", &echo).body), 1);
        said += &format!("{:?}", mail.probe().await);
    }
    said += &format!("{:?} {mail:?}", mail.probe().await);
    assert!(
        !said.contains(CLIENT_SECRET) && !said.contains(REFRESH_TOKEN) && !said.contains("standInAccess"),
        "{said}"
    );
}

#[test]
fn its_settings() {
    let all = "username = 'a@example.org'\nclient_id = 'c'\nclient_secret = 's3cret'\nrefresh_token = 'r3fresh'\n";
    assert_eq!(told("gmail", all), "");
    assert_eq!(told("office365", &all.replace("client_secret = 's3cret'\n", "tenant = 'example.org'\n")), "");
    assert!(told("gmail", &all.replace("client_secret = 's3cret'\n", "")).contains("client_secret is missing"));
    assert!(
        told("gmail", &all.replace("a@example.org", "alice"))
            .contains("error 1:12 username: \"alice\" is not an address")
    );
    assert!(told("gmail", &format!("{all}tls = 'none'")).contains("tls: \"none\" is not known"));
    assert!(told("office365", &format!("{all}tenant = 'a/b'")).contains("\"a/b\" is not a tenant"));
    let described = channel("gmail", all).describe(&out(Some("alice@example.org"), "s", "t"));
    assert!(
        described.starts_with("SMTP to smtp.gmail.com:587, StartTls, with login\n\nFrom: a@example.org\n"),
        "{described}"
    );
}
