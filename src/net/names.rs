//! What a name leads to, by the system's own resolver.
//!
//! However many wait for a name, the resolver is asked once, and none waits longer than
//! [`LOOKUP_TIMEOUT`]; one that hangs holds a thread, so it is asked anew only after a while. While it
//! fails, a name leads where it led when it was last known: an outage of the name servers is no reason
//! to be silent, and TLS says whether it is still the same host.

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
/// A look-up that hangs is given up for a new one after this.
const ASKED_ANEW: Duration = Duration::from_secs(10);
/// What a resolver that hung is given before the last known address is used.
const AFTER_A_HANG: Duration = Duration::from_millis(200);

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
    /// The last look-up had no answer in time.
    hangs: bool,
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
    let (asking, deadline) = under_way(name);
    let error = match timeout_at(deadline, asking).await {
        Ok(Ok(found)) => return Ok(found),
        Ok(Err(why)) => NameError::Failed { name: name.to_owned(), why },
        Err(_) => {
            names().entry(name.to_owned()).or_default().hangs = true;
            NameError::Late(name.to_owned())
        }
    };
    let known = last_known(name, clock::wall()).ok_or(error)?;
    tracing::warn!(name, "the name servers fail; the name is taken to lead where it last did");
    Ok(known)
}

/// The look-up that is under way, or a new one, and how long to wait for it.
fn under_way(name: &str) -> (Asking, Instant) {
    let now = Instant::now();
    let mut names = names();
    if names.len() >= MOST && !names.contains_key(name) {
        names.clear();
    }
    let known = names.entry(name.to_owned()).or_default();
    let recent = |since: &Instant| now < *since + ASKED_ANEW;
    let begun = known.asking.clone().filter(|(asking, since)| asking.peek().is_none() && recent(since));
    let (asking, since) = begun.unwrap_or_else(|| (begin(name), now));
    known.asking = Some((asking.clone(), since));
    let patience = now + AFTER_A_HANG;
    (asking, if known.hangs && known.last.is_some() { patience } else { since + LOOKUP_TIMEOUT })
}

/// On its own, so that what comes too late for us is known to the next.
fn begin(name: &str) -> Asking {
    let name = name.to_owned();
    let task = tokio::spawn(async move {
        let found = ask(&name).await;
        if let Some(known) = names().get_mut(&name) {
            known.hangs = false;
            if let Ok(found) = &found {
                known.last = Some((found.clone(), clock::wall()));
            }
        }
        found
    });
    task.map(|ended| ended.unwrap_or_else(|e| Err(e.to_string()))).boxed().shared()
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
        names().insert("known.invalid".into(), Known { last, ..Known::default() });
        assert_eq!(*addresses("known.invalid").await.unwrap(), [address], "though nobody resolves it");
        assert_eq!(*last_known("known.invalid", now + Span::hours(24)).unwrap(), [address]);
        assert_eq!(last_known("known.invalid", now + Span::hours(25)), None);
        let failed = addresses("unknown.invalid").await.unwrap_err();
        assert!(failed.to_string().contains("unknown.invalid"), "{failed}");
    }

    #[tokio::test(start_paused = true)]
    async fn f28_a_resolver_that_hangs_is_asked_once_and_costs_three_seconds_at_most() {
        let hang = |last| {
            let hanging: Asking = std::future::pending().boxed().shared();
            let known = Known { last, asking: Some((hanging, Instant::now())), hangs: false };
            names().insert("hanging.invalid".into(), known);
            Instant::now()
        };
        let ask_all = async || futures_util::future::join_all((0..100).map(|_| addresses("hanging.invalid"))).await;
        let begun = hang(None);
        assert!(ask_all().await.iter().all(|r| *r == Err(NameError::Late("hanging.invalid".into()))));
        assert_eq!(begun.elapsed(), LOOKUP_TIMEOUT);
        assert!(addresses("hanging.invalid").await.is_err());
        assert_eq!(begun.elapsed(), LOOKUP_TIMEOUT, "who comes later does not wait again");

        let address: SocketAddr = "192.0.2.7:0".parse().unwrap();
        let begun = hang(Some((Addresses::from([address]), clock::wall())));
        assert!(ask_all().await.iter().all(|r| r.as_ref().is_ok_and(|found| **found == [address])));
        assert_eq!(begun.elapsed(), LOOKUP_TIMEOUT);
        let begun = hang(Some((Addresses::from([address]), clock::wall())));
        names().get_mut("hanging.invalid").unwrap().hangs = true;
        assert!(ask_all().await.iter().all(Result::is_ok));
        assert_eq!(begun.elapsed(), AFTER_A_HANG, "nor when it is asked anew");
    }
}
