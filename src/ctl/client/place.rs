//! Where the daemon is sought: its socket, or a URL with a token.

use crate::ctl::global::Global;
use crate::ctl::trouble::Trouble;
use crate::domain::secret::Secret;
use reqwest::{RequestBuilder, Url};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A place to ask, as the global flags name it.
pub enum Place {
    /// Its URL only fills HTTP's need for a host.
    Socket {
        path: PathBuf,
        url: Url,
    },
    Net {
        url: Url,
        token: Option<Secret>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Socket { path, .. } => write!(f, "stentord at {}", path.display()),
            // Not the whole URL: somebody may have written a password into it.
            Place::Net { url, .. } => write!(f, "stentord at {}", url.origin().ascii_serialization()),
        }
    }
}

impl Place {
    /// # Errors
    /// A URL that is none, a token file that cannot be read.
    pub fn of(global: &Global) -> Result<Place, Trouble> {
        let parse = |text: &str| {
            Url::parse(text)
                .ok()
                .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
                .ok_or_else(|| Trouble::Usage("--url needs a URL such as https://alarm.example.org".into()))
        };
        let Some(url) = &global.url else {
            return Ok(Place::Socket { path: global.socket(), url: parse("http://localhost")? });
        };
        let url = parse(url)?;
        let token = global.token_file.as_deref().map(read_token).transpose()?;
        Ok(Place::Net { url, token })
    }

    /// A client for this place.
    ///
    /// # Errors
    /// The machine's certificates cannot be read (`https` only).
    pub fn client(&self) -> Result<reqwest::Client, Trouble> {
        // A second call finds the first one's provider, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let builder = match self {
            // No roots: nothing on this way is TLS, and reading them would take longer than the call.
            Place::Socket { path, .. } => builder.unix_socket(path.as_path()).tls_certs_only([]),
            Place::Net { .. } => builder,
        };
        builder.build().map_err(|e| Trouble::Failed(format!("cannot make an HTTP client: {}", root_cause(&e))))
    }

    /// The URL of a path under `/api/v1/`. The parts are names and ids that were checked when the
    /// arguments were read: not empty, not dots.
    pub fn url(&self, path: &[String]) -> Url {
        let (Place::Socket { url, .. } | Place::Net { url, .. }) = self;
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Only URLs without a host refuse this.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    pub fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Place::Net { token: Some(token), .. } => request.bearer_auth(token.reveal()),
            _ => request,
        }
    }

    /// Why nothing came back, and what to do about it.
    pub fn explain(&self, error: &reqwest::Error) -> Trouble {
        let cause = root_cause(error);
        if error.is_timeout() {
            return Trouble::Unreachable(format!(
                "{self} did not answer in time; whether it took the request is not known"
            ));
        }
        if !error.is_connect() {
            return Trouble::Unreachable(format!("{self} broke the connection off: {cause}"));
        }
        match (self, io_kind(error)) {
            (Place::Socket { path, .. }, Some(io::ErrorKind::PermissionDenied)) => Trouble::NotPermitted(format!(
                "you may not use the socket {}; [access] in stentor.toml names who may",
                path.display()
            )),
            (Place::Socket { .. }, _) => Trouble::Unreachable(format!(
                "cannot reach {self}: {cause}; is it running? (systemctl status stentord; another socket: --socket)"
            )),
            (Place::Net { .. }, _) => Trouble::Unreachable(format!("cannot reach {self}: {cause}")),
        }
    }
}

fn read_token(file: &Path) -> Result<Secret, Trouble> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Trouble::Usage(format!("cannot read the token file {}: {e}", file.display())))?;
    match text.trim() {
        "" => Err(Trouble::Usage(format!("the token file {} is empty", file.display()))),
        token => Ok(Secret::new(token)),
    }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&e| e.source())
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    chain(error).filter_map(|e| e.downcast_ref::<io::Error>()).last().map(io::Error::kind)
}

/// The innermost words; the outer ones only repeat the URL.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
