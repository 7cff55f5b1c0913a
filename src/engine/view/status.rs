//! `status`: the whole picture. What the engine cannot know (ledger, readiness) the door adds.

use crate::domain::delivery::ChannelStatus;
use crate::domain::level::Level;
use crate::engine::state::{Incident, IncidentStatus};
use crate::engine::turn::Turn;
use serde_json::{Value, json};

impl Turn<'_> {
    pub(crate) fn status_view(&self) -> Value {
        let (failing, mut reasons) = self.failing();
        let degraded = self.degraded();
        let state = match (failing, degraded.is_empty()) {
            (true, _) => "failing",
            (false, false) => "degraded",
            (false, true) => "ok",
        };
        reasons.extend(degraded);
        let live: Vec<&Incident> = self.state.live_incidents().collect();
        let count = |status| live.iter().filter(|i| i.status == status).count();
        let config = &self.state.config;
        let last_error = config.refused_at.map(|at| json!({ "at": self.time(at), "errors": config.errors }));
        json!({
            "state": state,
            "reasons": reasons,
            "name": self.config.daemon.name,
            "version": self.version,
            "at": self.time(self.wall),
            "timezone": self.config.daemon.timezone.iana_name(),
            "uptime_seconds": (self.wall - self.agenda.started_at).as_secs().max(0),
            "emergency": self.agenda.emergency,
            "config": {
                "path": self.config.source.path,
                "hash": self.config.source.hash,
                "loaded_at": self.time_or_null(config.loaded_at),
                "kept": config.kept,
                "last_error": last_error,
            },
            "channels": self.channels(),
            "hooks": self.hooks(),
            "heartbeats": self.heartbeats(),
            "watches": self.watches(false),
            "incidents": { "open": count(IncidentStatus::Open), "acknowledged": count(IncidentStatus::Acknowledged) },
            "open_incidents": live.iter().take(20).map(|i| self.incident(i)).collect::<Vec<_>>(),
            "queue": self.queue_view(),
        })
    }

    pub(crate) fn queue_view(&self) -> Value {
        let oldest = self.state.oldest_pending().map(|d| (self.wall - d.created_at).as_secs().max(0));
        json!({
            "pending": self.state.pending(),
            "waiting": self.state.waiting(),
            "oldest_seconds": oldest,
            "dead": self.state.dead_count(),
        })
    }

    /// Emergency mode, an unacknowledged incident at high or urgent, a level with no way alive.
    fn failing(&self) -> (bool, Vec<String>) {
        let mut reasons = Vec::new();
        if self.agenda.emergency {
            reasons.push("emergency mode: the journal cannot be made durable".to_owned());
        }
        if !self.state.unheard.is_empty() {
            reasons.push("nobody can be told of something urgent: every way fails".to_owned());
        }
        for i in self.state.live_incidents() {
            if i.status == IncidentStatus::Open && i.level >= Level::High {
                reasons.push(format!("#{} {} is not acknowledged", i.number, i.level));
            }
        }
        for (level, config) in &self.config.levels {
            let alive = |c: &String| self.chain(c).iter().any(|c| !self.state.channel(c).is_dead());
            if !config.channels.is_empty() && !config.channels.iter().any(alive) {
                reasons.push(format!("level {level} has no way alive"));
            }
        }
        (!reasons.is_empty(), reasons)
    }

    /// Any other open incident, a dead channel, a dead letter, a refused or kept config.
    fn degraded(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for i in self.state.live_incidents() {
            if i.status == IncidentStatus::Acknowledged || i.level < Level::High {
                reasons.push(format!("#{} is {}", i.number, i.status.as_str()));
            }
        }
        for name in self.config.channels.keys() {
            if self.state.channel(name).status == ChannelStatus::Dead {
                reasons.push(format!("channel {name} is dead"));
            }
        }
        match self.state.dead_count() {
            0 => {}
            1 => reasons.push("1 dead letter".into()),
            n => reasons.push(format!("{n} dead letters")),
        }
        if self.state.config.refused_at.is_some() {
            reasons.push("the config on disk is refused".into());
        }
        if self.state.config.kept {
            reasons.push("the last good config is in force, not the file".into());
        }
        reasons
    }
}
