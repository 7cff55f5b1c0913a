//! Texts of the config that go out as an SMS.

use crate::config::model::Check;
use crate::config::rules::spot::Judge;
use crate::domain::delivery::{Format, Medium};
use crate::domain::level::Level;
use crate::message::sample::Sample;
use crate::message::{render, segments};

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
    let sample = Sample {
        from: judge.config.daemon.name.clone(),
        subject: "x".into(),
        body: String::new(),
        zone: judge.config.daemon.timezone.clone(),
        ..Sample::of("notification", Level::Low)
    };
    let text = render(Format::Sms, &sample.context()).text;
    text.strip_suffix('x').unwrap_or_default().to_owned()
}
