//! The dead man's switch elsewhere: a URL that is fetched while engine and journal move.

use super::progress::Progress;
use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::net::{self, Client, Endpoint, Method, Reach};
use crate::runtime::Handle;

/// Fetches for ever; what cannot be fetched is logged and tried again at the next beat.
pub async fn run(handle: Handle) -> Result<(), String> {
    let mut progress = Progress::of(handle.clone());
    loop {
        let wanted = handle.config().deadman.clone();
        let every = wanted.as_ref().map_or(Span::secs(30), |d| d.every);
        let moved = progress.after(every).await;
        let Some(deadman) = wanted.filter(|d| !d.url.is_empty()) else { continue };
        let stuck = match () {
            () if progress.emergency() => Some("nothing can be made durable"),
            () if progress.unheard() => Some("nobody can be told of something urgent"),
            () => moved.err(),
        };
        if let Some(reason) = stuck {
            tracing::error!(reason, "the dead man's switch is not fetched");
            continue;
        }
        if let Err(words) = fetch(&deadman.url).await {
            tracing::warn!(reason = %words, "the dead man's switch could not be fetched");
        }
    }
}

async fn fetch(url: &Secret) -> Result<(), String> {
    let reach = Reach { plain: true, link_local: false };
    let endpoint = Endpoint::parse(url.reveal(), reach)?;
    let client = Client::new(net::REQUEST_TIMEOUT, None, reach);
    let answer = client.send(Method::GET, &endpoint, |request| request).await.map_err(|f| f.to_string())?;
    if answer.status < 300 { Ok(()) } else { Err(format!("it answered {}", answer.status)) }
}
