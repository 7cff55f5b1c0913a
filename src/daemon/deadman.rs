//! The dead man's switch elsewhere: a URL that is fetched while engine and journal move.

use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::engine::{Ask, Caller};
use crate::net::{self, Client, Endpoint, Method, Reach};
use crate::runtime::Handle;
use std::sync::atomic::Ordering;

/// Fetches for ever; what cannot be fetched is logged and tried again at the next beat.
pub async fn run(handle: Handle) -> Result<(), String> {
    let mut turns = 0;
    loop {
        let wanted = handle.config().deadman.clone();
        let every = wanted.as_ref().map_or(Span::secs(30), |d| d.every);
        // An idle loop is woken, so that it can show that it goes round.
        handle.tell(Caller::engine(), Ask::Wake);
        tokio::time::sleep(every.to_std()).await;
        let Some(deadman) = wanted.filter(|d| !d.url.is_empty()) else { continue };
        let progress = handle.progress();
        let now = progress.turns.load(Ordering::Relaxed);
        let stuck = now == turns || progress.emergency.load(Ordering::Relaxed);
        turns = now;
        if stuck {
            tracing::error!("engine or journal does not move: the dead man's switch is not fetched");
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
