//! AWS Signature Version 4, as far as a POST of a form to SNS needs it.

use crate::channel::sign::{hex, hmac_sha256, sha256};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::net::Endpoint;
use jiff::tz::TimeZone;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "sns";

/// Who we are at AWS.
#[derive(Debug)]
pub(super) struct Credentials {
    pub id: String,
    pub secret: Secret,
    /// Of credentials that end.
    pub token: Option<Secret>,
    pub region: String,
}

impl Credentials {
    /// The headers to add beside the content type, which is signed, too.
    pub fn sign(&self, url: &Endpoint, content_type: &str, body: &str, at: Timestamp) -> Vec<(&'static str, String)> {
        let date = at.zoned(&TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![
            ("content-type", content_type.to_owned()),
            ("host", url.authority().to_owned()),
            ("x-amz-date", date.clone()),
        ];
        headers.extend(self.token.as_ref().map(|token| ("x-amz-security-token", token.reveal().to_owned())));
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let path = url.path_and_query();
        let request = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hex(&sha256(body)));
        let day = &date[..8];
        let scope = format!("{day}/{}/{SERVICE}/aws4_request", self.region);
        let text = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(&sha256(request)));
        let first = format!("AWS4{}", self.secret.reveal()).into_bytes();
        let parts = [day, &self.region, SERVICE, "aws4_request"];
        let key = parts.iter().fold(first, |key, part| hmac_sha256(&key, part));
        let signature = hex(&hmac_sha256(&key, text));
        let authorization =
            format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", self.id);
        let ours = headers.into_iter().filter(|(name, _)| name.starts_with("x-amz-"));
        ours.chain([("authorization", authorization)]).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::Reach;

    fn signed(token: Option<&str>) -> Vec<(&'static str, String)> {
        let credentials = Credentials {
            id: "AKIDEXAMPLE".into(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: token.map(Secret::new),
            region: "eu-west-1".into(),
        };
        let url = Endpoint::parse("https://sns.eu-west-1.amazonaws.com/", Reach::default()).unwrap();
        let content_type = "application/x-www-form-urlencoded; charset=utf-8";
        let body = "Action=Publish&Message=disk%20full&PhoneNumber=%2B14155552345&Version=2010-03-31";
        credentials.sign(&url, content_type, body, Timestamp::parse("2025-11-20T12:00:00Z").unwrap())
    }

    #[test]
    fn a_request_is_signed_as_amazons_own_library_does() {
        let headers = signed(None);
        assert_eq!(headers[0], ("x-amz-date", "20251120T120000Z".to_owned()));
        assert_eq!(
            headers[1].1,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20251120/eu-west-1/sns/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=e2adb897d312d2c20e18cdf3c58ab1bd207770d2840979807962ff19cafe9677"
        );
    }

    #[test]
    fn credentials_that_end_sign_their_token() {
        let headers = signed(Some("token"));
        assert_eq!(headers[1], ("x-amz-security-token", "token".to_owned()));
        assert!(headers[2].1.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"));
    }
}
