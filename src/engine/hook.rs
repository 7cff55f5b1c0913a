//! Receivers of events: how far each has come. One that takes nothing for long is an incident, which goes
//! out by channels as every other.

use super::incident::Opening;
use super::turn::Turn;
use crate::domain::event::{EventKind, HookMoved};
use crate::domain::level::Level;
use serde_json::{Value, json};

impl Turn<'_> {
    /// What the carrier of its events says.
    pub fn hook_moved(&mut self, moved: HookMoved) {
        // Taken out of the config while it was on its way.
        if !self.config.hooks.contains_key(&moved.hook) {
            return;
        }
        let (name, failing) = (moved.hook.clone(), moved.failing.clone());
        self.emit(EventKind::HookMoved(moved));
        match failing {
            None => self.hook_over(&name, "it takes events again"),
            Some(failing) if failing.long && self.state.live_incident(&fingerprint(&name)).is_none() => {
                let subject = format!("The receiver {name} takes no events");
                let since = failing.since.rfc3339(&self.config.daemon.timezone);
                let body = format!(
                    "Since {since}. The last answer: {}\nNothing is lost: it gets all of it later.",
                    failing.words
                );
                self.open(Opening::about_self(&format!("hook-{name}"), Level::Normal, subject, body));
            }
            Some(_) => {}
        }
    }

    /// Of what was taken out of the config nothing is remembered.
    pub fn forget_hooks(&mut self) {
        let gone: Vec<String> =
            self.state.hooks.keys().filter(|name| !self.config.hooks.contains_key(*name)).cloned().collect();
        for hook in gone {
            self.hook_over(&hook, "it was taken out of the config");
            self.emit(EventKind::HookMoved(HookMoved { hook, gone: true, ..HookMoved::default() }));
        }
    }

    fn hook_over(&mut self, name: &str, because: &str) {
        if let Some(id) = self.state.live_incident(&fingerprint(name)).map(|i| i.id) {
            self.resolve(id, "stentor", because, None);
        }
    }

    /// All of the config. One that has not begun has no `seq`.
    pub(crate) fn hooks(&self) -> Value {
        let row = |name: &String| {
            let known = self.state.hooks.get(name);
            let failing = known.and_then(|k| k.failing.as_ref());
            let status = match (known, failing) {
                (None, _) => "unknown",
                (_, None) => "ok",
                _ => "failing",
            };
            json!({
                "name": name,
                "status": status,
                "detail": failing.map(|f| &f.words),
                "since": failing.map(|f| f.since.rfc3339(&self.config.daemon.timezone)),
                "seq": known.map(|k| k.seq),
                "refused": known.map_or(0, |k| k.refused),
            })
        };
        self.config.hooks.keys().map(row).collect()
    }
}

fn fingerprint(name: &str) -> String {
    format!("self/hook-{name}")
}
