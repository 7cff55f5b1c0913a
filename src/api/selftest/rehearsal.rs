//! What the engine would do with a message by one channel, and with a failure of it.

use super::Check;
use crate::config::{ChannelConfig, Config};
use crate::domain::clock;
use crate::domain::delivery::{Format, Medium, Status};
use crate::domain::event::{AttemptResult, Event, EventKind};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::domain::who::Who;
use crate::engine::{
    Ask, AttemptOrder, Caller, Decision, Effect, Engine, Input, LevelWord, OpenRequest, Outcome, SendRequest, State,
};
use std::sync::Arc;

/// Nobody is told there: nothing of a rehearsal leaves.
const NOBODY: &str = "selftest@stentor.invalid";
const NO_NUMBER: &str = "+15550100";
/// Turns until the retry has to have come.
const TURNS: usize = 100;

/// An engine without a past, whose time goes as fast as it is told.
struct Stage {
    engine: Engine,
    now: Timestamp,
    turn: u8,
}

impl Stage {
    fn new(config: &Arc<Config>) -> Stage {
        let mut stage =
            Stage { engine: Engine::new(State::default(), config.clone(), ""), now: clock::wall(), turn: 0 };
        stage.ask(Ask::Started { version: String::new(), boot: String::new(), up: None });
        stage
    }

    fn ask(&mut self, ask: Ask) -> Decision {
        self.turn = self.turn.wrapping_add(1);
        self.now = self.now + Span::millis(1);
        self.engine.handle(Input { now: self.now, seed: [self.turn; 16], by: Caller::engine(), ask })
    }
}

/// The text that it would get, the request that would leave, and what follows on a failure.
pub fn rehearse(config: &Arc<Config>, channel: &ChannelConfig) -> Vec<Check> {
    let to = channel.to.is_empty().then(|| somebody(channel)).flatten().map(|who| vec![who]);
    let channels = Some(vec![channel.name.clone()]);
    let subject = "Nothing is wrong, this is a rehearsal".to_owned();
    let level = Some(LevelWord(Level::High));
    let open = OpenRequest {
        level,
        subject: subject.clone(),
        body: "Nobody is told.".into(),
        policy: Some("none".into()),
        to: to.clone(),
        channels: channels.clone(),
        ..OpenRequest::default()
    };
    let send = SendRequest { level, subject, body: "Nobody is told.".into(), to, channels, ..SendRequest::default() };
    let opened = first(&mut Stage::new(config), Ask::Open(open), channel);
    let mut stage = Stage::new(config);
    let sent = first(&mut stage, Ask::Send(send), channel);
    let texts = opened.and_then(|opened| Ok((opened, sent?)));
    match texts {
        Ok((opened, sent)) => vec![
            Check::of("template", text(channel, &[&opened, &sent])),
            Check::of("request", request(channel, &sent.order)),
            Check::of("retry", retry(&mut stage, channel, &sent.order)),
        ],
        Err(words) => vec![Check::of("template", Err(words))],
    }
}

/// An attempt that would begin, and what was recorded with it.
struct Begun {
    order: AttemptOrder,
    events: Vec<Event>,
}

fn first(stage: &mut Stage, ask: Ask, channel: &ChannelConfig) -> Result<Begun, String> {
    let decision = stage.ask(ask);
    decision.answer.map_err(|refusal| refusal.message)?;
    let order = attempt(decision.effects).filter(|order| order.channel == channel.name);
    let order = order.ok_or("the engine would begin no attempt by it; see who it tells, and its preferences")?;
    Ok(Begun { order, events: decision.events })
}

fn attempt(effects: Vec<Effect>) -> Option<AttemptOrder> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Attempt(order) => Some(order),
        _ => None,
    })
}

fn somebody(channel: &ChannelConfig) -> Option<Who> {
    let who = match channel.medium()? {
        Medium::Mail => NOBODY,
        Medium::Sms | Medium::Voice => NO_NUMBER,
    };
    Who::parse(who).ok()
}

fn text(channel: &ChannelConfig, begun: &[&Begun]) -> Result<String, String> {
    let events = begun.iter().flat_map(|begun| &begun.events);
    let failed = events.filter_map(|event| match &event.head {
        EventKind::TemplateFailed { words, .. } => Some(words.clone()),
        _ => None,
    });
    if let Some(words) = failed.into_iter().next() {
        return Err(format!("the template fails: {words}"));
    }
    let long = begun.iter().map(|begun| begun.order.out.text.text.chars().count()).max().unwrap_or_default();
    match long {
        _ if channel.format() == Format::None => Ok("it has no text".into()),
        0 => Err("its text is empty".into()),
        long => Ok(format!("a message and an incident make at most {long} characters")),
    }
}

/// As simulation shows it.
fn request(channel: &ChannelConfig, order: &AttemptOrder) -> Result<String, String> {
    let words = channel.adapter.describe(&order.out);
    match words.lines().next() {
        None | Some("") => Err("it cannot be told what would be sent".into()),
        Some(first) => Ok(first.to_owned()),
    }
}

fn finished(order: &AttemptOrder, result: AttemptResult) -> Ask {
    Ask::Finished(vec![Outcome { delivery: order.delivery, n: order.n, result }])
}

/// A first attempt that times out, and a second one that works.
fn retry(stage: &mut Stage, channel: &ChannelConfig, order: &AttemptOrder) -> Result<String, String> {
    let failure = Failure::new(FailureClass::Timeout, Blame::Channel, "no answer (rehearsed)");
    let failed = AttemptResult::Failed(failure);
    let began = stage.now;
    let mut decision = stage.ask(finished(order, failed));
    for _ in 0..TURNS {
        if let Some(status) = ended(&decision.events, order.delivery) {
            return Err(format!("after one failure it is given up ({status})"));
        }
        if let Some(next) = attempt(decision.effects).filter(|next| next.delivery == order.delivery) {
            let done = AttemptResult::Sent { provider_id: None, detail: "rehearsed".into() };
            let wait = stage.now - began;
            let last = stage.ask(finished(&next, done));
            let way = if next.channel == channel.name { "again".into() } else { format!("by {}", next.channel) };
            return match ended(&last.events, order.delivery) {
                Some(Status::Sent) => Ok(format!("after a failure {way} within {wait}")),
                _ => Err(format!("the second attempt ({way}) did not end it")),
            };
        }
        let Some(due) = stage.engine.next_due() else { break };
        stage.now = stage.now.max(due);
        decision = stage.ask(Ask::Wake);
    }
    Err("after one failure nothing follows".into())
}

fn ended(events: &[Event], delivery: DeliveryId) -> Option<Status> {
    events.iter().find_map(|event| match &event.head {
        EventKind::DeliveryEnded { id, status, .. } if *id == delivery => Some(*status),
        _ => None,
    })
}
