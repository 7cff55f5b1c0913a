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
pub struct State(Mutex<u32>);

impl State {
    /// The only one that is valid now.
    pub fn current(&self) -> String {
        format!("standInAccessToken{:04}", self.0.lock().unwrap())
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
    if field("refresh_token") != REFRESH_TOKEN {
        return error(400, "invalid_grant", "Token has been expired or revoked.");
    }
    let token = shared.oauth.issue();
    Reply::json(200, json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer", "scope": "mail" }))
}

pub fn error(status: u16, code: &str, words: &str) -> Reply {
    Reply::json(status, json!({ "error": code, "error_description": words }))
}
