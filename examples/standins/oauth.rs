//! Where refresh tokens are changed for access tokens. Only the newest access token is taken by the
//! mail server.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;

pub const CLIENT_ID: &str = "stand-in-client-17";
pub const CLIENT_SECRET: &str = "standInClientSecretOfOAuth17";
pub const REFRESH_TOKEN: &str = "standInRefreshTokenOfOAuth17";

#[derive(Debug, Default)]
pub struct State(Mutex<u32>, Mutex<Rotation>);

/// Whether refresh tokens are changed as well, and the only one that is valid now.
#[derive(Debug, Default)]
struct Rotation {
    on: bool,
    made: u32,
}

impl State {
    /// The only one that is valid now.
    pub fn current(&self) -> String {
        format!("standInAccessToken{:04}", self.0.lock().unwrap())
    }

    /// From now on each refresh token is good for one time and brings the next one.
    pub fn rotate(&self) {
        self.1.lock().unwrap().on = true;
    }

    fn refresh_token(&self) -> String {
        match self.1.lock().unwrap().made {
            0 => REFRESH_TOKEN.to_owned(),
            made => format!("standInNextRefreshToken{made}"),
        }
    }

    /// The one to use from now on: the same again, or another one.
    fn next_refresh_token(&self) -> String {
        let mut rotation = self.1.lock().unwrap();
        rotation.made += u32::from(rotation.on);
        drop(rotation);
        self.refresh_token()
    }

    /// From now on all before are refused.
    pub fn issue(&self) -> String {
        *self.0.lock().unwrap() += 1;
        self.current()
    }
}

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    let form: BTreeMap<String, String> = request.form().into_iter().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if request.method != "POST" || request.path != "/token" {
        return Reply::text(404, "");
    }
    if field("client_id") != CLIENT_ID || field("client_secret") != CLIENT_SECRET {
        return error(401, "invalid_client", "The OAuth client was not found.");
    }
    if field("grant_type") != "refresh_token" {
        return error(400, "unsupported_grant_type", "Invalid grant_type.");
    }
    if field("refresh_token") != shared.oauth.refresh_token() {
        return error(400, "invalid_grant", "Token has been expired or revoked.");
    }
    let token = shared.oauth.issue();
    let next = shared.oauth.next_refresh_token();
    let answer = json!({
        "access_token": token, "expires_in": 3599, "token_type": "Bearer", "scope": "mail", "refresh_token": next,
    });
    Reply::json(200, answer)
}

pub fn error(status: u16, code: &str, words: &str) -> Reply {
    Reply::json(status, json!({ "error": code, "error_description": words }))
}
