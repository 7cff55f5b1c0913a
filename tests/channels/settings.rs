//! What is wrong with a channel's settings, at its place and with the way out.

use crate::support::{channel, out, told};

#[test]
fn every_mistake_has_its_place_and_a_hint() {
    for (kind, toml, expected) in [
        (
            "slack",
            "",
            "error 1:1 webhook_url is missing (write webhook_url = \"https://hooks.slack.com/services/T.../B.../...\")",
        ),
        (
            "slack",
            "webhook_url = 'http://hooks.example.org/x'",
            "error 1:15 webhook_url: plain http goes to loopback only (write https, or set allow_plain = true)",
        ),
        ("slack", "webhook_url = 'hooks'", "error 1:15 webhook_url: this is not a URL (relative URL without a base)"),
        ("webhook", "url = 'ftp://x/'", "error 1:7 url: the URL must begin with https:// (or http:// for loopback)"),
        (
            "webhook",
            "url = 'https://user:pw@x/'",
            "error 1:7 url: the URL holds a user or a password (they belong into settings of their own)",
        ),
        (
            "webhook",
            "url = 'http://169.254.169.254/latest'\nallow_plain = true",
            "error 1:7 url: link-local and metadata addresses are refused",
        ),
        (
            "webhook",
            "url = 'https://[::ffff:169.254.169.254]/'",
            "error 1:7 url: link-local and metadata addresses are refused",
        ),
        ("webhook", "url = 'https://x/'\nmethod = 'DELETE'", "error 2:10 method: \"DELETE\" is not known"),
        (
            "webhook",
            "url = 'https://x/'\nheaders = { 'X-A' = \"a\\nb\" }",
            "error 2:1 headers: \"X-A\" is not a header's name, or its value holds a line break",
        ),
        (
            "webhook",
            "url = 'https://x/'\nauth = { bearer = 'a', username = 'b' }",
            "error 2:1 auth: either a bearer token, or a username and a password",
        ),
        ("webhook", "url = 'https://x/'\nurll = 1", "error 2:1 unknown key urll (did you mean \"url\"?)"),
        (
            "twilio-sms",
            "account_sid = 'AC00000000000000000000000000000017'\nfrom = '+15550100'",
            "error 1:1 auth_token is missing (write auth_token = \"${TWILIO_AUTH_TOKEN}\")",
        ),
        (
            "twilio-sms",
            "account_sid = 'AC00000000000000000000000000000017'\nauth_token = 'x'",
            "error 1:1 from is missing (write from = \"${TWILIO_PHONE_NUMBER}\")",
        ),
        (
            "twilio-sms",
            "account_sid = 'AC00000000000000000000000000000017'\nauth_token = 'x'\napi_key = 'SK1'\nfrom = 'x'",
            "error 2:14 auth_token: either auth_token, or api_key and api_secret (leave one of them out)",
        ),
        (
            "twilio-sms",
            "account_sid = 'AC1'\nauth_token = 'x'\nfrom = '+15550100'",
            "warning 1:15 account_sid: this does not look like a SID of Twilio (it is AC and 32 hex digits)",
        ),
        (
            "twilio-sms",
            "account_sid = 'AC00000000000000000000000000000017'\nauth_token = 'x'\nfrom = '+15550100'\nbase_url = 'http://proxy.example'",
            "error 4:12 base_url: plain http goes to loopback only",
        ),
        (
            "twilio-voice",
            "account_sid = 'AC00000000000000000000000000000017'\nauth_token = 'x'\nfrom = '+15550100'\nring = '1h'",
            "error 4:8 ring: \"1h\" is out of range (write a time from \"5s\" to \"10m\")",
        ),
        (
            "smtp",
            "host = 'mail.example.org'",
            "error 1:1 from is missing (write from = \"Stentor <stentor@example.org>\")",
        ),
        (
            "smtp",
            "host = 'mail.example.org'\nfrom = 'x'",
            "error 2:8 from: \"x\" is not an address (write \"Stentor <stentor@example.org>\")",
        ),
        (
            "smtp",
            "host = 'mail.example.org'\nfrom = 'x@y.org'\ntls = 'none'",
            "error 3:7 tls: without TLS mail goes to loopback only",
        ),
        (
            "smtp",
            "host = 'localhost'\nfrom = 'x@y.org'\ntls = 'none'\nusername = 'u'\npassword = 'p'",
            "error 3:7 tls: a username and a password need TLS",
        ),
        (
            "smtp",
            "host = 'mail.example.org'\nfrom = 'x@y.org'\nusername = 'u'",
            "error 3:12 username: a username without a password",
        ),
        (
            "smtp",
            "host = 'mail.example.org'\nfrom = 'x@y.org'\nport = 0",
            "error 3:8 port is out of range (write a whole number from 1 to 65535)",
        ),
        (
            "smtp",
            "host = 'mail.example.org'\nfrom = 'x@y.org'\nca_file = '/nowhere/ca.pem'",
            "warning 3:11 ca_file: the ca_file /nowhere/ca.pem cannot be read",
        ),
        ("email-sms", "via = 'mail'\ndomain = 'a b'", "error 2:10 domain: \"a b\" is not a domain"),
        ("email-sms", "domain = 'sms.example.org'", "error 1:1 via is missing"),
        (
            "email-sms",
            "via = 'mail'\ndomain = 'sms.example.org'\ncountry_code = 'US'",
            "error 3:16 country_code: \"US\" is not a country code",
        ),
    ] {
        let words = told(kind, toml);
        assert!(words.contains(expected), "{kind}\n{toml}\nexpected {expected}\ngot      {words}");
    }
}

