//! Short-lived tokens in place of a password, got by a refresh token (RFC 6749, 6).

use crate::channel::http::{self, Way};
use crate::channel::smtp::rotated;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// A token is not used in the last minute of its life.
const MARGIN: Duration = Duration::from_secs(60);
/// Of a token whose life the answer does not tell.
const LIFE: Duration = Duration::from_secs(600);

/// Where a provider's tokens are.
pub(super) struct Source {
    /// Unless the setting `token_url` says otherwise.
    pub url: String,
    /// Empty: what the refresh token was made for.
    pub scope: &'static str,
    /// Applications without a secret exist there.
    pub secret_optional: bool,
}

/// Gets tokens and keeps the last one while it lives.
#[derive(Debug)]
pub(super) struct Tokens {
    url: Endpoint,
    client_id: String,
    client_secret: Option<Secret>,
    scope: &'static str,
    /// The one to use next: a provider may give a new one with each token.
    refresh: Mutex<Secret>,
    /// Where that one is kept, and whether it was looked for there.
    place: OnceLock<PathBuf>,
    looked: OnceCell<()>,
    current: Mutex<Option<(Secret, Instant)>>,
    way: Way,
}

/// A token, and whether it is one from before, which may have been revoked since.
pub(super) struct Token {
    pub token: Secret,
    pub kept: bool,
}

impl Tokens {
    pub fn read(table: &mut Table<'_>, provider: &Source, mut way: Way) -> Option<Tokens> {
        let url = if table.has("token_url") {
            table.parsed("token_url", |text| Endpoint::parse(text, way.reach))
        } else {
            Endpoint::parse(&provider.url, way.reach).ok()
        };
        let client_id = table.require_text("client_id", "${OAUTH_CLIENT_ID}");
        let unreadable = |table: &Table<'_>, secret: &Option<Secret>| secret.is_none() && table.has("client_secret");
        let client_secret = match provider.secret_optional {
            true => table.secret("client_secret"),
            false => table.require_secret("client_secret", "${OAUTH_CLIENT_SECRET}"),
        };
        let refresh = table.require_secret("refresh_token", "${OAUTH_REFRESH_TOKEN}");
        if unreadable(table, &client_secret) || (client_secret.is_none() && !provider.secret_optional) {
            return None;
        }
        let refresh = refresh?;
        let client_secret = client_secret.filter(|secret| !secret.is_empty());
        way.hide([refresh.reveal()]);
        way.hide(client_secret.as_ref().map(Secret::reveal));
        let (refresh, current) = (Mutex::new(refresh), Mutex::default());
        let (place, looked) = (OnceLock::new(), OnceCell::new());
        let (url, client_id, scope) = (url?, client_id?, provider.scope);
        Some(Tokens { url, client_id, client_secret, scope, refresh, place, looked, current, way })
    }

    /// A token that comes in place of the one in the config is kept in this folder; a second call
    /// changes nothing.
    pub fn keep_in(&self, folder: &Path) {
        let _ = self.place.set(rotated::place(folder, &self.client_id, &self.newest()));
    }

    fn newest(&self) -> Secret {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The kept one while it lives, else a new one.
    pub async fn token(&self) -> Result<Token, Failure> {
        let kept = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept.filter(|(_, until)| *until > Instant::now()) {
            Some((token, _)) => Ok(Token { token, kept: true }),
            None => Ok(Token { token: self.renew().await?, kept: false }),
        }
    }

    /// A new one, whatever is kept.
    pub async fn renew(&self) -> Result<Secret, Failure> {
        self.looked.get_or_init(|| self.look()).await;
        let refresh = self.newest();
        let mut form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", self.client_id.clone()),
            ("refresh_token", refresh.reveal().to_owned()),
        ];
        form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.reveal().to_owned())));
        form.extend((!self.scope.is_empty()).then(|| ("scope", self.scope.to_owned())));
        let sent = self.way.send_secretly(Method::POST, &self.url, |r| r.form(&form)).await;
        let mut answer = sent.map_err(in_front)?;
        // As it came: a provider may give back the refresh token that it was sent.
        if let Some(token) = self.given(&answer) {
            return Ok(token);
        }
        self.way.clean(&mut answer);
        let mut failure = refused(&answer);
        // One that came later is none of the secrets that the way knows.
        failure.words = failure.words.replace(refresh.reveal(), "[secret]");
        Err(in_front(failure))
    }

    /// Whether one from before the last start is kept.
    async fn look(&self) {
        let Some(place) = self.place.get().cloned() else { return };
        if let Ok(Some(kept)) = tokio::task::spawn_blocking(move || rotated::read(&place)).await {
            *self.refresh.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        }
    }

    /// It is the one to use from now on, also after a restart.
    fn rotate(&self, next: Secret) {
        let mut refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        if refresh.reveal() == next.reveal() {
            return;
        }
        *refresh = next.clone();
        let Some(place) = self.place.get().cloned() else { return };
        // Nothing waits for the disk.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = rotated::write(&place, &next) {
                let file = place.display();
                tracing::warn!(%error, %file, "a refresh token that came anew cannot be kept; it is lost at the next start");
            }
        });
    }

    /// `{"access_token", "expires_in", "refresh_token"?}`: kept, and handed out.
    fn given(&self, answer: &Answer) -> Option<Secret> {
        let document = answer.json().filter(|document| answer.is_success() && document["error"].is_null())?;
        let token = Secret::new(document["access_token"].as_str()?);
        let life = document["expires_in"].as_u64().map_or(LIFE, Duration::from_secs);
        let until = Instant::now() + life.saturating_sub(MARGIN);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((token.clone(), until));
        if let Some(next) = document["refresh_token"].as_str().filter(|next| !next.is_empty()) {
            self.rotate(Secret::new(next));
        }
        Some(token)
    }
}

/// `{"error", "error_description"}`, or something else.
fn refused(answer: &Answer) -> Failure {
    let document = answer.json().unwrap_or_default();
    let Some(error) = document["error"].as_str() else {
        return match answer.is_success() {
            true => http::not_theirs(answer, "OAuth"),
            false => http::by_status(answer, answer.words()),
        };
    };
    let words = document["error_description"].as_str().unwrap_or(error);
    match error {
        "temporarily_unavailable" | "server_error" => http::by_status(answer, words),
        _ if answer.status == 429 || answer.status >= 500 => http::by_status(answer, words),
        _ => without(words.to_owned()).code(error),
    }
}

/// Nothing was sent yet, whatever became of the request for a token.
fn in_front(failure: Failure) -> Failure {
    let mut failure = http::harmless(failure);
    failure.words = format!("no token: {}", failure.words);
    failure
}

fn without(words: String) -> Failure {
    Failure::new(FailureClass::AuthError, Blame::Account, words)
}
