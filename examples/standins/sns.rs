//! AWS SNS, Query protocol: texts to numbers. Each signature is computed again and compared.

use super::Shared;
use super::http::{Reply, Request};
use ring::{digest, hmac};
use std::collections::BTreeMap;

pub const ACCESS_KEY_ID: &str = "AKIASTANDIN000000017";
pub const SECRET_ACCESS_KEY: &str = "standInSecretAccessKeyOfAmazon0000000017";
pub const REGION: &str = "eu-west-1";

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    if request.method != "POST" || request.path != "/" {
        return Reply::text(404, "Not Found");
    }
    let authorization = request.header("authorization");
    if !authorization.contains(&format!("Credential={ACCESS_KEY_ID}/")) {
        return error(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
    }
    if authorization != expected(request) {
        return error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.");
    }
    let form: BTreeMap<String, String> = request.form().into_iter().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if request.header("content-type") != "application/x-www-form-urlencoded; charset=utf-8" {
        return error(415, "UnsupportedMediaType", "The stand-in wants a form in UTF-8.");
    }
    if field("Version") != "2010-03-31" {
        return error(400, "NoSuchVersion", "The requested version does not exist.");
    }
    match field("Action") {
        "GetSMSAttributes" => {
            xml("<GetSMSAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><GetSMSAttributesResult>\
             <attributes><entry><key>MonthlySpendLimit</key><value>1</value></entry></attributes>\
             </GetSMSAttributesResult></GetSMSAttributesResponse>")
        }
        "Publish" => publish(shared, &form),
        _ => error(400, "InvalidAction", "The action is not valid for this endpoint."),
    }
}

fn publish(shared: &Shared, form: &BTreeMap<String, String>) -> Reply {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let digits = field("PhoneNumber").strip_prefix('+').unwrap_or_default();
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return error(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: not valid to publish to");
    }
    if field("Message").is_empty() || field("Message").chars().count() > 1600 {
        return error(400, "InvalidParameter", "Invalid parameter: Message too long");
    }
    let (name, kind, value) = (
        field("MessageAttributes.entry.1.Name"),
        field("MessageAttributes.entry.1.Value.DataType"),
        field("MessageAttributes.entry.1.Value.StringValue"),
    );
    if (name, kind, value) != ("AWS.SNS.SMS.SMSType", "String", "Transactional") {
        return error(400, "InvalidParameterValue", "The stand-in wants alarms to be transactional");
    }
    if let Some(name) = form.keys().find(|name| !is_known(form, name)) {
        return error(400, "InvalidParameter", &format!("Invalid parameter: {name} is none of a text's"));
    }
    let n = shared.log.of("sns").iter().filter(|r| r.status == 200 && r.body.contains("Action=Publish")).count() + 1;
    xml(&format!(
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
         <MessageId>94f20ce6-13c5-43a0-9a9e-{n:012}</MessageId></PublishResult>\
         <ResponseMetadata><RequestId>f187a3c1</RequestId></ResponseMetadata></PublishResponse>"
    ))
}

/// The parameters of a text, and its attributes: of these names, of their types, counted from 1 on.
fn is_known(form: &BTreeMap<String, String>, name: &str) -> bool {
    let Some(rest) = name.strip_prefix("MessageAttributes.entry.") else {
        return ["Action", "Version", "PhoneNumber", "Message"].contains(&name);
    };
    let Some((n, part)) = rest.split_once('.') else { return false };
    let of = |n: u32, part: &str| form.get(&format!("MessageAttributes.entry.{n}.{part}")).map(String::as_str);
    let Some(n) = n.parse::<u32>().ok().filter(|n| *n > 0) else { return false };
    let kind = match of(n, "Name") {
        Some("AWS.SNS.SMS.SMSType" | "AWS.SNS.SMS.SenderID" | "AWS.MM.SMS.OriginationNumber") => "String",
        Some("AWS.SNS.SMS.MaxPrice") => "Number",
        _ => return false,
    };
    let whole = of(n, "Value.DataType") == Some(kind) && of(n, "Value.StringValue").is_some_and(|v| !v.is_empty());
    whole && (n == 1 || of(n - 1, "Name").is_some()) && ["Name", "Value.DataType", "Value.StringValue"].contains(&part)
}

/// What the request should be signed with.
fn expected(request: &Request) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let hash = |text: &str| hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    let mac = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let date = request.header("x-amz-date");
    let (day, _) = date.split_once('T').unwrap_or(("", ""));
    let mut names = vec!["content-type", "host", "x-amz-date"];
    names.extend((!request.header("x-amz-security-token").is_empty()).then_some("x-amz-security-token"));
    let lines: String = names.iter().map(|name| format!("{name}:{}\n", request.header(name))).collect();
    let names = names.join(";");
    let canonical = format!("POST\n{}\n\n{lines}\n{names}\n{}", request.target, hash(&request.body));
    let scope = format!("{day}/{REGION}/sns/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(&canonical));
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for part in [day, REGION, "sns", "aws4_request"] {
        key = mac(&key, part).as_ref().to_vec();
    }
    let signature = hex(mac(&key, &text).as_ref());
    format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}")
}

fn xml(body: &str) -> Reply {
    Reply::new(200, "text/xml", body.to_owned())
}

pub fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>9d9a0a5e</RequestId></ErrorResponse>"
    );
    Reply::new(status, "text/xml", body)
}

/// What SNS says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        403 => error(403, "AuthorizationError", "User is not authorized to perform: SNS:Publish"),
        429 => error(429, "Throttling", "Rate exceeded"),
        500 => error(500, "InternalError", "An internal error occurred."),
        503 => error(503, "ServiceUnavailable", "The service is unavailable."),
        _ => error(status, "StandInError", "as told"),
    }
}
