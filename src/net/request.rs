//! What a channel adds to a request: headers and a body.

use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::{Endpoint, USER_AGENT};
use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use serde::Serialize;
use std::fmt::Display;

/// A request that is being made. What cannot be said in HTTP shows when it is finished.
#[derive(Debug, Default)]
pub struct RequestBuilder {
    headers: HeaderMap,
    body: Bytes,
    wrong: Option<String>,
}

impl RequestBuilder {
    /// One more header.
    #[must_use]
    pub fn header<N, V>(mut self, name: N, value: V) -> RequestBuilder
    where
        N: TryInto<HeaderName, Error: Display>,
        V: TryInto<HeaderValue, Error: Display>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => drop(self.headers.append(name, value)),
            (Err(why), _) => self.wrong = Some(why.to_string()),
            (_, Err(why)) => self.wrong = Some(why.to_string()),
        }
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> RequestBuilder {
        self.body = body.into();
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(mut self, document: &impl Serialize) -> RequestBuilder {
        match serde_json::to_vec(document) {
            Ok(body) => self.typed("application/json", body),
            Err(why) => {
                self.wrong = Some(why.to_string());
                self
            }
        }
    }

    /// A form as a body.
    #[must_use]
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, pairs: &[(N, V)]) -> RequestBuilder {
        self.typed("application/x-www-form-urlencoded", form(pairs))
    }

    #[must_use]
    pub fn bearer_auth(self, token: impl Display) -> RequestBuilder {
        self.authorization(format!("Bearer {token}"))
    }

    #[must_use]
    pub fn basic_auth(self, username: impl Display, password: Option<impl Display>) -> RequestBuilder {
        let password = password.map(|p| p.to_string()).unwrap_or_default();
        self.authorization(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
    }

    fn authorization(self, value: String) -> RequestBuilder {
        self.header(header::AUTHORIZATION, value)
    }

    fn typed(mut self, kind: &'static str, body: impl Into<Bytes>) -> RequestBuilder {
        self.headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        self.body(body)
    }

    /// As it goes over a connection to `to`.
    ///
    /// # Errors
    /// It cannot be said in HTTP; nothing of it is quoted.
    pub fn finish(self, method: Method, to: &Endpoint) -> Result<Request<Full<Bytes>>, Failure> {
        let cannot = |why: String| {
            Failure::new(FailureClass::ValidationError, Blame::Message, format!("the request cannot be made: {why}"))
        };
        if let Some(why) = self.wrong {
            return Err(cannot(why));
        }
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = method;
        *request.uri_mut() =
            Uri::from_maybe_shared(Bytes::from(to.path_and_query())).map_err(|why| cannot(why.to_string()))?;
        let mut headers = self.headers;
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        let host = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(to.authority().as_bytes()));
        headers.entry(header::HOST).or_insert(host.map_err(|why| cannot(why.to_string()))?);
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// `application/x-www-form-urlencoded`
fn form<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    // The query of a URL is written by the same rules.
    let Ok(mut url) = url::Url::parse("form:") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::Reach;

    fn finished(dress: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Result<Request<Full<Bytes>>, Failure> {
        let to = Endpoint::parse("https://example.org:8443/a%20b?c=d&e", Reach::default()).unwrap();
        dress(RequestBuilder::default()).finish(Method::POST, &to)
    }

    #[test]
    fn a_request_says_where_it_goes_and_who_sends_it() {
        let request = finished(|r| r.header("X-Team", "ops").basic_auth("alice", Some("s3cret"))).unwrap();
        assert_eq!(request.uri(), "/a%20b?c=d&e");
        let said = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((said("host"), said("user-agent")), ("example.org:8443".into(), USER_AGENT.into()));
        assert_eq!((said("x-team"), said("authorization")), ("ops".into(), "Basic YWxpY2U6czNjcmV0".into()));
    }

    #[test]
    fn a_form_is_encoded_and_an_own_type_stays() {
        assert_eq!(form(&[("To", "+15550100"), ("Body", "a & b=ü")]), "To=%2B15550100&Body=a+%26+b%3D%C3%BC");
        let request = finished(|r| r.header("content-type", "text/x").json(&7)).unwrap();
        assert_eq!(request.headers().get_all("content-type").iter().collect::<Vec<_>>(), ["text/x"]);
    }

    #[test]
    fn what_cannot_be_said_is_the_messages_fault_and_is_not_quoted() {
        let failure = finished(|r| r.header("X-Team", "canary\n")).unwrap_err();
        assert_eq!((failure.blame, failure.unknown), (Blame::Message, false));
        assert!(failure.words.starts_with("the request cannot be made: ") && !failure.words.contains("canary"));
    }
}
