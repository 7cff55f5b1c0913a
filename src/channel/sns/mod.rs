//! A text message by AWS SNS: `Action=Publish` of the Query protocol, signed with SigV4.
//!
//! Always `Transactional`: alarms are not advertisements. 200 and a `MessageId` are an acceptance,
//! and all that can be known: delivery is told in CloudWatch's logs alone, and the account's spending
//! limit stops messages without an error (docs.aws.amazon.com/sns, sms_publish-to-phone). There is no
//! idempotency: a lost answer may mean a second message.
//!
//! Settings: `region`, `access_key_id`, `secret_access_key`, `session_token` (of credentials that
//! end), `sender_id` (1 to 11 letters and digits), `origination_number`, `max_price` ("0.50", in USD:
//! a dearer message is dropped without a word), `base_url` (default
//! `https://sns.REGION.amazonaws.com`), and those of [`http`].

mod sigv4;

use crate::channel::http::{self, Way};
use crate::channel::sns::sigv4::Credentials;
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::clock;
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::{Answer, Endpoint, Method, percent};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::Arc;

pub const KIND: Kind =
    Kind { name: "aws-sns", sort: Sort::Addressed(Medium::Sms), provider: "aws", format: Format::Sms, read };

/// Characters of a text, in all its parts.
const LONGEST: usize = 1600;
const TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[derive(Debug)]
struct Sns {
    url: Endpoint,
    credentials: Credentials,
    /// Name, data type and value.
    attributes: Vec<(&'static str, &'static str, String)>,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let region = table.require_parsed("region", "eu-west-1", |text| match is_region(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is not a region; write \"eu-west-1\"")),
    });
    let region = region.or_else(|| table.simulated().then(|| "us-east-1".to_owned()));
    let id = table.require_text("access_key_id", "${AWS_ACCESS_KEY_ID}");
    let secret = table.require_secret("secret_access_key", "${AWS_SECRET_ACCESS_KEY}");
    let token = table.secret("session_token");
    let unreadable = token.is_none() && table.has("session_token");
    let attributes = attributes(table);
    let suffix = if region.as_ref().is_some_and(|r| r.starts_with("cn-")) { ".cn" } else { "" };
    let name = region.as_deref().unwrap_or("us-east-1");
    let base = http::base_url(table, &format!("https://sns.{name}.amazonaws.com{suffix}"), way.reach);
    if unreadable {
        return None;
    }
    let (secret, token) = (secret?, token.filter(|t| !t.is_empty()));
    way.hide([secret.reveal()]);
    way.hide(token.as_ref().map(|t| t.reveal()));
    let credentials = Credentials { id: id?, secret, token, region: region? };
    Some(Arc::new(Sns { url: base?, credentials, attributes, way }))
}

fn is_region(text: &str) -> bool {
    text.split('-').count() >= 3 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn attributes(table: &mut Table<'_>) -> Vec<(&'static str, &'static str, String)> {
    let sender = table.parsed("sender_id", |text| {
        let well = (1..=11).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if well {
            Ok(text.to_owned())
        } else {
            Err(format!("{text:?} is not a sender; write 1 to 11 letters and digits"))
        }
    });
    let origin = table.text("origination_number").filter(|text| !text.is_empty());
    let price = table.parsed("max_price", |text| {
        let well = text.parse::<f64>().is_ok_and(|p| p.is_finite() && p > 0.0);
        if well { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a price; write max_price = \"0.50\"")) }
    });
    let optional = [
        ("AWS.SNS.SMS.SenderID", "String", sender),
        ("AWS.SNS.SMS.MaxPrice", "Number", price),
        ("AWS.MM.SMS.OriginationNumber", "String", origin),
    ];
    let always = ("AWS.SNS.SMS.SMSType", "String", "Transactional".to_owned());
    std::iter::once(always).chain(optional.into_iter().filter_map(|(n, t, v)| Some((n, t, v?)))).collect()
}

impl Sns {
    fn form(&self, out: &Outgoing) -> Result<Vec<(String, String)>, Failure> {
        let mut form = vec![
            ("Action".to_owned(), "Publish".to_owned()),
            ("Version".to_owned(), "2010-03-31".to_owned()),
            ("PhoneNumber".to_owned(), http::number(out)?.to_owned()),
            ("Message".to_owned(), http::shorten(&out.text.text, LONGEST)),
        ];
        for (n, (name, kind, value)) in self.attributes.iter().enumerate() {
            let entry = format!("MessageAttributes.entry.{}", n + 1);
            form.push((format!("{entry}.Name"), (*name).to_owned()));
            form.push((format!("{entry}.Value.DataType"), (*kind).to_owned()));
            form.push((format!("{entry}.Value.StringValue"), value.clone()));
        }
        Ok(form)
    }

