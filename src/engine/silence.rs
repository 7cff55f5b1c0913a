//! Silences: what matches is recorded and told to nobody, until they end.

use super::particulars;
use super::refusal::{Answer, Code, Refusal};
use super::state::Incident;
use super::state::Silence;
use super::turn::{Turn, refuse};
use crate::domain::Labels;
use crate::domain::delivery::{SILENCED, Status};
use crate::domain::event::{EventKind, Origin, SilenceAdded};
use crate::domain::id::{DeliveryId, IncidentId, SHORTEST_ENDING};
use crate::domain::matcher::Matcher;
use crate::domain::time::Span;

impl Turn<'_> {
    pub fn add_silence(
        &mut self,
        matchers: Vec<Matcher>,
        span: Span,
        comment: String,
        author: Option<String>,
    ) -> Answer {
        if matchers.is_empty() {
            return refuse(Refusal::field("matchers", "a silence needs at least one matcher, as name=value"));
        }
        if matchers.iter().all(|m| m.matches(&Labels::new())) {
            return refuse(Refusal::field("matchers", "these matchers fit everything; name at least one label"));
        }
        if comment.trim().is_empty() {
            return refuse(Refusal::field("comment", "a silence needs a comment: why, and who knows more"));
        }
        if span < Span::secs(1) || span > Span::days(366) {
            return refuse(Refusal::field("for", "a silence takes between 1s and 366d"));
        }
        let author = particulars::named("author", author)?;
        let id = self.ids.uuid();
        let created_by = author.unwrap_or_else(|| self.by.name.clone());
        let (starts, ends) = (self.now, self.now + span);
        let added = SilenceAdded { id: id.clone(), matchers, starts, ends, comment, created_by };
        self.emit(EventKind::SilenceAdded(added));
        self.silence_begins(&id);
        self.pump();
        self.silence_view(&id)
    }

    pub fn expire_silence(&mut self, id: &str) -> Answer {
        let ending = id.to_ascii_lowercase();
        let fits = |id: &String| ending.len() >= SHORTEST_ENDING && id.ends_with(&ending);
        let fitting = self.state.silences.iter().filter(|(id, s)| !s.expired && fits(id)).map(|(id, _)| id.clone());
        let Some(id) = super::incident::unambiguous(id, fitting)? else {
            let message = format!("there is no active silence {id:?}");
            return refuse(Refusal { field: Some("id".into()), ..Refusal::new(Code::NotFound, message) });
        };
        let by = self.by.name.clone();
        self.silence_ends(&id, &by);
        self.pump();
        self.silence_view(&id)
    }

    /// Its start or its end has come.
    pub fn silence_due(&mut self, id: &str) {
        let Some(s) = self.state.silences.get(id) else { return };
        if s.ends <= self.now {
            self.silence_ends(id, "time");
        } else if !s.begun {
            self.silence_begins(id);
        }
    }

    fn silence_begins(&mut self, id: &str) {
        self.emit(EventKind::SilenceBegan { id: id.to_owned() });
        let open: Vec<IncidentId> = self
            .state
            .live_incidents()
            .filter(|i| {
                i.silenced_by.is_none() && self.state.silences.get(id).is_some_and(|s| fits(&s.matchers, &i.labels))
            })
            .map(|i| i.id)
            .collect();
        for incident in open {
            self.emit(EventKind::IncidentSilenced { id: incident, silence: id.to_owned() });
            self.stop_calling(incident, SILENCED);
        }
        self.silence_one_shots(id);
    }

    fn silence_ends(&mut self, id: &str, by: &str) {
        self.emit(EventKind::SilenceExpired { id: id.to_owned(), by: by.to_owned() });
        let held: Vec<IncidentId> =
            self.state.live_incidents().filter(|i| i.silenced_by.as_deref() == Some(id)).map(|i| i.id).collect();
        for incident in held {
            self.let_speak(incident, "the silence is over");
        }
    }

    /// No longer held by its silence: by another one, or it starts again.
    fn let_speak(&mut self, id: IncidentId, because: &str) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        if let Some(silence) = self.silence_for(&i.labels) {
            return self.emit(EventKind::IncidentSilenced { id, silence });
        }
        let (base, next) = (self.now, self.next_anew(id));
        self.emit(EventKind::IncidentUnsilenced { id, because: because.to_owned(), base, next });
        if self.state.incidents.get(&id).is_some_and(Incident::is_calling) {
            self.begin(id, because);
        }
    }

    /// Its labels are others now: what held it may fit no more, and another may fit.
    pub fn silence_anew(&mut self, id: IncidentId) {
        let Some(i) = self.state.incidents.get(&id) else { return };
        let holding = i.silenced_by.as_deref().and_then(|s| self.state.silences.get(s));
        match (holding, self.silence_for(&i.labels)) {
            (Some(s), _) if s.is_active(self.now) && fits(&s.matchers, &i.labels) => {}
            (_, Some(silence)) => {
                self.emit(EventKind::IncidentSilenced { id, silence });
                self.stop_calling(id, SILENCED);
            }
            (Some(_), None) => {
                let (base, next) = (self.now, self.next_anew(id));
                let because = "the silence does not fit it any more".to_owned();
                self.emit(EventKind::IncidentUnsilenced { id, because, base, next });
            }
            (None, None) => {}
        }
    }

    /// The silence that holds something with these labels back now.
    pub fn silence_for(&self, labels: &Labels) -> Option<String> {
        self.silences_of(labels).max_by_key(|s| s.ends).map(|s| s.id.clone())
    }

    /// All that hold it back; it speaks again when the last of them ends.
    pub fn silences_of<'t>(&'t self, labels: &'t Labels) -> impl Iterator<Item = &'t Silence> {
        self.state.silences.values().filter(|s| s.is_active(self.now) && fits(&s.matchers, labels))
    }

    /// A one-shot that fits and waits is held back, and what sounds for one is silent from now on. What is for later
    /// is looked at when its time has come.
    fn silence_one_shots(&mut self, id: &str) {
        for delivery in self.waiting_one_shots() {
            let unwanted = self.state.deliveries.get(&delivery).and_then(|d| self.unwanted(d));
            if let Some((status, reason)) = unwanted {
                self.end_delivery(delivery, status, &reason);
            }
        }
        let Some(silence) = self.state.silences.get(id) else { return };
        let held = |d: &DeliveryId| {
            let n = self.state.deliveries.get(d).and_then(|d| self.state.notifications.get(&d.notification));
            n.is_some_and(|n| n.origin != Origin::Test && fits(&silence.matchers, &n.labels))
        };
        let sounds = self.state.sounding.iter().flat_map(|(channel, s)| s.iter().map(move |(d, s)| (channel, d, s)));
        let held: Vec<(String, DeliveryId)> = sounds
            .filter(|(_, d, s)| s.incident.is_none() && held(d))
            .map(|(channel, d, _)| (channel.clone(), *d))
            .collect();
        for (channel, delivery) in held {
            self.silence_sound(&channel, delivery, SILENCED);
        }
    }

    fn waiting_one_shots(&self) -> Vec<DeliveryId> {
        let waits = |status: Status| matches!(status, Status::Ready | Status::Backoff | Status::Waiting);
        let pending = self.state.index.pending.iter().filter_map(|id| self.state.deliveries.get(id));
        pending.filter(|d| d.incident.is_none() && waits(d.status)).map(|d| d.id).collect()
    }
}

fn fits(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|m| m.matches(labels))
}
