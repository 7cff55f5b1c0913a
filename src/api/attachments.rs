//! Attachments by their links, for whoever has one. Nothing is shown by a browser: it is saved.

use super::Api;
use super::fault::Fault;
use super::history::Link;
use super::params::Params;
use crate::engine::{Code, Refusal};
use crate::message::attachment::media_type;
use crate::net::percent;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub async fn fetch(
    State(api): State<Arc<Api>>,
    Path((id, name)): Path<(String, String)>,
    mut params: Params,
) -> Result<Response, Fault> {
    let expires = params.read("e", |text| text.parse::<i64>().map_err(|_| "this is no time".to_owned()))?;
    let signature = params.take("s")?;
    params.done()?;
    let (Some(expires), Some(signature)) = (expires, signature) else {
        return Err(Fault::new(StatusCode::NOT_FOUND, Code::NotFound, "this link is not whole"));
    };
    let busy = || Refusal::new(Code::Overloaded, "others are fetching attachments").retry_after(2);
    let place = api.laden.clone().try_acquire_owned().map_err(|_| busy())?;
    let bytes = api.history.attachment(Link { id, name: name.clone(), expires, signature }).await?;
    drop(place);
    Ok((headers(&name, media_type(&bytes)), bytes).into_response())
}

fn headers(name: &str, media_type: &str) -> [(HeaderName, String); 6] {
    [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", percent::encoded(name))),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (CACHE_CONTROL, "private, no-store".to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
    ]
}
