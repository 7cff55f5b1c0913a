//! The config that most stories begin with: every way out, at the stand-ins, and a few people. The
//! stand-ins' addresses and secrets come by the environment, as they do in life.

use crate::standins::Standins;

/// One channel of each kind, and people; no levels yet.
pub const WAYS: &str = r#"
[daemon]
name     = "prague-1"
timezone = "UTC"

[channels.mail]
kind     = "smtp"
host     = "${SMTP_HOST}"
port     = "${SMTP_PORT}"
username = "${SMTP_USERNAME}"
password = "${SMTP_PASSWORD}"
from     = "Stentor <stentor@example.org>"
to       = ["ops@example.org"]
ca_file  = "${CA_FILE}"

[channels.sms]
kind        = "twilio-sms"
base_url    = "${TWILIO_URL}"
account_sid = "${TWILIO_ACCOUNT_SID}"
auth_token  = "${TWILIO_AUTH_TOKEN}"
from        = "+15550099"
to          = ["alice"]

[channels.call]
kind        = "twilio-voice"
base_url    = "${TWILIO_URL}"
account_sid = "${TWILIO_ACCOUNT_SID}"
auth_token  = "${TWILIO_AUTH_TOKEN}"
from        = "+15550099"
to          = ["alice"]

[channels.chat]
kind        = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"

[channels.hook]
kind = "webhook"
url  = "${HOOK_URL}"
auth = { bearer = "${HOOK_TOKEN}" }

[people.alice]
email = "alice@example.org"
phone = "+15550100"

[people.bob]
email = "bob@example.org"
phone = "+15550101"

[people.carol]
email = "carol@client.example"
phone = "+15550102"
tier  = "TIER_1"

[people.dave]
email = "dave@client.example"
tier  = "TIER_2"
"#;

pub const HOOK_TOKEN: &str = "hookTokenOfTheStandIns17";

/// Every level by the webhook alone: for stories in which the way does not matter.
pub const BY_HOOK: &str = r#"
[levels.low]
channels = ["hook"]
"#;

/// [`WAYS`] and what a story adds.
pub fn and(more: &str) -> String {
    format!("{WAYS}\n{more}")
}

/// What the placeholders of [`WAYS`] stand for.
pub fn environment(standins: &Standins) -> Vec<(String, String)> {
    let a = standins.addresses();
    let pairs = [
        ("SMTP_HOST", a.smtp_host),
        ("SMTP_PORT", &a.smtp_port.to_string()),
        ("SMTP_USERNAME", a.smtp_username),
        ("SMTP_PASSWORD", a.smtp_password),
        ("CA_FILE", &a.ca_file),
        ("TWILIO_URL", &a.twilio),
        ("TWILIO_ACCOUNT_SID", a.twilio_account_sid),
        ("TWILIO_AUTH_TOKEN", a.twilio_auth_token),
        ("SLACK_WEBHOOK_URL", &a.slack_webhook_url),
        ("HOOK_URL", &a.hook),
        ("HOOK_TOKEN", HOOK_TOKEN),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
