//! Heartbeats, watches, channels and silences as documents.

use crate::config::{ChannelConfig, Check, Heartbeat, Rule, Watch};
use crate::domain::event::HeartbeatStatus;
use crate::domain::time::Timestamp;
use crate::engine::refusal::{Answer, Code, Refusal};
use crate::engine::state::HeartbeatState;
use crate::engine::turn::Turn;
use serde_json::{Value, json};

impl Turn<'_> {
    pub(crate) fn heartbeats(&self) -> Vec<Value> {
        self.config.heartbeats.values().map(|h| self.heartbeat(h)).collect()
    }

    fn heartbeat(&self, h: &Heartbeat) -> Value {
        let fresh = Default::default();
        let s = self.state.heartbeats.get(&h.name).unwrap_or(&fresh);
        let probe = match &h.check {
            Check::Probe { channel, .. } => Some(channel),
            _ => None,
        };
        let planned = self.agenda.heartbeats.get(&h.name).map(|next| self.time(next.at));
        let late = self.agenda.passive.get(&h.name).map(|t| self.due(*t));
        json!({
            "name": h.name,
            "kind": h.check.kind(),
            "probe": probe,
            "cron": h.cron,
            "every": h.every.map(|e| e.to_string()),
            "status": s.status,
            "last_run_at": self.time_or_null(s.last_run_at),
            "last_ok_at": self.time_or_null(s.last_ok_at),
            "failures_in_row": s.failures_in_row,
            "failing_since": self.time_or_null(s.failing_since),
            "detail": self.heartbeat_detail(s),
            "running": s.running.is_some(),
            "next_run_at": planned.or(late),
        })
    }

    /// The last outcome's words; of one that is late the outcome before says nothing any more.
    fn heartbeat_detail(&self, s: &HeartbeatState) -> String {
        match (s.status, s.last_ping.or(s.known)) {
            (HeartbeatStatus::Late, Some(heard)) => {
                let at = self.state.wall_time(heard).zoned(&self.config.daemon.timezone);
                let what = if s.last_ping.is_some() { "the last ping was" } else { "never pinged since" };
                format!("{what} {}", at.strftime("%F %H:%M"))
            }
            _ => s.detail.clone(),
        }
    }

    pub(crate) fn heartbeat_view(&self, name: &str) -> Answer {
        self.config
            .heartbeats
            .get(name)
            .map(|h| self.heartbeat(h))
            .ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no heartbeat {name:?}")))
    }

    pub(crate) fn watches(&self, fomo: bool) -> Vec<Value> {
        let capacity = |w: &&Watch| !fomo || matches!(w.rule, Rule::Capacity { .. });
        self.config.watches.values().filter(capacity).map(|w| self.watch(w)).collect()
    }

    fn watch(&self, w: &Watch) -> Value {
        let fresh = Default::default();
        let s = self.state.watches.get(&w.name).unwrap_or(&fresh);
        let threshold = match &w.rule {
            Rule::Capacity { below, .. } | Rule::Below { below, .. } => *below,
            Rule::Above { above, .. } | Rule::FailureRate { above, .. } => *above,
            Rule::QueueOverflow { above } => *above as f64,
            Rule::LowProcessingRate { below } => *below as f64,
        };
        let metric = w.rule.metric().and_then(|m| self.metric(m));
        let measured = self.measured(&w.rule);
        let seen = metric.map(|m| (m.value, m.at)).or_else(|| measured.as_ref().map(|m| (m.value, self.wall)));
        let deal = match &w.rule {
            Rule::Capacity { deal, .. } => Some(deal),
            _ => None,
        };
        json!({
            "name": w.name,
            "kind": w.rule.kind(),
            "metric": w.rule.metric(),
            "value": seen.map(|(value, _)| value).or(s.value),
            "value_at": self.time_or_null(seen.map(|(_, at)| at).or(s.since)),
            "threshold": threshold,
            "status": s.status,
            "since": self.time_or_null(s.since),
            "detail": measured.map_or_else(|| s.detail.clone(), |m| m.detail),
            "deal": deal,
            "tiers": w.tiers,
        })
    }

    pub(crate) fn channels(&self) -> Vec<Value> {
        self.config.channels.values().map(|c| self.channel(c)).collect()
    }

    fn channel(&self, c: &ChannelConfig) -> Value {
        let s = self.state.channel(&c.name);
        json!({
            "name": c.name,
            "kind": c.kind.name,
            "sort": c.sort().as_str(),
            "status": s.status,
            "detail": s.detail,
            "since": self.time_or_null(Some(s.since).filter(|t| t.0 != 0)),
            "last_proof_at": self.time_or_null(s.last_proof_at.max(self.last_probe(&c.name))),
            "in_flight": self.state.in_flight(&c.name),
            "pending": self.state.pending_on(&c.name),
            "waiting": self.state.waiting_on(&c.name),
            "fallback": c.fallback,
            "simulate": c.simulate,
        })
    }

    /// When a probe of this channel passed last.
    fn last_probe(&self, channel: &str) -> Option<Timestamp> {
        let probes = |h: &&Heartbeat| matches!(&h.check, Check::Probe { channel: probed, .. } if probed == channel);
        let passed = |h: &Heartbeat| self.state.heartbeats.get(&h.name).and_then(|s| s.last_ok_at);
        self.config.heartbeats.values().filter(probes).filter_map(passed).max()
    }

    pub(crate) fn silences(&self) -> Vec<Value> {
        let mut ids: Vec<&String> = self.state.silences.keys().collect();
        ids.sort_by_key(|id| self.state.silences.get(*id).map(|s| std::cmp::Reverse(s.starts)));
        ids.into_iter().take(super::ROWS).filter_map(|id| self.silence_view(id).ok()).collect()
    }

    pub(crate) fn silence_view(&self, id: &str) -> Answer {
        let s = self.state.silences.get(id).ok_or_else(|| super::gone("silence"))?;
        let matchers: Vec<String> = s.matchers.iter().map(ToString::to_string).collect();
        Ok(json!({
            "id": s.id,
            "matchers": matchers,
            "starts_at": self.due(s.starts),
            "ends_at": self.due(s.ends),
            "created_by": s.created_by,
            "comment": s.comment,
            "status": s.status(self.now),
            "held": s.held,
        }))
    }
}
