//! What a name leads to, by the system's own resolver.
//!
//! A resolver that hangs is asked once for each name, however many wait, and none waits longer than
//! [`LOOKUP_TIMEOUT`]. While it fails, a name leads where it led when it was last known: an outage of
//! the name servers is no reason to be silent, and TLS says whether it is still the same host.

use crate::domain::clock;
use crate::domain::time::{Span, Timestamp};
use crate::net::LOOKUP_TIMEOUT;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// For so long an address is good enough when nobody tells a newer one.
const LAST_KNOWN: Span = Span::days(1);
/// Names come from the config; beyond this many the memory of them begins anew.
const MOST: usize = 1_024;
/// Who joins a look-up that has long been under way gives it at least this.
const JOINING: Duration = Duration::from_millis(200);

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name server does not answer, and {0} was never looked up before")]
    Late(String),
    #[error("{name} cannot be looked up: {why}")]
    Failed { name: String, why: String },
    #[error("the name leads to no address, or only to link-local and metadata addresses")]
    Refused,
}

type Addresses = Arc<[SocketAddr]>;
type Asking = Shared<BoxFuture<'static, Result<Addresses, String>>>;

#[derive(Default)]
struct Known {
    last: Option<(Addresses, Timestamp)>,
    asking: Option<(Asking, Instant)>,
}

static NAMES: LazyLock<Mutex<HashMap<String, Known>>> = LazyLock::new(Mutex::default);

fn names() -> MutexGuard<'static, HashMap<String, Known>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The addresses of a name, with port 0.
///
/// # Errors
/// There is none in time, and none from before.
pub async fn addresses(name: &str) -> Result<Addresses, NameError> {
    let (asking, since) = under_way(name);
    let deadline = (since + LOOKUP_TIMEOUT).max(Instant::now() + JOINING);
    let error = match timeout_at(deadline, asking).await {
        Ok(Ok(found)) => return Ok(found),
        Ok(Err(why)) => NameError::Failed { name: name.to_owned(), why },
        Err(_) => NameError::Late(name.to_owned()),
    };
    let known = last_known(name, clock::wall()).ok_or(error)?;
    tracing::warn!(name, "the name servers fail; the name is taken to lead where it last did");
    Ok(known)
}

/// The look-up that is under way, or a new one, and since when.
fn under_way(name: &str) -> (Asking, Instant) {
    let mut names = names();
    if names.len() >= MOST && !names.contains_key(name) {
        names.clear();
    }
    let known = names.entry(name.to_owned()).or_default();
    if let Some((asking, since)) = known.asking.as_ref().filter(|(asking, _)| asking.peek().is_none()) {
        return (asking.clone(), *since);
    }
    // On its own, so that what comes too late for us is known to the next.
    let owned = name.to_owned();
    let task = tokio::spawn(async move {
        let found = ask(&owned).await;
        if let (Ok(found), Some(known)) = (&found, self::names().get_mut(&owned)) {
            known.last = Some((found.clone(), clock::wall()));
        }
        found
    });
    let asking = task.map(|ended| ended.unwrap_or_else(|e| Err(e.to_string()))).boxed().shared();
    let since = Instant::now();
    known.asking = Some((asking.clone(), since));
    (asking, since)
}

async fn ask(name: &str) -> Result<Addresses, String> {
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|e| e.to_string())?;
    Ok(found.collect())
}

fn last_known(name: &str, now: Timestamp) -> Option<Addresses> {
    let names = names();
    let (addresses, at) = names.get(name)?.last.as_ref()?;
    (now - *at <= LAST_KNOWN).then(|| addresses.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn f28_a_name_is_known_for_a_day() {
        let now = clock::wall();
        let address: SocketAddr = "192.0.2.7:0".parse().unwrap();
        let last = Some((Addresses::from([address]), now));
        names().insert("known.invalid".into(), Known { last, asking: None });
        assert_eq!(*addresses("known.invalid").await.unwrap(), [address], "though nobody resolves it");
        assert_eq!(*last_known("known.invalid", now + Span::hours(24)).unwrap(), [address]);
        assert_eq!(last_known("known.invalid", now + Span::hours(25)), None);
        let failed = addresses("unknown.invalid").await.unwrap_err();
        assert!(failed.to_string().contains("unknown.invalid"), "{failed}");
    }

    #[tokio::test(start_paused = true)]
    async fn f28_a_resolver_that_hangs_is_asked_once_and_costs_three_seconds_at_most() {
        let hanging: Asking = std::future::pending().boxed().shared();
        let known = Known { last: None, asking: Some((hanging, Instant::now())) };
        names().insert("hanging.invalid".into(), known);
        let begun = Instant::now();
        let all = futures_util::future::join_all((0..100).map(|_| addresses("hanging.invalid"))).await;
        assert!(all.iter().all(|r| *r == Err(NameError::Late("hanging.invalid".into()))), "{all:?}");
        assert_eq!(begun.elapsed(), LOOKUP_TIMEOUT);
        assert!(addresses("hanging.invalid").await.is_err());
        assert_eq!(begun.elapsed(), LOOKUP_TIMEOUT + JOINING, "who comes later does not pay again");
    }
}
