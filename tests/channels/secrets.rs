//! No secret comes out of a channel: not in an error, a description, a probe or a Debug, not even
//! when the far end says it back.

use crate::standins::script::Fault;
use crate::standins::{Addresses, Standins};
use crate::support::{channel, out};
use std::sync::Arc;
use stentor::channel::Channel;

/// A channel of every kind that has secrets, with the service it speaks to.
fn channels(standins: &Standins) -> Vec<(&'static str, Arc<dyn Channel>)> {
    let at = standins.addresses();
    let twilio = format!(
        "base_url = \"{}\"\naccount_sid = \"{}\"\nauth_token = \"{}\"\nfrom = \"+15005550006\"\ntimeout = \"200ms\"",
        at.twilio, at.twilio_account_sid, at.twilio_auth_token
    );
    let mail = format!(
        "host = \"localhost\"\nport = {}\nca_file = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nfrom = \"s@example.org\"\ntimeout = \"2s\"",
        at.smtp_port, at.ca_file, at.smtp_username, at.smtp_password
    );
    let hook = format!(
        "url = \"{}/canaryPath17/x?token=canaryQuery17\"\nauth = {{ bearer = \"canaryBearer17\" }}\n\
         headers = {{ X-Key = \"canaryHeader17\" }}\nsigning_secret = \"canarySigning17\"\ntimeout = \"200ms\"",
        at.hook
    );
    vec![
        ("twilio", channel("twilio-sms", &twilio)),
        ("twilio", channel("twilio-voice", &twilio)),
        ("slack", channel("slack", &format!("webhook_url = \"{}\"\ntimeout = \"200ms\"", at.slack_webhook_url))),
        (
            "telnyx",
            channel(
                "telnyx-sms",
                &format!(
                    "base_url = \"{}\"\napi_key = \"{}\"\nfrom = \"+15550199\"\ntimeout = \"200ms\"",
                    at.telnyx, at.telnyx_api_key
                ),
            ),
        ),
        (
            "sendgrid",
            channel(
                "sendgrid",
                &format!(
                    "base_url = \"{}\"\napi_key = \"{}\"\nfrom = \"s@example.org\"\ntimeout = \"200ms\"",
                    at.sendgrid, at.sendgrid_api_key
                ),
            ),
        ),
        (
            "azure",
            channel(
                "azure-sms",
                &format!(
                    "endpoint = \"{}\"\naccess_key = \"{}\"\nfrom = \"+18005550199\"\ntimeout = \"200ms\"",
                    at.azure, at.azure_access_key
                ),
            ),
        ),
        (
            "sns",
            channel(
                "aws-sns",
                &format!(
                    "base_url = \"{}\"\nregion = \"eu-west-1\"\naccess_key_id = \"AKIASTANDIN000000017\"\n\
                     secret_access_key = \"{}\"\ntimeout = \"200ms\"",
                    at.sns, at.sns_secret_access_key
                ),
            ),
        ),
        (
            "ntfy",
            channel(
                "ntfy",
                &format!(
                    "base_url = \"{}\"\ntopic = \"standInTopicOfNtfy17\"\ntoken = \"{}\"\ntimeout = \"200ms\"",
                    at.ntfy, at.ntfy_token
                ),
            ),
        ),
        ("hook", channel("http-sms", &hook)),
        (
            "slack-web",
            channel(
                "slack",
                &format!(
                    "base_url = \"{}\"\ntoken = \"{}\"\nchannel = \"#alarms\"\ntimeout = \"200ms\"",
                    at.slack_api, at.slack_token
                ),
            ),
        ),
        ("discord", channel("discord", &format!("webhook_url = \"{}\"\ntimeout = \"200ms\"", at.discord_webhook_url))),
        ("teams", channel("teams", &format!("webhook_url = \"{}\"\ntimeout = \"200ms\"", at.teams_webhook_url))),
        (
            "pagerduty",
            channel(
                "pagerduty",
                &format!(
                    "base_url = \"{}\"\nrouting_key = \"{}\"\ntimeout = \"200ms\"",
                    at.pagerduty, at.pagerduty_routing_key
                ),
            ),
        ),
        ("hook", channel("webhook", &hook)),
        ("smtp", channel("smtp", &mail)),
    ]
}

/// The secrets of a service's channels.
fn canaries(at: &Addresses, service: &str) -> Vec<String> {
    match service {
        "twilio" => vec![at.twilio_auth_token.into()],
        "telnyx" => vec![at.telnyx_api_key.into()],
        "sendgrid" => vec![at.sendgrid_api_key.into()],
        "slack" => vec![at.slack_webhook_url.rsplit('/').next().unwrap().into()],
        "azure" => vec![at.azure_access_key.into()],
        "sns" => vec![at.sns_secret_access_key.into()],
        "ntfy" => vec![at.ntfy_token.into(), "standInTopicOfNtfy17".into()],
        "slack-web" => vec![at.slack_token.into()],
        "discord" => vec![at.discord_webhook_url.rsplit('/').next().unwrap().into()],
        "teams" => vec!["standInFlowOfTeams17".into(), "standIn-Signature_OfTheFlow17".into()],
        "pagerduty" => vec![at.pagerduty_routing_key.into()],
        "hook" => ["canaryPath17", "canaryQuery17", "canaryBearer17", "canaryHeader17", "canarySigning17"]
            .map(str::to_owned)
            .into(),
        _ => vec![at.smtp_password.into()],
    }
}

/// Everything that can go wrong, also with an answer that says the secrets back.
fn faults(service: &str, canaries: &[String]) -> Vec<Fault> {
    let echo = canaries.join(" / ");
    if service == "smtp" {
        let drops = ["connect", "ehlo", "auth", "mail", "text"].map(|verb| Fault::verb(verb, "drop"));
        let echoes = ["auth", "mail", "text"].map(|verb| Fault::verb(verb, &format!("535 5.7.8 not {echo}")));
        return drops.into_iter().chain(echoes).collect();
    }
    let mut faults = vec![Fault::Html, Fault::CutBefore, Fault::CutAfter, Fault::Hang, Fault::ErrorInside];
    for status in [200, 302, 400, 401, 403, 404, 410, 429, 500, 503] {
        for body in [None, Some(echo.clone()), Some(format!("{{\"code\":21211,\"message\":\"{echo}\"}}"))] {
            faults.push(Fault::Status { status, retry_after: None, body });
        }
    }
    faults
}

#[tokio::test]
async fn f79_no_error_description_or_debug_shows_a_secret() {
    let standins = Standins::start().await;
    let message = out(Some("+15550100"), "s", "t");
    let mail = out(Some("alice@example.org"), "s", "t");
    for (service, channel) in channels(&standins) {
        let canaries = canaries(standins.addresses(), service);
        let message = if matches!(service, "smtp" | "sendgrid") { &mail } else { &message };
        let mut said = format!("{channel:?} {}", channel.describe(message));
        for fault in faults(service, &canaries) {
            standins.set_times(service, fault.clone(), 1);
            said += &format!("{:?}", channel.send(message).await);
            standins.set_times(service, fault, 1);
            said += &format!("{:?}", channel.probe().await);
            standins.well(service);
        }
        said += &format!("{:?}", channel.probe().await);
        for canary in canaries {
            if let Some(at) = said.find(&canary) {
                panic!("{canary} in ...{}...", &said[at.saturating_sub(200)..at + canary.len()]);
            }
        }
    }
}
