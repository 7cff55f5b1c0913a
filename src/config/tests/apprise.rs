//! `apprise = "..."`: the same channel as if its settings were written one by one.

use crate::channel::{KINDS, Matter, Outgoing};
use crate::config::testing::{Nobody, load_text};
use crate::config::{ChannelConfig, LoadOptions, Loaded};
use crate::domain::event::Rendered;
use crate::domain::level::Level;
use crate::domain::time::Span;

fn load(channel: &str, values: &[(&str, &str)]) -> Loaded {
    let options = LoadOptions { kinds: KINDS, accounts: &Nobody, ..LoadOptions::default() };
    load_text(&format!("[channels.x]\n{channel}\n"), values, &options)
}

fn channel(text: &str) -> ChannelConfig {
    let loaded = load(text, &[]);
    assert_eq!(loaded.errors, [], "{text}");
    loaded.config.unwrap().channels["x"].clone()
}

fn describe(channel: &ChannelConfig) -> String {
    let address = channel.medium().map(|_| "+15550100".to_owned());
    let address = if channel.kind.family() == "email" { Some("bob@example.org".into()) } else { address };
    channel.adapter.describe(&Outgoing {
        key: "01K".into(),
        attempt: 1,
        address,
        text: Rendered { subject: "s".into(), text: "t".into(), ..Rendered::default() },
        level: Level::High,
        ttl: Span::hours(1),
        matter: Matter::default(),
        sound: None,
        callback: None,
        attachments: Vec::new(),
    })
}

#[test]
fn a_url_is_the_same_as_its_settings() {
    let pairs = [
        (
            "twilio://ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:t0ken@15550099/15550100",
            "kind = 'twilio-sms'\naccount_sid = 'ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\nauth_token = 't0ken'\nfrom = '+15550099'\nto = ['+15550100']",
        ),
        (
            "sns://AKIA1/se%2Fcr/et/eu-west-1/+15550100",
            "kind = 'aws-sns'\naccess_key_id = 'AKIA1'\nsecret_access_key = 'se/cr/et'\nregion = 'eu-west-1'\nto = ['+15550100']",
        ),
        ("slack://T0A/B0B/c0C", "kind = 'slack'\nwebhook_url = 'https://hooks.slack.com/services/T0A/B0B/c0C'"),
        ("slack://xoxb-1/#alarms", "kind = 'slack'\ntoken = 'xoxb-1'\nchannel = '#alarms'"),
        ("discord://417/t0ken", "kind = 'discord'\nwebhook_url = 'https://discord.com/api/webhooks/417/t0ken'"),
        (
            "workflows://prod-1.westeurope.logic.azure.com/w0rk/s1gn",
            "kind = 'teams'\nwebhook_url = 'https://prod-1.westeurope.logic.azure.com:443/workflows/w0rk/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s1gn'",
        ),
        (
            "pagerduty://0123456789abcdef0123456789abcdef@apikey/source/part",
            "kind = 'pagerduty'\nrouting_key = '0123456789abcdef0123456789abcdef'",
        ),
        (
            "sendgrid://SG.1:ops@example.org/bob@example.org",
            "kind = 'sendgrid'\napi_key = 'SG.1'\nfrom = 'ops@example.org'\nto = ['bob@example.org']",
        ),
        (
            "ntfys://me:pw@push.example.org/alarms",
            "kind = 'ntfy'\nbase_url = 'https://push.example.org'\ntopic = 'alarms'\nusername = 'me'\npassword = 'pw'",
        ),
        ("ntfys://alarms", "kind = 'ntfy'\ntopic = 'alarms'"),
        (
            "jsons://me:pw@hooks.example.org:8443/a/b?rto=10",
            "kind = 'webhook'\nurl = 'https://hooks.example.org:8443/a/b'\nauth = { username = 'me', password = 'pw' }\ntimeout = '10s'",
        ),
        (
            "mailtos://me:p%40w@mail.example.org?to=bob@example.org",
            "kind = 'smtp'\nhost = 'mail.example.org'\nport = 587\ntls = 'starttls'\nfrom = 'me@mail.example.org'\nusername = 'me'\npassword = 'p@w'\nto = ['bob@example.org']",
        ),
    ];
    for (url, settings) in pairs {
        let (short, long) = (channel(&format!("apprise = '{url}'")), channel(settings));
        assert_eq!(short.kind.name, long.kind.name, "{url}");
        assert_eq!(describe(&short), describe(&long), "{url}");
        assert_eq!((&short.to, short.timeout), (&long.to, long.timeout), "{url}");
    }
}

#[test]
fn what_is_written_beside_it_wins_and_placeholders_work() {
    let loaded = load(
        "apprise = '${BY}'\nto = ['+15550111']\nbase_url = 'http://127.0.0.1:9'\nslots = 2",
        &[("BY", "twilio://ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:t0ken@15550099/15550100")],
    );
    assert_eq!(loaded.errors, []);
    let channel = loaded.config.unwrap().channels["x"].clone();
    assert!(describe(&channel).contains("127.0.0.1:9"), "{}", describe(&channel));
    assert_eq!((channel.to[0].to_string(), channel.slots), ("+15550111".into(), 2));
}

#[test]
fn what_is_wrong_in_it_is_said_with_its_place_and_without_its_secrets() {
    for (url, words) in [
        ("s3cr3t-without-a-scheme", "not a URL"),
        ("telegram://s3cr3t/chat", "no way out for \"telegram\""),
        ("slack://T0A/s3cr3t", "C is missing"),
        ("slack://T0A/B0B/s3cr3t/#chan", "leave #channel out"),
        ("twilio://AC1@15550099", "TOKEN is missing"),
        ("discord://s3cr3t", "TOKEN is missing"),
        ("sns://AKIA1/s3cr3t/nowhere", "REGION is missing"),
        ("pagerduty://s3cr3t", "INTEGRATION is missing"),
        ("jsons://h.example.org/s3cr3t?verify=no", "always verified"),
        ("jsons://h.example.org/s3cr3t?method=s3cr3t", "\"method\" means nothing here"),
        ("mailto://h.example.org/?mode=s3cr3t", "neither starttls"),
    ] {
        let loaded = load(&format!("apprise = '{url}'"), &[]);
        let told: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
        let all = told.join("\n");
        assert!(all.contains(words), "{url}: {all}");
        assert!(all.contains(":2:") && !all.contains("s3cr3t"), "{url}: {all}");
    }
    let twice = load("apprise = 'slack://A/B/C'\nkind = 'slack'", &[]);
    assert!(twice.errors[0].to_string().contains("kind"), "{:?}", twice.errors);
}

#[test]
fn a_url_that_is_not_there_yet_is_no_fault_of_the_file() {
    let options = LoadOptions { kinds: KINDS, accounts: &Nobody, without_secrets: true, ..LoadOptions::default() };
    let loaded = load_text("[channels.x]\napprise = '${BY}'\n[levels.low]\nchannels = ['x']\n", &[], &options);
    assert_eq!(loaded.errors, []);
}
