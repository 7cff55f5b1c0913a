//! The door of time: tokio-cron-scheduler says "look", the engine decides.
//!
//! Each cron heartbeat has one async job whose body sends its name. Lost, late or doubled triggers do no
//! harm: a run is keyed by name and planned time, and two seconds after a lost trigger the engine starts it.
//!
//! The scheduler looks at its jobs twice a second and leaves tasks behind when it is given up. So it runs
//! only while a job is near, on a thread and a runtime of its own, which end with all that is in them; since
//! a job keeps the offset of the day it was added, after a day and at each reload, too.

use crate::config::{Config, Heartbeat};
use crate::domain::clock;
use crate::domain::schedule::{CronIn, Schedule};
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, spread_of};
use crate::runtime::Handle;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::time::Instant;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Activations that may wait in the scheduler's channel; it drops what does not fit.
const CHANNEL: usize = 4_096;
const RENEW: Span = Span::days(1);
/// A run that comes within this time is near.
const NEAR: Span = Span::mins(1);
/// How long its trigger may take.
const TAIL: Span = Span::secs(2);

/// Triggers the heartbeats of the config in force, for ever.
///
/// # Errors
/// When the scheduler cannot be started; the engine's own clock still runs every heartbeat.
pub async fn run(handle: Handle) -> Result<(), String> {
    loop {
        let config = handle.config();
        match until_first(&config) {
            Some(wait) if wait <= NEAR => {
                let handle = handle.clone();
                tokio::task::spawn_blocking(move || on_a_runtime_of_its_own(&handle, &config))
                    .await
                    .map_err(|e| format!("the scheduler: {e}"))??;
            }
            wait => {
                let quiet = wait.map_or(RENEW, |wait| (wait - NEAR).min(RENEW));
                changed_within(&handle, &config, quiet).await;
            }
        }
    }
}

/// Until the next run of any of them.
fn until_first(config: &Config) -> Option<Span> {
    let now = clock::wall();
    let next = |h: &Heartbeat| match h.schedule.as_ref()? {
        Schedule::Cron(cron) => {
            let spread = if cron.exact { Span::ZERO } else { spread_of(&h.name) };
            cron.after(now - spread).map(|next| next + spread)
        }
        Schedule::Every(_) => None,
    };
    config.heartbeats.values().filter_map(next).min().map(|first| first - now)
}

fn on_a_runtime_of_its_own(handle: &Handle, config: &Arc<Config>) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_time().build().map_err(|e| format!("the scheduler: {e}"))?;
    runtime.block_on(while_near(handle, config))
}

/// Triggers until the next run is not near any more, there is another config, or a day is over.
async fn while_near(handle: &Handle, config: &Arc<Config>) -> Result<(), String> {
    let mut scheduler = start(config, handle).await.map_err(|e| format!("the scheduler: {e}"))?;
    let began = Instant::now();
    while let Some(wait) = until_first(config).filter(|wait| *wait <= NEAR) {
        if changed_within(handle, config, wait + TAIL).await || began.elapsed() > RENEW.to_std() {
            break;
        }
    }
    scheduler.shutdown().await.map_err(|e| format!("the scheduler: {e}"))
}

async fn start(config: &Config, handle: &Handle) -> Result<JobScheduler, String> {
    let jobs: Vec<Job> = jobs(config, handle)?;
    let scheduler =
        JobScheduler::new_with_channel_size(CHANNEL.max(jobs.len() * 4)).await.map_err(|e| e.to_string())?;
    for job in jobs {
        scheduler.add(job).await.map_err(|e| e.to_string())?;
    }
    scheduler.start().await.map_err(|e| e.to_string())?;
    Ok(scheduler)
}

fn jobs(config: &Config, handle: &Handle) -> Result<Vec<Job>, String> {
    let crons = config.heartbeats.values().filter_map(|h| match &h.schedule {
        Some(Schedule::Cron(cron)) => Some((h.name.clone(), cron)),
        _ => None,
    });
    crons.map(|(name, cron)| job(name, cron, handle.clone())).collect()
}

fn job(name: String, cron: &CronIn, handle: Handle) -> Result<Job, String> {
    let zone: chrono_tz::Tz = cron.zone().parse().unwrap_or(chrono_tz::UTC);
    // Five fields are spread by the engine; the scheduler wants the second as a sixth.
    let cron = if cron.exact { cron.text.clone() } else { format!("{} {}", spread_of(&name).as_secs(), cron.text) };
    Job::new_async_tz(cron.as_str(), zone, move |_, _| {
        let (name, handle) = (name.clone(), handle.clone());
        Box::pin(async move { handle.tell(Caller::engine(), Ask::Trigger { name }) })
    })
    .map_err(|e| e.to_string())
}

/// Whether there is another config within this time.
async fn changed_within(handle: &Handle, config: &Arc<Config>, longest: Span) -> bool {
    let mut changes = handle.config_changes();
    let changed = async {
        while changes.changed().await.is_ok() {
            if !Arc::ptr_eq(&changes.borrow(), config) {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::time::timeout(longest.to_std(), changed).await.is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::testing::from_toml;

    fn heartbeat(cron: &str) -> Config {
        let channel = "[channels.hook]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"";
        from_toml(&format!("{channel}\n[heartbeats.hook]\nprobe = \"hook\"\ncron = \"{cron}\""))
    }

    #[test]
    fn the_first_run_is_the_nearest_one() {
        assert!(until_first(&heartbeat("* * * * * *")).unwrap() <= Span::secs(1));
        assert!(until_first(&heartbeat("0 0 3 29 2 *")).unwrap() > NEAR);
        assert!(until_first(&from_toml("")).is_none());
    }
}
