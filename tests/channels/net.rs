//! The HTTP client itself: TLS, names, and what is never followed.

use crate::standins::Standins;
use crate::standins::script::Fault;
use std::time::Duration;
use stentor::domain::failure::{Blame, FailureClass};
use stentor::net::{Client, Endpoint, Method, Reach};

fn https(standins: &Standins) -> Endpoint {
    let url = standins.addresses().hook.replace("http://127.0.0.1", "https://localhost");
    Endpoint::parse(&url, Reach::default()).unwrap()
}

#[tokio::test]
async fn f45_tls_believes_the_ca_file_and_the_right_host_only() {
    let standins = Standins::start().await;
    let client =
        |ca: Option<&std::path::Path>| Client::new(Duration::from_secs(5), ca.map(|p| p.to_owned()), Reach::default());
    let right = client(Some(standins.ca_file()));
    assert_eq!(right.send(Method::GET, &https(&standins), |r| r).await.unwrap().status, 200);
    let words = right.connect(&https(&standins)).await.unwrap();
    assert!(words.contains(", certificate ends in "), "{words}");
    for stranger in [client(Some(standins.strange_ca_file())), client(None)] {
        let failure = stranger.send(Method::GET, &https(&standins), |r| r).await.unwrap_err();
        assert!(failure.words.contains("UnknownIssuer") && !failure.unknown, "{failure}");
        assert!(stranger.connect(&https(&standins)).await.unwrap_err().words.contains("UnknownIssuer"));
    }
    for (fault, word) in
        [(Fault::WrongHost, "localhost"), (Fault::Expired, "expired"), (Fault::SelfSigned, "UnknownIssuer")]
    {
        standins.set("hook", fault);
        let fresh = client(Some(standins.ca_file()));
        let failure = fresh.send(Method::GET, &https(&standins), |r| r).await.unwrap_err();
        assert!(failure.words.contains(word) && !failure.unknown, "{failure}");
        let failure = fresh.connect(&https(&standins)).await.unwrap_err();
        assert!(failure.words.contains(word), "{failure}");
    }
    assert_eq!(standins.recorded("hook").len(), 1, "none of it was sent to those");
}

#[tokio::test]
async fn to_connect_has_a_deadline_of_its_own() {
    // It takes the connection, and never says a word of TLS.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url =
        format!("url = \"https://{}/\"\nconnect_timeout = \"200ms\"\ntimeout = \"1h\"", deaf.local_addr().unwrap());
    let hook = crate::support::channel("webhook", &url);
    let result = hook.send(&crate::support::out(None, "", "{}")).await;
    let failure = crate::support::is(result, FailureClass::Timeout, Blame::Channel, false);
    assert!(failure.words.contains("cannot connect"), "{failure}");
}

#[tokio::test]
async fn a_ca_file_that_appears_later_is_used() {
    let standins = Standins::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let client = Client::new(Duration::from_secs(5), Some(path.clone()), Reach::default());
    let failure = client.send(Method::GET, &https(&standins), |r| r).await.unwrap_err();
    assert!(failure.words.contains("ca.pem cannot be read"), "{failure}");
    std::fs::write(&path, "no certificate").unwrap();
    let failure = client.send(Method::GET, &https(&standins), |r| r).await.unwrap_err();
    assert!(failure.words.contains("holds no certificate"), "{failure}");
    std::fs::copy(standins.ca_file(), &path).unwrap();
    assert_eq!(client.send(Method::GET, &https(&standins), |r| r).await.unwrap().status, 200);
}

#[tokio::test]
async fn f31_answers_are_capped() {
    let standins = Standins::start().await;
    let client = Client::new(Duration::from_secs(5), None, Reach::default());
    let hook = Endpoint::parse(&standins.addresses().hook, Reach::default()).unwrap();
    standins.set_times("hook", Fault::Huge { bytes: 64 * 1024 }, 1);
    let answer = client.send(Method::GET, &hook, |r| r).await.unwrap();
    assert_eq!((answer.body.len(), answer.whole), (64 * 1024, true));
    standins.set_times("hook", Fault::Huge { bytes: 5_000_000 }, 1);
    let answer = client.send(Method::GET, &hook, |r| r).await.unwrap();
    assert_eq!((answer.body.len(), answer.whole), (64 * 1024, false));
}

#[tokio::test]
async fn f31_a_body_that_never_ends_ends_at_the_deadline() {
    let standins = Standins::start().await;
    let client = Client::new(Duration::from_millis(300), None, Reach::default());
    let hook = Endpoint::parse(&standins.addresses().hook, Reach::default()).unwrap();
    standins.set("hook", Fault::Drip);
    let ended = tokio::time::timeout(Duration::from_secs(20), client.send(Method::GET, &hook, |r| r)).await;
    let answer = ended.expect("cut at its deadline").unwrap();
    assert_eq!((answer.status, answer.whole), (200, false));
}

#[tokio::test]
async fn f28_a_name_that_does_not_exist_was_never_reached() {
    let client = Client::new(Duration::from_secs(5), None, Reach::default());
    let nowhere = Endpoint::parse("https://nowhere.invalid/?token=canary", Reach::default()).unwrap();
    let failure = client.send(Method::POST, &nowhere, |r| r).await.unwrap_err();
    assert!(
        !failure.unknown && matches!(failure.class, FailureClass::ProviderError | FailureClass::Timeout),
        "{failure}"
    );
    assert!(!format!("{failure:?}").contains("canary"));
}
