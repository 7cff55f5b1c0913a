//! What a heartbeat's outcome means: health of its channel, and the incident it opens or ends.

use super::incident::Opening;
use super::labels::type_or;
use super::refusal::{Answer, Code, Refusal};
use super::turn::{Turn, refuse};
use crate::channel::Probed;
use crate::config::{Check, Heartbeat};
use crate::domain::event::{EventKind, HeartbeatFinished, HeartbeatStatus, Payload};
use crate::domain::failure::{Blame, Failure, FailureClass, cut};
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::net::certificate::days_left;

/// With fewer days left a certificate is told of.
const CERTIFICATE_DAYS: i64 = 14;

impl Turn<'_> {
    /// A run has ended.
    pub fn heartbeat_done(&mut self, name: &str, result: Probed) {
        if self.state.heartbeats.get(name).is_none_or(|s| s.running.is_none()) {
            return;
        }
        if let Some(h) = self.config.heartbeats.get(name) {
            self.conclude(h, result);
        }
    }

    pub fn ping(&mut self, name: &str, fail: bool) -> Answer {
        let h = self.heartbeat_named(name)?;
        if !matches!(h.check, Check::Passive { .. }) {
            return refuse(Refusal::new(
                Code::Conflict,
                format!("{name} is not passive; only passive heartbeats are pinged"),
            ));
        }
        self.emit(EventKind::HeartbeatPinged { name: name.into(), ok: !fail });
        let reported = Failure::new(FailureClass::ProviderError, Blame::Message, "it reported a failure itself");
        self.conclude(h, if fail { Err(reported) } else { Ok("pinged".into()) });
        self.pump();
        self.heartbeat_view(name)
    }

    /// Late after its rhythm and grace; once, until the next ping or until somebody ends its incident by hand.
    pub fn late(&mut self, h: &Heartbeat) {
        let Check::Passive { every, grace } = h.check else { return };
        let known = self.state.heartbeats.get(&h.name).is_some_and(|s| s.status == HeartbeatStatus::Late);
        let told = self.state.live_incident(&fingerprint(&h.name)).is_some_and(|i| i.level >= h.incident.level);
        if known && told {
            return;
        }
        self.emit(EventKind::HeartbeatLate { name: h.name.clone() });
        let words = format!("no ping for {}", every + grace);
        let failure = Failure::new(FailureClass::Timeout, Blame::Message, words);
        let failures = self.state.heartbeats.get(&h.name).map_or(1, |s| s.failures_in_row);
        if failures >= h.failures {
            let since = self.quiet_since(&h.name);
            self.open_for(h, None, format!("No ping from {}", h.name), &failure, failures, since);
        }
    }

    /// When a passive one was heard of last; before the first ping: when it became known.
    fn quiet_since(&self, name: &str) -> Timestamp {
        let heard = self.state.heartbeats.get(name).and_then(|s| s.last_ping.max(s.known));
        heard.map_or(self.wall, |t| self.state.wall_time(t))
    }

    fn conclude(&mut self, h: &Heartbeat, result: Probed) {
        let state = self.state.heartbeats.get(&h.name).cloned().unwrap_or_default();
        let failures = if result.is_ok() { 0 } else { state.failures_in_row + 1 };
        let since = if result.is_ok() { None } else { Some(state.failing_since.unwrap_or(self.wall)) };
        let (ok, class, detail) = match &result {
            Ok(words) => (true, None, words.clone()),
            Err(failure) => (false, Some(failure.class), failure.said()),
        };
        self.emit(EventKind::HeartbeatFinished(HeartbeatFinished {
            name: h.name.clone(),
            ok,
            class,
            detail,
            status: if ok { HeartbeatStatus::Ok } else { HeartbeatStatus::Failing },
            failures_in_row: failures,
            failing_since: since,
        }));
        self.plan_passive(h);
        match result {
            Ok(words) => {
                self.passed(h, state.failing_since);
                self.look_at_certificate(h, &words);
            }
            Err(failure) => self.failed(h, &failure, failures, since.unwrap_or(self.wall)),
        }
    }

    fn passed(&mut self, h: &Heartbeat, failing_since: Option<Timestamp>) {
        if let Some(channel) = probed_channel(h) {
            self.channel_answers(channel);
        }
        if let Some(id) = self.state.live_incident(&fingerprint(&h.name)).map(|i| i.id) {
            let down = failing_since.map_or(Span::ZERO, |t| self.wall - t);
            let because = format!("heartbeat {} passes again; it was down for {down}", h.name);
            self.resolve(id, &format!("heartbeat {}", h.name), &because, None);
        }
    }

    /// A certificate that soon ends is told in time, by the heartbeat's ways but at level normal, and
    /// it is over when there is a newer one.
    fn look_at_certificate(&mut self, h: &Heartbeat, words: &str) {
        let (Some(channel), Some(days)) = (probed_channel(h), days_left(words)) else { return };
        let fingerprint = format!("certificate/{}", h.name);
        let open = self.state.live_incident(&fingerprint).map(|i| i.id);
        match open {
            None if days < CERTIFICATE_DAYS => {
                let mut terms = h.incident.clone();
                (terms.level, terms.policy) = (Level::Normal, None);
                terms.kind_of = Some(type_or(&terms.kind_of, &terms.labels, h.check.kind()));
                let subject = format!("The certificate of {channel} ends in {days} days");
                let body = format!("{words}\nFrom then on {channel} fails: renew it at the server.");
                self.open(Opening {
                    fingerprint,
                    source: "heartbeat",
                    name: Some(h.name.clone()),
                    opened_by: format!("heartbeat {}", h.name),
                    payload: Payload { subject, body, ..Payload::default() },
                    terms,
                    about: None,
                    once: false,
                    tenant: None,
                    alert: None,
                });
            }
            Some(id) if days >= CERTIFICATE_DAYS => {
                let because = format!("the certificate of {channel} is good for {days} days");
                self.resolve(id, &format!("heartbeat {}", h.name), &because, None);
            }
            _ => {}
        }
    }

    fn failed(&mut self, h: &Heartbeat, failure: &Failure, failures: u32, since: Timestamp) {
        let channel = probed_channel(h);
        if let Some(channel) = channel {
            let mut died = self.channel_failed(channel, failure);
            if failures >= h.failures {
                died |= self.channel_declared_dead(channel);
            }
            if died {
                self.reconsider_all();
            }
        }
        if failures >= h.failures {
            let subject = self.what_is_broken(h, channel, failure);
            self.open_for(h, channel, subject, failure, failures, since);
        }
    }

    fn what_is_broken(&self, h: &Heartbeat, channel: Option<&str>, failure: &Failure) -> String {
        let Some(provider) = channel.and_then(|c| self.config.channels.get(c)).map(|c| c.kind.provider) else {
            return match &h.check {
                Check::Passive { .. } => format!("{} reports a failure", h.name),
                _ => format!("{}: the message did not get out", h.name),
            };
        };
        let mut letters = provider.chars();
        let name: String = letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect();
        match failure.class {
            FailureClass::AuthError => format!("{name} credentials refused"),
            FailureClass::Timeout => format!("{name} does not answer"),
            _ => format!("{name} fails: {}", cut(&failure.words, 80)),
        }
    }

    fn open_for(
        &mut self,
        h: &Heartbeat,
        channel: Option<&str>,
        subject: String,
        failure: &Failure,
        failures: u32,
        since: Timestamp,
    ) {
        let zone = &self.config.daemon.timezone;
        let at = since.zoned(zone).strftime("%H:%M");
        let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
        let body = format!("Heartbeat {} failed {times}, since {at}.\nThe last answer: {}", h.name, failure.said());
        let annotations = [("since".to_owned(), since.rfc3339(zone))].into();
        let mut terms = h.incident.clone();
        terms.kind_of = Some(type_or(&terms.kind_of, &terms.labels, h.check.kind()));
        self.open(Opening {
            fingerprint: fingerprint(&h.name),
            source: "heartbeat",
            name: Some(h.name.clone()),
            opened_by: format!("heartbeat {}", h.name),
            payload: Payload { subject, body, annotations, ..Payload::default() },
            terms,
            about: channel.map(str::to_owned),
            once: false,
            tenant: None,
            alert: None,
        });
    }
}

fn probed_channel(h: &Heartbeat) -> Option<&str> {
    match &h.check {
        Check::Probe { channel, .. } => Some(channel),
        _ => None,
    }
}

pub(crate) fn fingerprint(name: &str) -> String {
    format!("heartbeat/{name}")
}