    async fn call(&self, form: &[(String, String)]) -> Result<Answer, Failure> {
        let pair = |(name, value): &(String, String)| format!("{}={}", percent::encoded(name), percent::encoded(value));
        let body = form.iter().map(pair).collect::<Vec<_>>().join("&");
        let signed = self.credentials.sign(&self.url, TYPE, &body, clock::wall());
        let dress = |r: crate::net::RequestBuilder| {
            let r = r.header("Content-Type", TYPE).body(body.clone());
            signed.iter().fold(r, |r, (name, value)| r.header(*name, value))
        };
        self.way.send(Method::POST, &self.url, dress).await
    }

    async fn post(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let answer = self.call(&self.form(out)?).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        match element(&answer, "MessageId") {
            Some(id) => Ok(AttemptResult::Sent { provider_id: Some(id), detail: "SNS has accepted it".into() }),
            None => Err(http::not_theirs(&answer, "SNS")),
        }
    }

    /// The account's attributes for texts; nothing is sent.
    async fn look(&self) -> Probed {
        let form = [("Action", "GetSMSAttributes"), ("Version", "2010-03-31")];
        let answer = self.call(&form.map(|(name, value)| (name.to_owned(), value.to_owned()))).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        let theirs = String::from_utf8_lossy(&answer.body).contains("<GetSMSAttributesResult");
        if theirs { Ok("credentials accepted".into()) } else { Err(http::not_theirs(&answer, "SNS")) }
    }
}

impl Channel for Sns {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.post(out).await) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move { self.look().await.map_err(http::harmless) })
    }

    fn describe(&self, out: &Outgoing) -> String {
        match self.form(out) {
            Ok(form) => {
                let lines: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let head = format!("POST {}\nAuthorization: AWS4-HMAC-SHA256 [secret]", self.url.shown());
                let token = self.credentials.token.as_ref().map_or("", |_| "\nx-amz-security-token: [secret]");
                format!("{head}\nx-amz-date: ...{token}\nContent-Type: {TYPE}\n\n{}", lines.join("\n"))
            }
            Err(failure) => failure.to_string(),
        }
    }
}

/// The text of the first element of this name in the answer's XML.
fn element(answer: &Answer, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = after.split_once(&format!("</{name}>"))?;
    let inner = inner.trim();
    // Proxies and emulators write it so; then there are no entities in it.
    if let Some(literal) = inner.strip_prefix("<![CDATA[").and_then(|rest| rest.strip_suffix("]]>")) {
        return Some(literal.to_owned());
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let plain = entities.iter().fold(inner.to_owned(), |text, (entity, letter)| text.replace(entity, letter));
    (!plain.is_empty()).then_some(plain)
}

/// `<ErrorResponse><Error><Type/><Code/><Message/></Error>...`. Throttling can come as a 400.
fn refused(answer: &Answer) -> Failure {
    use FailureClass::{AuthError, ProviderError, RateLimited, ValidationError};
    let words = element(answer, "Message").unwrap_or_else(|| answer.words());
    let Some(code) = element(answer, "Code") else { return http::by_status(answer, words) };
    let lower = words.to_lowercase();
    let failure = match code.as_str() {
        _ if lower.contains("spending limit") || lower.contains("quota") => {
            Failure::new(RateLimited, Blame::Account, words)
        }
        "OptedOut" => Failure::new(ValidationError, Blame::Message, words),
        "InvalidParameter" | "InvalidParameterValue" | "ParameterValueInvalid" | "ValidationException" => {
            // What is wrong with the number is the message's fault, all else our settings'.
            let number = lower.contains("phonenumber") || lower.contains("phone number");
            let fault = if number { (ValidationError, Blame::Message) } else { (ProviderError, Blame::Provider) };
            Failure::new(fault.0, fault.1, words)
        }
        "AuthorizationError"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "RequestExpired"
        | "InvalidSecurity"
        | "OptInRequired" => Failure::new(AuthError, Blame::Account, words),
        "Throttling" | "ThrottlingException" | "Throttled" => Failure::new(RateLimited, Blame::Channel, words),
        "InternalError" | "ServiceUnavailable" => Failure::new(ProviderError, Blame::Channel, words).unknown(),
        "UserError" => Failure::new(ProviderError, Blame::Provider, words),
        _ => http::by_status(answer, words),
    };
    failure.retry_after(answer.retry_after).code(code)
}