#[test]
fn forced_plain_text_is_allowed() {
    assert_eq!(told("webhook", "url = 'http://x.example/'\nallow_plain = true"), "");
    assert_eq!(told("webhook", "url = 'https://169.254.169.254/'\nallow_link_local = true"), "");
    assert_eq!(told("smtp", "host = 'x.example'\nfrom = 'x@y.org'\ntls = 'none'\nallow_plain = true"), "");
}

#[test]
fn a_simulated_channel_needs_no_secrets_and_describes_its_request() {
    use stentor::settings::testing;
    for kind in stentor::channel::KINDS.iter().filter(|k| k.name != "sound") {
        let (channel, problems) = testing::table("", |table| {
            table.simulate();
            (kind.read)(table)
        });
        assert_eq!(testing::told(&problems), "", "{}", kind.name);
        assert!(!channel.unwrap().describe(&out(Some("+15550100"), "s", "t")).is_empty());
    }
}

#[test]
fn a_description_is_the_request() {
    let hook = channel(
        "webhook",
        "url = 'https://x.example/hook?key=1'\nheaders = { X-Team = 'ops' }\nauth = { bearer = 'b' }",
    );
    assert_eq!(
        hook.describe(&out(None, "", "{}")),
        "POST https://x.example/[secret]\nIdempotency-Key: 01KTESTDELIVERY0000000017\nX-Team: [secret]\n\
         Authorization: Bearer [secret]\nContent-Type: application/json\n\n{}"
    );
    let mail =
        channel("smtp", "host = 'mail.example.org'\nfrom = 'Stentor <s@example.org>'\nusername = 'u'\npassword = 'p'");
    assert_eq!(
        mail.describe(&out(Some("alice@example.org"), "Disk\nfull", "All of it.")),
        "SMTP to mail.example.org:587, StartTls, with login\n\nFrom: Stentor <s@example.org>\nTo: alice@example.org\n\
         Subject: Disk full\nMessage-ID: <01KTESTDELIVERY0000000017@example.org>\nAuto-Submitted: auto-generated\n\nAll of it."
    );
    let sms = channel(
        "twilio-sms",
        "account_sid = 'AC00000000000000000000000000000017'\nauth_token = 'x'\nfrom = '+15550199'",
    );
    assert_eq!(
        sms.describe(&out(Some("+15550100"), "", "text")),
        "POST https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000017/Messages.json\n\
         Authorization: Basic [secret]\nContent-Type: application/x-www-form-urlencoded\n\nTo=+15550100\nFrom=+15550199\nBody=text\nValidityPeriod=3600"
    );
}

#[test]
fn a_placeholder_that_is_not_set_is_one_error() {
    let sid = "account_sid = 'AC00000000000000000000000000000017'\n";
    for (kind, toml) in [
        ("smtp", "host = 'x.org'\nfrom = 'x@y.org'\nusername = '${NOT_SET}'\npassword = 'p'".to_owned()),
        ("smtp", "host = 'x.org'\nfrom = 'x@y.org'\nusername = 'u'\npassword = '${NOT_SET}'".to_owned()),
        ("smtp", "host = '${NOT_SET}'\nfrom = 'x@y.org'".to_owned()),
        ("smtp", "host = 'x.org'\nfrom = '${NOT_SET}'".to_owned()),
        ("webhook", "url = 'https://x.org'\nauth = { bearer = '${NOT_SET}' }".to_owned()),
        ("webhook", "url = 'https://x.org/${NOT_SET}'".to_owned()),
        ("slack", "webhook_url = '${NOT_SET}'".to_owned()),
        ("twilio-sms", format!("{sid}auth_token = '${{NOT_SET}}'\nfrom = '+15550100'")),
        ("twilio-sms", format!("{sid}api_key = '${{NOT_SET}}'\napi_secret = 'x'\nfrom = '+15550100'")),
        ("twilio-sms", format!("{sid}auth_token = 'x'\nmessaging_service_sid = '${{NOT_SET}}'")),
        ("twilio-sms", "account_sid = '${NOT_SET}'\nauth_token = 'x'\nfrom = '+15550100'".to_owned()),
        ("twilio-voice", format!("{sid}auth_token = 'x'\nfrom = '${{NOT_SET}}'")),
        ("email-sms", "via = 'mail'\ndomain = '${NOT_SET}'".to_owned()),
    ] {
        let words = told(kind, &toml);
        assert_eq!(words.lines().count(), 1, "{kind}\n{toml}\n{words}");
        assert!(words.contains("NOT_SET"), "{words}");
    }
}
