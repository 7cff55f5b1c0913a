//! The stand-ins' own switchboard, for scripts.

use super::Shared;
use super::http::{Reply, Request};
use super::script::Fault;
use serde::Deserialize;

#[derive(Deserialize)]
struct Set {
    service: String,
    #[serde(flatten)]
    fault: Fault,
    times: Option<u32>,
}

#[derive(Deserialize)]
struct Twilio {
    /// `revoked` or `valid`.
    credentials: Option<String>,
    /// `active`, `suspended`, `closed`.
    account: Option<String>,
}

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/recorded") => {
            let entries = match request.query.get("service") {
                Some(service) => shared.log.of(service),
                None => shared.log.all(),
            };
            Reply::json(200, serde_json::to_string_pretty(&entries).unwrap())
        }
        ("POST", "/set") => read(request, |set: Set| shared.script.set(&set.service, set.fault, set.times)),
        ("POST", "/twilio") => read(request, |twilio: Twilio| {
            if let Some(word) = twilio.credentials {
                shared.twilio.revoke(word == "revoked");
            }
            if let Some(status) = twilio.account {
                shared.twilio.set_account(&status);
            }
        }),
        ("POST", "/clear") => {
            shared.log.clear();
            Reply::json(200, "{}")
        }
        _ => Reply::text(404, "GET /recorded[?service=], POST /set, POST /twilio, POST /clear"),
    }
}

fn read<'a, T: Deserialize<'a>>(request: &'a Request, then: impl FnOnce(T)) -> Reply {
    match serde_json::from_str(&request.body) {
        Ok(document) => {
            then(document);
            Reply::json(200, "{}")
        }
        Err(e) => Reply::text(400, &e.to_string()),
    }
}
