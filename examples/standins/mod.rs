//! Stand-ins for the providers on loopback: those of texts and calls, of mail, of chats, any webhook
//! receiver, a mail server. They check what they get as strictly as the originals, and misbehave when told to.
//!
//! Used by the tests and the demo (`#[path = ".../examples/standins/mod.rs"] mod standins;`), and
//! by scripts through `main.rs`.
#![allow(dead_code, reason = "each user needs a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a stand-in that cannot work should stop the test")]

pub mod azure;
pub mod callbacks;
pub mod control;
pub mod discord;
pub mod http;
pub mod ntfy;
pub mod oauth;
pub mod pagerduty;
pub mod record;
pub mod script;
pub mod sendgrid;
pub mod slack;
pub mod smtp;
pub mod sns;
pub mod teams;
pub mod telnyx;
pub mod tls;
pub mod twilio;

use record::{Log, Recorded};
use script::{Fault, Script};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tls::Certificates;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What all stand-ins of one start share.
#[derive(Debug)]
pub struct Shared {
    pub log: Log,
    pub script: Script,
    pub certificates: Certificates,
    pub twilio: twilio::State,
    pub oauth: oauth::State,
}

/// Where everything is, as `main.rs` prints it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Addresses {
    /// Base URL; https works on the same port.
    pub twilio: String,
    pub twilio_account_sid: &'static str,
    pub twilio_auth_token: &'static str,
    pub twilio_api_key: &'static str,
    pub twilio_api_secret: &'static str,
    pub telnyx: String,
    pub telnyx_api_key: &'static str,
    pub sendgrid: String,
    pub sendgrid_api_key: &'static str,
    pub slack_webhook_url: String,
    pub oauth_token_url: String,
    pub azure: String,
    pub azure_access_key: &'static str,
    pub sns: String,
    pub sns_secret_access_key: &'static str,
    pub ntfy: String,
    pub ntfy_token: &'static str,
    pub slack_api: String,
    pub slack_token: &'static str,
    pub discord_webhook_url: String,
    pub teams_webhook_url: String,
    pub pagerduty: String,
    pub pagerduty_routing_key: &'static str,
    /// Takes any method and path.
    pub hook: String,
    pub smtp_host: &'static str,
    /// STARTTLS, and AUTH after it.
    pub smtp_port: u16,
    /// TLS from the first byte, and AUTH.
    pub smtps_port: u16,
    /// Neither TLS nor AUTH.
    pub smtp_plain_port: u16,
    pub smtp_username: &'static str,
    pub smtp_password: &'static str,
    /// The root of every certificate here, PEM.
    pub ca_file: String,
}

/// All stand-ins, running until dropped.
#[derive(Debug)]
pub struct Standins {
    shared: Arc<Shared>,
    addresses: Addresses,
    tasks: Vec<JoinHandle<()>>,
}

