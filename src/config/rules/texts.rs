//! Texts of the config that go out as an SMS.

use crate::config::model::Check;
use crate::config::rules::spot::Judge;
use crate::domain::Labels;
use crate::domain::delivery::{Format, Medium};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::message::{Context, render, segments};

/// A text of several segments costs several times as much.
pub fn check(judge: &Judge<'_>) {
    let config = judge.config;
    for (name, heartbeat) in &config.heartbeats {
        let Check::Notification { channels, subject, body, .. } = &heartbeat.check else { continue };
        // The message itself is low.
        let of_level = config.levels.get(&Level::Low).map(|level| &level.channels);
        let channels = channels.as_ref().or(of_level).into_iter().flatten();
        let medium = |name: &String| config.channels.get(name).and_then(|c| c.medium());
        let Some(channel) = channels.into_iter().find(|name| medium(name) == Some(Medium::Sms)) else { continue };
        let text = format!("{}{subject} {body}", lead(judge));
        let size = segments::size(text.trim());
        if size.segments > 1 {
            judge.warning(
                &["heartbeats", name, "send", "subject"],
                format!("as an SMS ({channel}) it takes {} segments, and costs as much", size.segments),
                "write subject and body in fewer letters, and only such as every phone has",
            );
        }
    }
}

/// What stands before the subject in each such SMS: the level and who says it.
fn lead(judge: &Judge<'_>) -> String {
    let none = Labels::new();
    let context = Context {
        enclosures: Default::default(),
        from: &judge.config.daemon.name,
        kind: "notification",
        level: Level::Low,
        kind_of: "notification",
        subject: "x",
        body: "",
        labels: &none,
        annotations: &none,
        incident: None,
        id: String::new(),
        delivery: String::new(),
        at: Timestamp::default(),
        zone: judge.config.daemon.timezone.clone(),
        link: None,
        reply: None,
        keys: false,
        possibly_duplicate: false,
    };
    let text = render(Format::Sms, None, &context).text;
    text.strip_suffix('x').unwrap_or_default().to_owned()
}
