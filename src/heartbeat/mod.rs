//! The door of time: tokio-cron-scheduler says "look", the engine decides.
//!
//! One task owns the scheduler and adds jobs one at a time; each cron heartbeat has one async job
//! whose body sends its name. Lost, late or doubled triggers do no harm: a run is keyed by name
//! and planned time, and two seconds after a lost trigger the engine starts it. Since a job keeps
//! the offset of the day it was added, all are added anew once a day and at each reload.

use crate::config::Config;
use crate::domain::schedule::{CronIn, Schedule};
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, spread_of};
use crate::runtime::Handle;
use std::sync::Arc;
use tokio_cron_scheduler::{Job, JobScheduler};

/// Activations that may wait in the scheduler's channel; it drops what does not fit.
const CHANNEL: usize = 4_096;
const RENEW: Span = Span::days(1);

/// Triggers the heartbeats of the config in force, for ever.
///
/// # Errors
/// When the scheduler cannot be started; the engine's own clock still runs every heartbeat.
pub async fn run(handle: Handle) -> Result<(), String> {
    loop {
        let config = handle.config();
        let mut scheduler = start(&config, &handle).await.map_err(|e| format!("the scheduler: {e}"))?;
        wait_for_change(&handle, &config).await;
        scheduler.shutdown().await.map_err(|e| format!("the scheduler: {e}"))?;
    }
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

async fn wait_for_change(handle: &Handle, config: &Arc<Config>) {
    let mut changes = handle.config_changes();
    let changed = async {
        while changes.changed().await.is_ok() {
            if !Arc::ptr_eq(&changes.borrow(), config) {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    // Either way all jobs are made anew.
    let _ = tokio::time::timeout(RENEW.to_std(), changed).await;
}
