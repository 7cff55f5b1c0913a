//! A new config is in force, or was refused; the storage is in trouble, or well again.

use super::incident::Opening;
use super::plan::Planned;
use super::policy::policy_about;
use super::reader::Obstacle;
use super::refusal::Answer;
use super::state::Incident;
use super::turn::{Turn, done};
use crate::domain::event::{Erased, EventKind, Gone, Origin, Payload};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use ulid::Ulid;

impl Turn<'_> {
    /// The config is swapped already; open incidents, timers and counters live on.
    pub fn apply_config(&mut self, changed: Vec<String>, kept: bool) -> Answer {
        let heartbeats: Vec<String> =
            changed.iter().filter_map(|entry| entry.strip_prefix("heartbeats.").map(str::to_owned)).collect();
        let (channels, watches) = (self.renewed_channels(&changed), self.renewed_watches(&changed));
        let others = changed.is_empty() && self.state.config.hash != self.config.source.hash;
        self.end_failing(&changed, others);
        let source = &self.config.source;
        let payload = Payload { body: source.masked.clone(), ..Payload::default() };
        self.emit_with(EventKind::ConfigApplied { hash: source.hash.clone(), changed, kept }, payload);
        self.forget_checks();
        self.plan_agenda();
        self.end_orphans();
        self.replan_all();
        self.heartbeats_changed(&heartbeats);
        self.judge_anew(&watches);
        self.forget_hooks();
        self.silence_gone();
        self.reroute_all();
        // What is dead by its old settings may be mended by the new ones.
        channels.iter().for_each(|name| self.channel_renewed(name));
        self.admit_anew();
        if !kept {
            self.end_self_incident("config", "a good config is in force");
        }
        if self.agenda.renewed {
            self.begin_life();
        }
        done()
    }

    /// What is put back later under the same name begins anew.
    fn forget_checks(&mut self) {
        let config = self.config;
        let heartbeats = self.state.heartbeats.keys().filter(|name| !config.heartbeats.contains_key(*name));
        let watches = self.state.watches.keys().filter(|name| !config.watches.contains_key(*name));
        let forgotten: Vec<EventKind> = (heartbeats.cloned().map(|name| EventKind::HeartbeatForgotten(Gone { name })))
            .chain(watches.cloned().map(|name| EventKind::WatchForgotten(Gone { name })))
            .collect();
        forgotten.into_iter().for_each(|event| self.emit(event));
    }

    /// The channels with new settings. After a restart with other files nobody knows which: all.
    fn renewed_channels(&self, changed: &[String]) -> Vec<String> {
        let others = self.state.config.hash != self.config.source.hash;
        let all = self.config.channels.keys();
        all.filter(|name| (changed.is_empty() && others) || changed.contains(&format!("channels.{name}")))
            .cloned()
            .collect()
    }

    fn renewed_watches(&self, changed: &[String]) -> Vec<String> {
        let others = self.state.config.hash != self.config.source.hash;
        let all = self.config.watches.keys();
        all.filter(|name| (changed.is_empty() && others) || changed.contains(&format!("watches.{name}")))
            .cloned()
            .collect()
    }

    /// What sounds by a channel that is gone can be stopped by nobody any more.
    fn silence_gone(&mut self) {
        let gone = self.state.sounding.iter().filter(|(name, _)| !self.config.channels.contains_key(*name));
        let gone: Vec<(String, DeliveryId)> =
            gone.flat_map(|(name, sounds)| sounds.keys().map(|id| (name.clone(), *id))).collect();
        for (channel, delivery) in gone {
            self.silence_sound(&channel, delivery, "the channel was taken out of the config");
        }
    }

    pub fn config_refused(&mut self, hash: String, errors: Vec<String>) {
        let body = errors.join("\n");
        self.emit(EventKind::ConfigRefused { hash, errors });
        let subject = "The new config is refused; the old one stays in force".to_owned();
        self.open(Opening::about_self("config", Level::Normal, subject, body));
    }

    pub fn storage_troubled(&mut self, part: String, words: String, well: bool) {
        let open = self.state.live_incident(&format!("self/storage-{part}")).is_some();
        if well && part == "ledger" && !open {
            return;
        }
        self.emit(EventKind::StorageTroubled { part: part.clone(), words: words.clone(), well });
        let name = format!("storage-{part}");
        if well {
            if part == "journal" {
                self.await_alerts(self.now + self.config.alertmanager.resolve_timeout);
            }
            let because = match part.as_str() {
                "ledger" => words,
                _ => format!("{part} can be written again"),
            };
            return self.end_self_incident(&name, &because);
        }
        let (level, subject) = match part.as_str() {
            // Found at start, and dealt with as far as that can be done.
            "ledger" => {
                let ends = "It ends when 'stentorctl ledger verify' finds nothing.";
                let subject = "stentor's ledger is damaged".to_owned();
                let told = Opening::about_self(&name, Level::Urgent, subject, format!("{words}\n{ends}"));
                self.open(told);
                return;
            }
            // Alarms go on without it, and it is made anew from the journal: nobody is woken.
            "history" => (Level::Normal, "stentor's history cannot be used".to_owned()),
            _ => (Level::Urgent, format!("stentor cannot write its {part}")),
        };
        self.open(Opening::about_self(&name, level, subject, words));
    }

    /// Safe mode: by every way of urgent, and by sound where there is any; else it is over.
    pub fn broken(&mut self, words: Option<String>) {
        let Some(words) = words else {
            return self.end_self_incident("safe-mode", "it started as it should");
        };
        let subject = "stentor is broken and runs in safe mode".to_owned();
        let body = format!("{words}.\nThe history is not opened. Alarms go on; a restart tries the usual start again.");
        let id = self.open(Opening::about_self("safe-mode", Level::Urgent, subject, body));
        let told = |channel: &str| {
            self.state
                .pending_of(id)
                .iter()
                .any(|d| self.state.deliveries.get(d).is_some_and(|d| d.chain.first().is_some_and(|c| c == channel)))
        };
        let sounds = self.config.channels.values().filter(|c| c.sound.is_some() && !told(&c.name));
        let planned: Vec<Planned> = sounds.map(|c| Planned::fixed(&c.name)).collect();
        if !planned.is_empty() && self.state.incidents.get(&id).is_some_and(Incident::is_calling) {
            self.tell(id, Origin::Opening { incident: id }, planned);
        }
    }

    /// Texts are gone from the ledger; what of them is still at hand goes, too.
    pub fn erased(&mut self, from_seq: u64, to_seq: u64, because: String, ids: &[Ulid]) {
        let (notifications, deliveries) = self.state.with_texts(ids);
        let inbound = self.state.inbox.ids_among(ids);
        self.emit(EventKind::Erased(Erased { from_seq, to_seq, because, notifications, deliveries, inbound }));
    }

    /// Told at each start, too, in case that the last one ended before this was recorded.
    pub fn forgotten(&mut self, to_seq: u64, because: String) {
        if to_seq > self.state.forgotten {
            self.emit(EventKind::Forgotten { to_seq, because });
        }
    }

    pub fn end_self_incident(&mut self, name: &str, because: &str) {
        if let Some(id) = self.state.live_incident(&format!("self/{name}")).map(|i| i.id) {
            self.resolve(id, "stentor", because, None);
        }
    }

    /// Incidents of heartbeats, watches and policies that are no more: nobody checks them any longer.
    fn end_orphans(&mut self) {
        let config = self.config;
        let gone = |fingerprint: &str| match fingerprint.split_once('/') {
            Some(("heartbeat" | "certificate", name)) => !config.heartbeats.contains_key(name),
            Some(("watch", name)) => !config.watches.contains_key(name),
            Some(("self", name)) => policy_about(name).is_some_and(|policy| !config.policies.contains_key(policy)),
            _ => false,
        };
        let orphans: Vec<_> = self.state.live_incidents().filter(|i| gone(&i.fingerprint)).map(|i| i.id).collect();
        for id in orphans {
            self.resolve(id, "stentor", "what checked it was taken out of the config", None);
        }
    }

    /// A reload took a channel away: what waited for it takes another way, or ends.
    pub fn channel_gone(&mut self, channel: &str) {
        let waiting: Vec<DeliveryId> = self.state.queue(channel).collect();
        for id in waiting {
            self.pass_over(id, Obstacle::NoChannel);
        }
    }
}
