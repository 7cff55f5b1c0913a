//! The intended form of the configuration, etc/stentor.example.toml.

use crate::channel::KINDS;
use crate::config::testing::{Nobody, from_toml, load_text};
use crate::config::{Check, LoadOptions, Loaded, Rule, Turn, Wanted};
use crate::domain::delivery::Medium;
use crate::domain::level::Level;
use crate::domain::time::Span;
use crate::domain::who::Who;
use crate::settings::testing::table;
use std::collections::BTreeSet;

const EXAMPLE: &str = include_str!("../../../etc/stentor.example.toml");

/// Every variable and file that it names.
const VALUES: &[(&str, &str)] = &[
    ("SMTP_SERVER", "mx.example.org"),
    ("SMTP_USERNAME", "stentor"),
    ("SMTP_PASSWORD", "p"),
    ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000000"),
    ("TWILIO_AUTH_TOKEN", "t"),
    ("TWILIO_PHONE_NUMBER", "+15550199"),
    ("SENDGRID_API_KEY", "s"),
    ("TELNYX_API_KEY", "x"),
    ("TELNYX_PHONE_NUMBER", "+15550198"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/x"),
    ("HOOK_TOKEN", "h"),
    ("file:prometheus-token", "4f5c0a7be1d24f33"),
];

/// As the daemon loads it, on a machine without users.
fn load(values: &[(&str, &str)], without_secrets: bool) -> Loaded {
    load_text(EXAMPLE, values, &LoadOptions { without_secrets, accounts: &Nobody, ..LoadOptions::default() })
}

fn messages(problems: &[crate::config::Problem]) -> Vec<&str> {
    problems.iter().map(|p| p.message.as_str()).collect()
}

#[test]
fn exactly_what_is_not_yet_supported_is_refused() {
    for (values, without_secrets) in [(VALUES, false), (&[] as &[_], true)] {
        let loaded = load(values, without_secrets);
        assert_eq!(
            messages(&loaded.errors),
            [
                "routes is not yet supported",
                "schedules.desk.layers[1].hours is not yet supported",
                "schedules.desk.layers[2].hours is not yet supported",
                "people.bob.preferences is not yet supported",
                "people.carol.preferences is not yet supported",
            ]
        );
    }
}

#[test]
fn its_warnings_are_what_is_true_of_it() {
    let loaded = load(VALUES, false);
    assert_eq!(
        messages(&loaded.warnings),
        [
            "access.operator: there is no unix group \"stentor-op\"",
            "access.viewer: there is no unix group \"stentor-view\"",
            "channels.hook: no level, step, heartbeat, watch or other channel sends by it",
            "channels.rehearsal: no level, step, heartbeat, watch or other channel sends by it",
            "people.alice.login: there is no unix user \"alice\"",
        ]
    );
}

#[test]
fn each_variable_that_is_not_set_is_named() {
    let errors = load(&[], false).errors;
    let unset: BTreeSet<&str> =
        errors.iter().filter_map(|p| p.message.split_once("variable ")?.1.strip_suffix(" is not set")).collect();
    assert_eq!(unset, VALUES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("file:")).collect());
}

/// A reader that leaves early would have its other keys called unknown.
#[test]
fn each_kind_asks_for_all_its_keys_whatever_is_missing() {
    for kind in KINDS {
        let (asked, _) = table("", |t| {
            (kind.read)(t);
            t.asked()
        });
        let (asked_at_leisure, _) = table("", |t| {
            t.simulate();
            assert!((kind.read)(t).is_some(), "{} cannot be simulated without settings", kind.name);
            t.asked()
        });
        assert_eq!(asked, asked_at_leisure, "{}", kind.name);
    }
}

#[test]
fn what_keeps_an_alert_for_each_incident_always_hears_of_its_end() {
    let text = "[channels.pager]\nkind = 'pagerduty'\nrouting_key = '00000000000000000000000000000000'\nupdates = []\n\
                [channels.chat]\nkind = 'slack'\nwebhook_url = 'https://hooks.slack.com/services/x'\nupdates = []\n\
                [levels.low]\nchannels = ['pager', 'chat']\n";
    let loaded = load_text(text, &[], &LoadOptions { accounts: &Nobody, ..LoadOptions::default() });
    assert_eq!(messages(&loaded.errors), Vec::<&str>::new());
    let told = |name: &str| loaded.config.as_ref().unwrap().channels[name].updates;
    assert!(told("pager").acknowledged && told("pager").resolved);
    assert!(!told("chat").acknowledged && !told("chat").resolved);
}

