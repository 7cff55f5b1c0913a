use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::smtp::NOBODY;
use crate::support::{KEY, channel, failure, is, out};
use std::path::Path;
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};

fn settings(standins: &Standins, tls: &str, ca: &Path) -> String {
    let at = standins.addresses();
    let port = if tls == "implicit" { at.smtps_port } else { at.smtp_port };
    format!(
        "host = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca_file = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\n\
         from = \"Stentor Präg <stentor@example.org>\"\ntimeout = \"5s\"\n",
        ca.display(),
        at.smtp_username,
        at.smtp_password
    )
}

fn mail(standins: &Standins) -> Arc<dyn Channel> {
    channel("smtp", &settings(standins, "starttls", standins.ca_file()))
}

fn plain(standins: &Standins, timeout: &str) -> Arc<dyn Channel> {
    let port = standins.addresses().smtp_plain_port;
    let toml = format!(
        "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"s@example.org\"\ntimeout = \"{timeout}\""
    );
    channel("smtp", &toml)
}

/// The header as it was written, folded lines joined.
fn header(mail: &str, name: &str) -> String {
    let unfolded = mail.replace("\r\n ", " ");
    let line = unfolded.lines().find(|l| l.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
    line.map(|l| l[name.len() + 1..].trim().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn delivers_over_starttls_and_implicit_tls_with_login() {
    let standins = Standins::start().await;
    for tls in ["starttls", "implicit"] {
        let mail = channel("smtp", &settings(&standins, tls, standins.ca_file()));
        let result = mail.send(&out(Some("alice@example.org"), "Disk full", "All of it.\nNow.")).await;
        let provider_id = Some("2.0.0 OK: queued as STANDIN17".into());
        assert_eq!(result, AttemptResult::Sent { provider_id, detail: "accepted by the server".into() });
    }
    let got = standins.recorded("smtp");
    assert_eq!(got.len(), 2);
    for mail in got {
        assert_eq!(mail.path, "alice@example.org");
        assert_eq!((mail.headers["from"].as_str(), mail.headers["user"].as_str()), ("stentor@example.org", "stentor"));
        assert_eq!(header(&mail.body, "Message-ID"), format!("<{KEY}@example.org>"));
        assert_eq!(header(&mail.body, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(&mail.body, "Subject"), "Disk full");
        assert!(header(&mail.body, "Date").ends_with("+0000"));
        assert!(mail.body.ends_with("\r\n\r\nAll of it.\r\nNow.\r\n"), "{}", mail.body);
    }
}

#[tokio::test]
async fn an_html_part_goes_beside_the_plain_one_and_after_it() {
    let standins = Standins::start().await;
    let mut mail = out(Some("alice@example.org"), "Disk full", "All of it.\n");
    mail.text.html = "<p>All of it.</p>\n".into();
    assert!(plain(&standins, "5s").send(&mail).await.success().is_some());
    let got = &standins.recorded("smtp")[0].body;
    assert!(header(got, "Content-Type").starts_with("multipart/alternative;"), "{got}");
    let text = got.find("Content-Type: text/plain; charset=utf-8").unwrap();
    let html = got.find("Content-Type: text/html; charset=utf-8").unwrap();
    assert!(
        text < html && got[text..html].contains("\r\nAll of it.\r\n") && got[html..].contains("<p>All of it.</p>"),
        "{got}"
    );
}

#[tokio::test]
async fn the_next_mail_goes_over_the_same_connection() {
    let standins = Standins::start().await;
    let mail = mail(&standins);
    for _ in 0..3 {
        assert!(mail.send(&out(Some("alice@example.org"), "x", "y")).await.success().is_some());
    }
    drop(mail);
    let session = &standins.wait_for("smtp-session", 1).await[0].body;
    let mail = "MAIL RCPT DATA TEXT";
    assert_eq!(*session, format!("EHLO STARTTLS EHLO AUTH {mail} NOOP {mail} NOOP {mail}"));
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let standins = Standins::start().await;
    let mail = mail(&standins);
    assert!(mail.send(&out(Some("alice@example.org"), "x", "y")).await.success().is_some());
    standins.set_times("smtp", Fault::verb("noop", "drop"), 1);
    assert!(mail.send(&out(Some("alice@example.org"), "x", "y")).await.success().is_some());
    assert_eq!(standins.recorded("smtp").len(), 2);
}

#[tokio::test]
async fn a_server_that_takes_only_so_many_mails_a_connection_costs_no_attempt() {
    let standins = Standins::start().await;
    let mail = mail(&standins);
    for act in ["421 4.7.0 too many messages in this connection", "drop"] {
        assert!(mail.send(&out(Some("alice@example.org"), "x", "y")).await.success().is_some());
        standins.set_times("smtp", Fault::verb("mail", act), 1);
        let result = mail.send(&out(Some("alice@example.org"), "x", "y")).await;
        assert!(result.success().is_some(), "{act}: {result:?}");
    }
    assert_eq!(standins.recorded("smtp").len(), 4, "each once");
    // One that says so on a new connection means it.
    let other = channel("smtp", &settings(&standins, "starttls", standins.ca_file()));
    standins.set_times("smtp", Fault::verb("mail", "421 4.3.2 closing"), 1);
    is(other.send(&out(Some("alice@example.org"), "x", "y")).await, ProviderError, Channel, false);
}

#[tokio::test]
async fn f51_subjects_and_addresses_cannot_make_headers() {
    let standins = Standins::start().await;
    let mail = mail(&standins);
    let evil = out(
        Some("alice@example.org"),
        "Hi\r\nBcc: eve@example.org\r\n\r\nbody",
        ".\r\n.\r\nMAIL FROM:<eve@example.org>",
    );
    assert!(mail.send(&evil).await.success().is_some());
    let got = &standins.recorded("smtp")[0];
    assert_eq!(header(&got.body, "Bcc"), "");
    assert_eq!(header(&got.body, "Subject"), "Hi  Bcc: eve@example.org    body");
    assert!(got.body.ends_with(".\r\n.\r\nMAIL FROM:<eve@example.org>\r\n"), "{}", got.body);
    for address in ["a@b.org\r\nRCPT TO:<eve@example.org>", "a@b.org, eve@example.org", "<a@b.org>\n", "nobody", ""] {
        is(mail.send(&out(Some(address), "x", "y")).await, ValidationError, Message, false);
    }
    assert_eq!(standins.recorded("smtp").len(), 1);
}

#[tokio::test]
async fn other_letters_and_long_lines_arrive_in_ascii() {
    let standins = Standins::start().await;
    let body = format!("Größe 大 🔥\n{}\n.leading dot\n", "x".repeat(5000));
    let subject = "Größe überschritten ".repeat(20);
    assert!(mail(&standins).send(&out(Some("alice@example.org"), &subject, &body)).await.success().is_some());
    let got = &standins.recorded("smtp")[0].body;
    assert!(got.is_ascii());
    assert!(got.lines().all(|l| l.len() <= 998), "no line over 998 (RFC 5321)");
    assert!(header(got, "Subject").starts_with("=?utf-8?b?"), "{}", header(got, "Subject"));
    assert!(header(got, "From").starts_with("=?utf-8?b?"));
    let encoding = header(got, "Content-Transfer-Encoding");
    assert!(["base64", "quoted-printable"].contains(&encoding.as_str()), "{encoding}");
    let long = "line with words\n".repeat(20_000);
    assert!(mail(&standins).send(&out(Some("alice@example.org"), "x", &long)).await.success().is_some());
    let got = &standins.recorded("smtp")[1].body;
    assert!(got.is_ascii() && got.lines().all(|l| l.len() <= 998));
    assert!(got.ends_with(&format!("\r\n\r\n{}", long.replace('\n', "\r\n"))));
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_smtputf8() {
    let standins = Standins::start().await;
    let failure =
        is(mail(&standins).send(&out(Some("jürgen@example.org"), "x", "y")).await, ValidationError, Message, false);
    assert!(failure.words.contains("SMTPUTF8"), "{failure}");
}

#[tokio::test]
async fn f45_never_goes_on_in_plain_text() {
    let standins = Standins::start().await;
    let port = standins.addresses().smtp_plain_port;
    let toml = settings(&standins, "starttls", standins.ca_file())
        .replace(&format!("port = {}", standins.addresses().smtp_port), &format!("port = {port}"));
    let mail = channel("smtp", &toml);
    let failure = is(mail.send(&out(Some("alice@example.org"), "x", "y")).await, ProviderError, Channel, false);
    assert!(failure.words.contains("STARTTLS"), "{failure}");
    standins.set_times("smtp", Fault::verb("starttls", "454 4.7.0 TLS not available"), 1);
    is(mail_again(&standins).await, ProviderError, Channel, false);
    for session in standins.wait_for("smtp-session", 2).await {
        assert!(!session.body.contains("AUTH") && !session.body.contains("MAIL"), "{}", session.body);
    }
    assert_eq!(standins.recorded("smtp").len(), 0);
}

async fn mail_again(standins: &Standins) -> AttemptResult {
    mail(standins).send(&out(Some("alice@example.org"), "x", "y")).await
}

#[tokio::test]
async fn f45_believes_only_its_roots_and_its_host() {
    let standins = Standins::start().await;
    for tls in ["starttls", "implicit"] {
        let mail = channel("smtp", &settings(&standins, tls, standins.strange_ca_file()));
        let failure = is(mail.send(&out(Some("alice@example.org"), "x", "y")).await, ProviderError, Channel, false);
        assert!(failure.words.contains("UnknownIssuer"), "{failure}");
        for (fault, word) in
            [(Fault::WrongHost, "localhost"), (Fault::Expired, "expired"), (Fault::SelfSigned, "UnknownIssuer")]
        {
            standins.set_times("smtp", fault, 1);
            let mail = channel("smtp", &settings(&standins, tls, standins.ca_file()));
            let failure = is(mail.send(&out(Some("alice@example.org"), "x", "y")).await, ProviderError, Channel, false);
            assert!(failure.words.contains(word), "{failure}");
        }
    }
    assert_eq!(standins.recorded("smtp").len(), 0);
}

#[tokio::test]
async fn wrong_credentials_are_the_accounts_fault() {
    let standins = Standins::start().await;
    let toml = settings(&standins, "starttls", standins.ca_file());
    let wrong = channel("smtp", &toml.replace(standins.addresses().smtp_password, "not-this-one"));
    let failure = is(wrong.send(&out(Some("alice@example.org"), "x", "y")).await, AuthError, Account, false);
    assert_eq!(failure.to_string(), "AUTH_ERROR (535 5.7.8 Authentication credentials invalid)");
    assert_eq!(wrong.probe().await.unwrap_err().class, AuthError);
    for (act, class, blame) in [
        ("530 5.7.0 Must issue STARTTLS", AuthError, Account),
        ("534 5.7.9 Application-specific password required", AuthError, Account),
        ("535 5.7.8 Bad credentials", AuthError, Account),
        ("538 5.7.11 Encryption required", AuthError, Account),
        ("504 5.5.4 Unrecognized authentication type", AuthError, Account),
        // For now: the server cannot ask who we are.
        ("454 4.7.0 Temporary authentication failure", ProviderError, Channel),
        ("421 4.3.0 closing", ProviderError, Channel),
    ] {
        standins.set_times("smtp", Fault::verb("auth", act), 1);
        is(mail_again(&standins).await, class, blame, false);
    }
}

#[tokio::test]
async fn f44_each_refusal_means_what_its_place_and_code_say() {
    let standins = Standins::start().await;
    for (verb, act, class, blame, unknown) in [
        ("connect", "421 4.3.2 closing", ProviderError, Channel, false),
        ("connect", "554 5.7.1 no service for you", ProviderError, Channel, false),
        ("ehlo", "421 busy", ProviderError, Channel, false),
        ("mail", "530 5.7.0 Authentication required", AuthError, Account, false),
        ("mail", "550 5.1.0 sender rejected", ProviderError, Provider, false),
        ("mail", "552 5.3.4 too big", ValidationError, Message, false),
        ("mail", "452 4.3.1 full", ProviderError, Channel, false),
        ("rcpt", "450 4.2.0 greylisted", ProviderError, Recipient, false),
        ("rcpt", "451 4.7.1 come again in five minutes", ProviderError, Recipient, false),
        ("rcpt", "450 busy", ProviderError, Recipient, false),
        ("rcpt", "550 5.1.1 no such user", ValidationError, Message, false),
        ("rcpt", "554 5.7.1 relay access denied", ProviderError, Provider, false),
        ("data", "451 4.3.0 later", ProviderError, Channel, false),
        ("text", "451 4.3.0 later", ProviderError, Channel, false),
        ("text", "552 5.3.4 too big", ValidationError, Message, false),
        ("text", "554 refused", ValidationError, Message, false),
        ("mail", "451 4.7.1 greylisted", ProviderError, Channel, false),
        ("mail", "534 5.7.9 a stronger login is needed", AuthError, Account, false),
        ("mail", "538 5.7.11 encryption is needed", AuthError, Account, false),
        ("rcpt", "421 4.3.2 closing", ProviderError, Channel, false),
        ("rcpt", "451 4.3.0 later", ProviderError, Channel, false),
        ("rcpt", "452 4.5.3 too many recipients", ProviderError, Channel, false),
        ("rcpt", "452 4.2.2 over quota", ProviderError, Recipient, false),
        ("text", "452 4.2.2 over quota", ProviderError, Recipient, false),
        ("rcpt", "530 5.7.0 login first", AuthError, Account, false),
        ("rcpt", "550 no such user", ValidationError, Message, false),
        ("rcpt", "552 5.2.2 mailbox full", ProviderError, Provider, false),
        ("text", "552 5.2.2 mailbox full", ProviderError, Provider, false),
        ("rcpt", "550 5.2.1 mailbox disabled", ProviderError, Provider, false),
        ("rcpt", "553 5.1.3 not an address", ValidationError, Message, false),
        ("data", "554 5.5.1 no valid recipients", ValidationError, Message, false),
        ("connect", "drop", ProviderError, Channel, false),
        ("mail", "drop", ProviderError, Channel, false),
        ("rcpt", "drop", ProviderError, Channel, false),
        ("data", "drop", ProviderError, Channel, false),
        ("text", "drop", ProviderError, Channel, true),
    ] {
        standins.set_times("smtp", Fault::verb(verb, act), 1);
        let failure =
            is(plain(&standins, "5s").send(&out(Some("alice@example.org"), "x", "y")).await, class, blame, unknown);
        if act != "drop" {
            assert!(act.starts_with(failure.code.as_deref().unwrap()), "{verb} {act}: {failure}");
            assert!(act.ends_with(&failure.words), "{verb} {act}: {failure}");
        }
    }
    let failure = failure(plain(&standins, "5s").send(&out(Some(NOBODY), "x", "y")).await);
    assert_eq!(failure.to_string(), "VALIDATION_ERROR (550 5.1.1 No such user here)");
}

#[tokio::test]
async fn f44_a_stall_at_any_verb_ends_in_time_and_names_it() {
    let stall = async |verb: &str, tls: bool| {
        let standins = Standins::start().await;
        standins.set("smtp", Fault::verb(verb, "stall"));
        let timeout = "timeout = \"3s\"";
        let mail = match tls {
            true => {
                let toml = settings(&standins, "starttls", standins.ca_file());
                channel("smtp", &toml.replace("timeout = \"5s\"", timeout))
            }
            false => plain(&standins, "3s"),
        };
        mail.send(&out(Some("alice@example.org"), "x", "y")).await
    };
    let cases = [
        ("connect", false, "while connecting", false),
        ("ehlo", false, "while connecting", false),
        ("starttls", true, "at STARTTLS", false),
        ("auth", true, "at AUTH", false),
        ("mail", false, "at MAIL FROM", false),
        ("rcpt", false, "at RCPT TO", false),
        ("data", false, "at DATA", false),
        ("text", false, "after the text", true),
    ];
    let all = cases.map(async |(verb, tls, place, unknown)| {
        let failure = is(stall(verb, tls).await, Timeout, Channel, unknown);
        assert_eq!(failure.words, format!("no answer in time {place}"));
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn a_caller_with_the_same_deadline_hears_how_far_it_came() {
    let standins = Standins::start().await;
    standins.set("smtp", Fault::verb("rcpt", "stall"));
    let mail = plain(&standins, "2s");
    let message = out(Some("alice@example.org"), "x", "y");
    let result = tokio::time::timeout(std::time::Duration::from_secs(2), mail.send(&message)).await;
    assert!(!failure(result.expect("the channel ends first")).unknown);
}

#[tokio::test]
async fn the_probe_goes_as_far_as_noop() {
    let standins = Standins::start().await;
    let words = mail(&standins).probe().await.unwrap();
    assert!(
        words.starts_with("connected to localhost:") && words.contains(", credentials accepted, certificate ends in "),
        "{words}"
    );
    assert_eq!(standins.wait_for("smtp-session", 1).await[0].body, "EHLO STARTTLS EHLO AUTH NOOP QUIT");
    assert_eq!(standins.recorded("smtp").len(), 0);
    let words = plain(&standins, "5s").probe().await.unwrap();
    assert!(!words.contains("credentials"), "{words}");
    standins.set_times("smtp", Fault::verb("noop", "stall"), 1);
    let stalled = plain(&standins, "2s").probe().await.unwrap_err();
    assert_eq!((stalled.class, stalled.words.as_str()), (Timeout, "no answer in time at NOOP"));
}

/// A server of one answer a verb, in raw bytes; and the verbs that it heard.
async fn raw(answers: &'static [(&'static str, &'static [u8])]) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let verbs = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let _ = stream.write_all(b"220 old\r\n").await;
            let (mut line, mut in_text) = (String::new(), false);
            while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
                let verb = if in_text { "." } else { line.split_whitespace().next().unwrap_or_default() }.to_owned();
                let skipped = in_text && line != ".\r\n";
                line.clear();
                if skipped {
                    continue;
                }
                in_text = verb == "DATA";
                let says = answers.iter().find(|(of, _)| *of == verb).map_or(&b"250 fine\r\n"[..], |(_, says)| *says);
                verbs.lock().unwrap().push(verb);
                let _ = stream.write_all(if in_text { b"354 go\r\n" } else { says }).await;
            }
        }
    });
    (port, heard)
}

async fn to_raw(port: u16) -> AttemptResult {
    let toml = format!("host = '127.0.0.1'\nport = {port}\ntls = 'none'\nfrom = 's@example.org'\ntimeout = '5s'");
    channel("smtp", &toml).send(&out(Some("alice@example.org"), "x", "y")).await
}

#[tokio::test]
async fn a_server_of_old_that_knows_no_ehlo_gets_helo() {
    let (port, heard) = raw(&[("EHLO", b"502 5.5.1 what?\r\n")]).await;
    assert!(to_raw(port).await.success().is_some());
    assert_eq!(*heard.lock().unwrap(), ["EHLO", "HELO", "MAIL", "RCPT", "DATA", "."]);
}

#[tokio::test]
async fn f44_the_code_says_whether_a_mail_was_taken_and_its_text_does_not() {
    for (says, sent) in [
        (&b"250 Gr\xfc\xdfe\r\n"[..], true),
        (b"250-a\r\n250 b\r\n", true),
        (b"250\r\n", true),
        (b"354 go on\r\n", false),
        (b"what?\r\n", false),
    ] {
        let (port, _) = raw(Vec::leak(vec![(".", says)])).await;
        let result = to_raw(port).await;
        match sent {
            true => assert!(result.success().is_some(), "{result:?}"),
            false => drop(is(result, ProviderError, Channel, true)),
        }
    }
}

/// Nothing else of the daemon waits for a server that says too much.
#[tokio::test]
async fn f44_an_answer_without_end_is_cut_off() {
    let endless: &[u8] = "250-and more\r\n".repeat(100_000).leak().as_bytes();
    for verb in ["EHLO", "MAIL"] {
        let (port, _) = raw(Vec::leak(vec![(verb, endless)])).await;
        let failure = is(to_raw(port).await, ProviderError, Channel, false);
        assert!(failure.words.starts_with("its last reply had no end"), "{failure}");
    }
    let (port, _) = raw(Vec::leak(vec![(".", endless)])).await;
    assert!(to_raw(port).await.success().is_some(), "it was taken");
}
