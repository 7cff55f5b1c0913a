//! Where the daemon is sought: its socket, or a URL with a token.

use crate::ctl::global::Global;
use crate::ctl::trouble::Trouble;
use crate::domain::secret::Secret;
use crate::net::{Client, Endpoint, Reach, RequestBuilder, Wire};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Whoever types a URL may go there.
const ANYWHERE: Reach = Reach { plain: true, link_local: true };
/// How long a connection may take; less where the net's own deadline is shorter.
const TO_CONNECT: Duration = Duration::from_secs(30);

/// A place to ask, as the global flags name it.
pub enum Place {
    /// Its URL only fills HTTP's need for a host.
    Socket {
        path: PathBuf,
        url: Endpoint,
    },
    Net {
        url: Endpoint,
        token: Option<Secret>,
        client: Client,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Socket { path, .. } => write!(f, "stentord at {}", path.display()),
            // Not the whole URL: somebody may have written a secret into it.
            Place::Net { url, .. } => write!(f, "stentord at {}", url.place()),
        }
    }
}

impl Place {
    /// # Errors
    /// A URL that is none, a token file that cannot be read.
    pub fn of(global: &Global) -> Result<Place, Trouble> {
        let parse = |text: &str| {
            Endpoint::parse(text, ANYWHERE)
                .map_err(|why| Trouble::Usage(format!("--url needs a URL such as https://alarm.example.org: {why}")))
        };
        let Some(url) = &global.url else {
            return Ok(Place::Socket { path: global.socket(), url: parse("http://localhost")? });
        };
        let url = parse(url)?;
        let token = global.token_file.as_deref().map(read_token).transpose()?;
        Ok(Place::Net { url, token, client: Client::new(TO_CONNECT, None, ANYWHERE) })
    }

    /// A connection to ask over.
    ///
    /// # Errors
    /// Nobody is there, or it is not ours to use.
    pub async fn connect(&self) -> Result<Box<dyn Wire>, Trouble> {
        match self {
            Place::Socket { path, .. } => match UnixStream::connect(path).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(self.unreached(&error)),
            },
            Place::Net { url, client, .. } => client.open(url).await.map_err(|failure| {
                let words = failure.words.trim_start_matches("cannot connect: ");
                Trouble::Unreachable(format!("cannot reach {self}: {words}"))
            }),
        }
    }

    /// The URL of a path under `/api/v1/`. The parts are names and ids that were checked when the
    /// arguments were read: not empty, not dots.
    pub fn url(&self, path: &[String]) -> Endpoint {
        let (Place::Socket { url, .. } | Place::Net { url, .. }) = self;
        let parts: Vec<&str> = ["api", "v1"].into_iter().chain(path.iter().map(String::as_str)).collect();
        url.join(&parts)
    }

    pub fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Place::Net { token: Some(token), .. } => request.bearer_auth(token.reveal()),
            _ => request,
        }
    }

    /// Why the socket could not be used, and what to do about it.
    fn unreached(&self, error: &io::Error) -> Trouble {
        match (self, error.kind()) {
            (Place::Socket { path, .. }, io::ErrorKind::PermissionDenied) => Trouble::NotPermitted(format!(
                "you may not use the socket {}; [access] in stentor.toml names who may",
                path.display()
            )),
            _ => Trouble::Unreachable(format!(
                "cannot reach {self}: {error}; is it running? (systemctl status stentord; another socket: --socket)"
            )),
        }
    }

    pub fn late(&self) -> Trouble {
        Trouble::Unreachable(format!("{self} did not answer in time; whether it took the request is not known"))
    }

    pub fn broke_off(&self, error: &(dyn Error + 'static)) -> Trouble {
        Trouble::Unreachable(format!("{self} broke the connection off: {}", innermost(error)))
    }

    /// The same after a request that changes something.
    pub fn perhaps_taken(&self, error: &(dyn Error + 'static)) -> Trouble {
        Trouble::Unreachable(format!(
            "{self} broke the connection off: {}; whether it took the request is not known",
            innermost(error)
        ))
    }
}

/// The words that say what happened.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&e| e.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

fn read_token(file: &Path) -> Result<Secret, Trouble> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Trouble::Usage(format!("cannot read the token file {}: {e}", file.display())))?;
    match text.trim() {
        "" => Err(Trouble::Usage(format!("the token file {} is empty", file.display()))),
        token => Ok(Secret::new(token)),
    }
}