#[test]
fn everything_in_it_is_read() {
    let config = from_toml(EXAMPLE);
    assert_eq!(config.daemon.name, "prague-1");
    assert_eq!(config.daemon.timezone_name, "Europe/Prague");
    assert!(config.deadman.is_none(), "an empty url is off");
    assert_eq!(config.http.as_ref().unwrap().public_url.as_deref(), Some("https://alarm.example.org"));

    let tokens = &config.http.as_ref().unwrap().tokens;
    assert_eq!((tokens.len(), tokens[0].name.as_str(), tokens[0].alerts), (1, "prometheus", true));
    assert_eq!(config.alertmanager.otherwise, crate::config::Alertmanager::default().otherwise);
    let levels = |a: &crate::config::Alertmanager| a.levels.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(levels(&config.alertmanager), levels(&Default::default()), "left out, it is the same");

    assert_eq!(config.channels.len(), 10);
    let sms = &config.channels["sms"];
    assert_eq!(sms.to, [Who::Schedule("primary".into())]);
    assert_eq!((sms.fallback.as_deref(), sms.slots, sms.timeout), (Some("sms-telnyx"), 4, Span::secs(15)));
    assert_eq!((sms.retry.times, sms.retry.base, sms.retry.max), (3, Span::secs(1), Span::mins(1)));
    assert!(sms.updates.acknowledged && sms.updates.resolved);
    let call = &config.channels["call"];
    assert!(!call.updates.acknowledged && !call.updates.resolved, "a call only stops");
    let sound = config.channels["siren"].sound.unwrap();
    assert_eq!((sound.repeat, sound.max), (None, Span::mins(15)));
    assert_eq!(config.channels["sms-gateway"].via.as_deref(), Some("mail"));
    assert!(config.channels["rehearsal"].simulate);

    let bob = &config.people["bob"].preferences;
    let quiet = bob.quiet.as_ref().unwrap();
    assert_eq!((quiet.until, quiet.hours[0].end().as_str()), (Level::Urgent, "07:00"));
    let carol = &config.people["carol"].preferences.media;
    assert_eq!(carol[&Medium::Voice], Wanted::Off);
    assert_eq!(carol[&Medium::Sms], Wanted::Types(vec!["margin_call".into(), "liquidation".into(), "fomo".into()]));

    let primary = &config.schedules["primary"].layers[0];
    let rotation = primary.rotation.as_ref().unwrap();
    assert_eq!(rotation.turn, Turn::Weekly);
    assert_eq!(rotation.start.to_string(), "2026-01-05T09:00:00+01:00[Europe/Prague]");
    assert_eq!(config.schedules["desk"].layers.len(), 2);

    let page = &config.policies["page"];
    assert_eq!((page.repeat, page.every), (3, Some(Span::mins(30))));
    assert_eq!(page.steps.iter().map(|s| s.after).collect::<Vec<_>>(), [Span::ZERO, Span::mins(5), Span::mins(10)]);
    assert_eq!(config.levels[&Level::Urgent].policy.as_deref(), Some("page"));
    assert_eq!(config.levels[&Level::Urgent].remind, Some(Span::hours(1)));
}

#[test]
fn its_heartbeats_and_watches_are_read() {
    let config = from_toml(EXAMPLE);
    let twilio = &config.heartbeats["twilio"];
    assert!(matches!(&twilio.check, Check::Probe { channel, test_call: false } if channel == "sms"));
    assert_eq!((twilio.failures, twilio.incident.level), (2, Level::High));
    assert_eq!((twilio.cron.as_deref(), twilio.every, twilio.timeout), (Some("0 */5 * * * *"), None, Span::secs(30)));
    let proof = &config.heartbeats["weekly-proof"];
    assert!(matches!(&proof.check, Check::Notification { subject, .. } if subject == "weekly proof"));
    let backup = &config.heartbeats["backup-job"];
    assert!(
        matches!(backup.check, Check::Passive { every, grace } if (every, grace) == (Span::days(1), Span::hours(1)))
    );
    assert!(backup.schedule.is_none() && backup.failures == 1);

    assert_eq!(config.watches.len(), 4, "two of the built-in ones are not in the file");
    let deal = &config.watches["spacex-capacity"];
    assert!(matches!(&deal.rule, Rule::Capacity { below: 500000.0, clear_above: 550000.0, .. }));
    assert_eq!((deal.tiers.len(), deal.incident.kind_of.as_deref()), (2, Some("fomo")));
    assert_eq!(config.watches["high-failure-rate"].incident.level, Level::Urgent);
    assert!(matches!(config.watches["queue-overflow"].rule, Rule::QueueOverflow { above: 1000 }));
    assert!(matches!(config.watches["low-processing-rate"].rule, Rule::LowProcessingRate { below: 10 }));
}

#[test]
fn the_config_that_is_installed_is_good_as_it_stands() {
    let installed = include_str!("../../../etc/stentor.toml");
    let loaded = load_text(installed, &[], &LoadOptions { accounts: &Nobody, ..LoadOptions::default() });
    assert_eq!((messages(&loaded.errors), messages(&loaded.warnings)), (vec![], vec![]));
}
