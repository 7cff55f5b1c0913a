//! A workflow of Teams that takes adaptive cards. The address must come byte for byte as it was
//! copied, signature and all.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

/// As an operator copies it: with characters that a URL library likes to tidy up.
pub const TARGET: &str = "/workflows/standInFlowOfTeams17/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=standIn-Signature_OfTheFlow17";

/// Bytes of a request.
const LONGEST: usize = 28 * 1024;

pub fn answer(_shared: &Shared, request: &Request) -> Reply {
    let (path, _) = TARGET.split_once('?').unwrap();
    if request.path != path {
        return error(404, "WorkflowNotFound", "The workflow could not be found.");
    }
    if request.target != TARGET {
        return error(401, "DirectApiAuthorizationRequired", "The request must be authenticated by its signature.");
    }
    if request.method != "POST" || !request.header("content-type").starts_with("application/json") {
        return error(400, "TriggerInputSchemaMismatch", "The input body is not JSON.");
    }
    if request.body.len() > LONGEST {
        return error(413, "RequestEntityTooLarge", "The request is larger than 28 KB.");
    }
    let Ok(message) = serde_json::from_str::<Value>(&request.body) else {
        return error(400, "InvalidRequestContent", "The request content is not valid and could not be deserialized.");
    };
    if is_card(&message) {
        Reply::text(202, "")
    } else {
        error(400, "TriggerInputSchemaMismatch", "The input body does not match the schema of the trigger.")
    }
}

fn is_card(message: &Value) -> bool {
    let attachments = message["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [attachment] = attachments else { return false };
    let card = &attachment["content"];
    let body = card["body"].as_array().map(Vec::as_slice).unwrap_or_default();
    message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && matches!(card["version"].as_str(), Some("1.2" | "1.3" | "1.4" | "1.5"))
        && !body.is_empty()
        && body.iter().all(is_element)
}

fn is_element(element: &Value) -> bool {
    let text = |value: &Value| value.as_str().is_some_and(|t| !t.is_empty());
    match element["type"].as_str() {
        Some("TextBlock") => text(&element["text"]) && element["wrap"] == true,
        Some("FactSet") => {
            element["facts"].as_array().is_some_and(|f| f.iter().all(|f| text(&f["title"]) && text(&f["value"])))
        }
        _ => false,
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({ "error": { "code": code, "message": message } }))
}

/// What a flow says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        200 => Reply::text(200, ""),
        400 => error(400, "TriggerInputSchemaMismatch", "The input body does not match the schema of the trigger."),
        401 => error(401, "DirectApiAuthorizationRequired", "The request must be authenticated by its signature."),
        404 => error(404, "WorkflowTriggerIsNotEnabled", "The trigger 'manual' of the workflow is not enabled."),
        429 => error(429, "WorkflowTriggerThrottled", "The trigger 'manual' has exceeded its rate."),
        _ => error(status, "InternalServerError", "The server encountered an internal error."),
    }
}