impl Standins {
    pub async fn start() -> Standins {
        let shared = Arc::new(Shared {
            log: Log::default(),
            script: Script::default(),
            certificates: Certificates::make(),
            twilio: twilio::State::default(),
            oauth: oauth::State::default(),
        });
        let mut tasks = Vec::new();
        let listen = async || {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            (listener, port)
        };
        let (twilio, twilio_port) = listen().await;
        tasks.push(http::serve(twilio, "twilio", twilio::answer, &shared));
        let (slack, slack_port) = listen().await;
        tasks.push(http::serve(slack, "slack", slack::answer, &shared));
        let (telnyx, telnyx_port) = listen().await;
        tasks.push(http::serve(telnyx, "telnyx", telnyx::answer, &shared));
        let (sendgrid, sendgrid_port) = listen().await;
        tasks.push(http::serve(sendgrid, "sendgrid", sendgrid::answer, &shared));
        let (discord, discord_port) = listen().await;
        tasks.push(http::serve(discord, "discord", discord::answer, &shared));
        let (teams, teams_port) = listen().await;
        tasks.push(http::serve(teams, "teams", teams::answer, &shared));
        let (pagerduty, pagerduty_port) = listen().await;
        tasks.push(http::serve(pagerduty, "pagerduty", pagerduty::answer, &shared));
        let (slack_web, slack_web_port) = listen().await;
        tasks.push(http::serve(slack_web, "slack-web", slack::web, &shared));
        let (oauth, oauth_port) = listen().await;
        tasks.push(http::serve(oauth, "oauth", oauth::answer, &shared));
        let (azure, azure_port) = listen().await;
        tasks.push(http::serve(azure, "azure", azure::answer, &shared));
        let (sns, sns_port) = listen().await;
        tasks.push(http::serve(sns, "sns", sns::answer, &shared));
        let (ntfy, ntfy_port) = listen().await;
        tasks.push(http::serve(ntfy, "ntfy", ntfy::answer, &shared));
        let (hook, hook_port) = listen().await;
        tasks.push(http::serve(hook, "hook", |_, _| http::Reply::json(200, "{\"received\":true}"), &shared));
        let (smtp, smtp_port) = listen().await;
        tasks.push(smtp::serve(smtp, smtp::Door::StartTls, &shared));
        let (smtps, smtps_port) = listen().await;
        tasks.push(smtp::serve(smtps, smtp::Door::Implicit, &shared));
        let (plain, smtp_plain_port) = listen().await;
        tasks.push(smtp::serve(plain, smtp::Door::Plain, &shared));
        let addresses = Addresses {
            twilio: format!("http://127.0.0.1:{twilio_port}"),
            twilio_account_sid: twilio::ACCOUNT_SID,
            twilio_auth_token: twilio::AUTH_TOKEN,
            twilio_api_key: twilio::API_KEY,
            twilio_api_secret: twilio::API_SECRET,
            slack_webhook_url: format!("http://127.0.0.1:{slack_port}{}", slack::PATH),
            oauth_token_url: format!("http://127.0.0.1:{oauth_port}/token"),
            azure: format!("http://127.0.0.1:{azure_port}"),
            azure_access_key: azure::ACCESS_KEY,
            sns: format!("http://127.0.0.1:{sns_port}"),
            sns_secret_access_key: sns::SECRET_ACCESS_KEY,
            ntfy: format!("http://127.0.0.1:{ntfy_port}"),
            ntfy_token: ntfy::TOKEN,
            slack_api: format!("http://127.0.0.1:{slack_web_port}/api"),
            slack_token: slack::TOKEN,
            telnyx: format!("http://127.0.0.1:{telnyx_port}/v2"),
            telnyx_api_key: telnyx::API_KEY,
            sendgrid: format!("http://127.0.0.1:{sendgrid_port}"),
            sendgrid_api_key: sendgrid::API_KEY,
            discord_webhook_url: format!("http://127.0.0.1:{discord_port}{}", discord::PATH),
            teams_webhook_url: format!("http://127.0.0.1:{teams_port}{}", teams::TARGET),
            pagerduty: format!("http://127.0.0.1:{pagerduty_port}"),
            pagerduty_routing_key: pagerduty::ROUTING_KEY,
            hook: format!("http://127.0.0.1:{hook_port}/hook"),
            smtp_host: "localhost",
            smtp_port,
            smtps_port,
            smtp_plain_port,
            smtp_username: smtp::USERNAME,
            smtp_password: smtp::PASSWORD,
            ca_file: shared.certificates.ca_file().display().to_string(),
        };
        Standins { shared, addresses, tasks }
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Opens the control endpoint and says where it is.
    pub async fn control(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        http::serve(listener, "control", control::answer, &self.shared);
        place
    }

    /// From the next request on, the service (`twilio`, `slack`, `hook`, `smtp`, ...) misbehaves.
    pub fn set(&self, service: &str, fault: Fault) {
        self.shared.script.set(service, fault, None);
    }

    /// Misbehaves that many times, then is well again.
    pub fn set_times(&self, service: &str, fault: Fault, times: u32) {
        self.shared.script.set(service, fault, Some(times));
    }

    pub fn well(&self, service: &str) {
        self.set(service, Fault::None);
    }

    /// Twilio refuses its credentials (401, 20003), or takes them again.
    pub fn revoke_twilio(&self, revoked: bool) {
        self.shared.twilio.revoke(revoked);
    }

    /// The account's `status` in Twilio's answer: active, suspended, closed.
    pub fn twilio_account(&self, status: &str) {
        self.shared.twilio.set_account(status);
    }

    /// What Twilio and Telnyx say of every message and call when they are asked, and with which error.
    pub fn say_later(&self, status: &str, code: Option<u32>) {
        self.shared.twilio.say_later(status, code);
    }

    /// The mail server takes none of the tokens that were issued so far.
    pub fn revoke_oauth(&self) {
        self.shared.oauth.issue();
    }

    /// From now on each refresh token is good for one time, and brings the next one.
    pub fn rotate_oauth(&self) {
        self.shared.oauth.rotate();
    }

    /// Everything that came to a service, in order, also what was refused.
    pub fn recorded(&self, service: &str) -> Vec<Recorded> {
        self.shared.log.of(service)
    }

    /// Waits until a service has got that many, at most 30 seconds.
    pub async fn wait_for(&self, service: &str, count: usize) -> Vec<Recorded> {
        let enough = self.shared.log.wait_for(service, count);
        let _ = tokio::time::timeout(Duration::from_secs(30), enough).await;
        self.recorded(service)
    }

    /// The root that the stand-ins' certificates hang on.
    pub fn ca_file(&self) -> &Path {
        self.shared.certificates.ca_file()
    }

    /// TLS as the stand-ins speak it when they are well.
    pub fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        self.shared.certificates.acceptor(&Fault::None)
    }

    /// A root that has signed none of them.
    pub fn strange_ca_file(&self) -> &Path {
        self.shared.certificates.strange_ca_file()
    }
}

impl Drop for Standins {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
