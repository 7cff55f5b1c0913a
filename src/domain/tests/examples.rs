//! One example of every event, and of every shape that an event can have inside.

mod deliveries;
mod incidents;

use crate::domain::Labels;
use crate::domain::delivery::{ChannelStatus, Medium, Status};
use crate::domain::event::{
    AlertReported, AlertsAwaited, Attachment, AttemptResult, Breaker, BudgetPassed, Carriage, Carried, ChannelChanged,
    Counted, DeliveryReported, Erased, Event, EventKind as K, Gone, HeartbeatFinished, HeartbeatStatus, HookFailing,
    HookMoved, Idempotency, InboundReceived, Instead, Later, Next, NextWhat, Origin, Payload, Place, Price, Priced,
    Rendered, Request, Said, SilenceAdded, Started, Unheard, WatchStatus,
};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::{DeliveryId, InboundId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::matcher::Matcher;
use crate::domain::money::{Amount, Money};
use crate::domain::time::{EngineTime, Span, Timestamp};
use crate::domain::who::Who;
use std::collections::BTreeMap;
use ulid::Ulid;

const T: i64 = 1_795_138_023_120_000;

fn incident() -> IncidentId {
    IncidentId(Ulid::from_parts(1_795_138_023_120, 1))
}
fn notification() -> NotificationId {
    NotificationId(Ulid::from_parts(1_795_138_023_120, 2))
}
fn delivery() -> DeliveryId {
    DeliveryId(Ulid::from_parts(1_795_138_023_120, 3))
}
fn s(text: &str) -> String {
    text.to_owned()
}
fn labels() -> Labels {
    [("level", "urgent"), ("name", "twilio"), ("source", "heartbeat")].map(|(k, v)| (s(k), s(v))).into()
}
fn next(what: NextWhat) -> Option<Next> {
    Some(Next { due: EngineTime(T + 300_000_000), what })
}
fn words() -> Payload {
    Payload {
        subject: s("Twilio credentials refused"),
        body: s("401 Authenticate\nžádné spojení 🔥"),
        annotations: [(s("runbook"), s("https://wiki.example.org/twilio"))].into(),
        ..Payload::default()
    }
}
fn address(address: &str) -> Payload {
    Payload { address: Some(s(address)), ..Payload::default() }
}
fn failure() -> Failure {
    Failure::new(FailureClass::RateLimited, Blame::Channel, "Too Many Requests")
        .code(20429)
        .retry_after(Some(Span::secs(30)))
        .unknown()
}

/// Every origin; adding one without a line here does not compile.
pub fn origins() -> Vec<Origin> {
    let all = vec![
        Origin::OneShot,
        Origin::Test,
        Origin::Fomo,
        Origin::Opening { incident: incident() },
        Origin::Step { incident: incident(), round: 1, step: 2 },
        Origin::Reminder { incident: incident() },
        Origin::Acknowledged { incident: incident() },
        Origin::Resolved { incident: incident() },
    ];
    for origin in &all {
        match origin {
            Origin::OneShot | Origin::Test | Origin::Fomo | Origin::Opening { .. } | Origin::Step { .. } => {}
            Origin::Reminder { .. } | Origin::Acknowledged { .. } | Origin::Resolved { .. } => {}
        }
    }
    all
}

/// Every way an attempt can end.
pub fn results() -> Vec<AttemptResult> {
    let all = vec![
        AttemptResult::Delivered { provider_id: None, detail: s("204") },
        AttemptResult::Sent { provider_id: Some(s("<1@example.org>")), detail: s("250 queued") },
        AttemptResult::Submitted { provider_id: Some(s("SM1")), detail: s("queued") },
        AttemptResult::Simulated { detail: s("POST /Messages.json") },
        AttemptResult::Failed(failure()),
        AttemptResult::Failed(Failure::new(FailureClass::ValidationError, Blame::Message, "no such number")),
        AttemptResult::Lost { words: s("the daemon was killed") },
        AttemptResult::Sent { provider_id: Some(s("40385f64")), detail: s("Telnyx says queued") }
            .priced(Some(Price { money: Money { amount: Amount(4_000), currency: s("USD") }, segments: Some(1) })),
    ];
    for result in &all {
        match result {
            AttemptResult::Delivered { .. } | AttemptResult::Sent { .. } | AttemptResult::Submitted { .. } => {}
            AttemptResult::Simulated { .. } | AttemptResult::Failed(_) | AttemptResult::Lost { .. } => {}
            AttemptResult::Priced { .. } => {}
        }
    }
    all
}

/// Everything an incident can do next.
pub fn nexts() -> Vec<NextWhat> {
    let all = vec![NextWhat::Step { round: 0, step: 1 }, NextWhat::Opening, NextWhat::Reminder, NextWhat::Restart];
    for what in &all {
        match what {
            NextWhat::Step { .. } | NextWhat::Opening | NextWhat::Reminder | NextWhat::Restart => {}
        }
    }
    all
}

/// At least one event of every kind.
pub fn events() -> Vec<Event> {
    let mut all = daemon();
    all.extend(notifications());
    all.extend(deliveries::deliveries());
    all.extend(incidents::incidents());
    all.extend(checks());
    all
}

fn daemon() -> Vec<Event> {
    vec![
        K::Started(Started { version: s("0.1.0"), boot: s("0f3c"), up: None }).bare(),
        K::Unrecorded.bare(),
        K::Started(Started { version: s("0.1.0"), boot: s("0f3c"), up: Some(Span::mins(3)) }).bare(),
        K::Stopping { why: s("SIGTERM") }.bare(),
        K::ConfigApplied { hash: s("ab12"), changed: vec![s("channels.sms")], kept: true }
            .with(Payload { body: s("[daemon]\nname = \"prague-1\"\n"), ..Payload::default() }),
        K::ConfigRefused { hash: s("ab12"), errors: vec![s("stentor.toml:3:1: unknown key")] }.bare(),
        K::ClockStepped { by: Span::secs(-3_600) }.bare(),
        K::MetricsSeen { values: [(s("deal.spacex-n.remaining"), 400_000.1), (s("load"), -0.25)].into() }.bare(),
        K::AuthDenied { role: s("viewer"), action: s("POST /incidents/417/acknowledge") }.bare(),
        K::RequestRefused { code: s("NOBODY"), message: s("nobody to send to"), field: Some(s("to")) }.bare(),
        K::StorageTroubled { part: s("journal"), words: s("No space left on device"), well: false }.bare(),
        K::Erased(Erased {
            from_seq: 1,
            to_seq: 99,
            because: s("retention of 90d"),
            notifications: vec![NotificationId(Ulid(1))],
            deliveries: vec![DeliveryId(Ulid(2))],
            inbound: vec![InboundId(Ulid(3))],
        })
        .bare(),
        K::Forgotten { to_seq: 1_000, because: s("retention of 10y") }.bare(),
        K::Checkpoint { seq: 1_000, hash: s("c0ffee") }.bare(),
    ]
}

fn notifications() -> Vec<Event> {
    origins()
        .into_iter()
        .map(|origin| {
            K::NotificationAccepted {
                id: notification(),
                origin,
                level: Level::Urgent,
                kind_of: s("probe"),
                labels: labels().into(),
                correlation_id: Some(s("deploy-7")),
                request: Request::of(
                    Some(s("req-9")),
                    Some(s("billing")),
                    Some(Later { channels: Some(vec![s("mail")]), to: Some(vec![Who::Schedule(s("primary"))]) }),
                ),
                tenant: Some(s("acme")),
                initiator: s("alice"),
                idempotency: Some(Idempotency { caller: s("uid 1000"), key: s("k1"), content: s("ab12") }),
                expires: EngineTime(T + 86_400_000_000),
                not_before: Some(EngineTime(T + 1)),
                heartbeat: Some(s("weekly-proof")),
                silenced_by: Some(s("5e1e9ce0-0000-4000-8000-000000000000")),
                template: Some(s("outage")),
            }
            .with(Payload {
                vars: [("host", "db1")].into(),
                metadata: [(s("campaign"), s("autumn"))].into(),
                ..words()
            })
        })
        .chain([with_files()])
        .collect()
}

/// What its text and its files are too long for stands elsewhere.
fn with_files() -> Event {
    let blob = |bytes, letter: &str| Place { seq: 0, bytes, blob: Some(letter.repeat(64)) };
    let file = Attachment { name: s("report.pdf"), mime: s("application/pdf"), place: blob(120_417, "a") };
    K::NotificationAccepted {
        id: notification(),
        origin: Origin::OneShot,
        level: Level::Low,
        kind_of: s("message"),
        labels: labels().into(),
        correlation_id: None,
        request: None,
        tenant: None,
        initiator: s("alice"),
        idempotency: None,
        expires: EngineTime(T + 86_400_000_000),
        not_before: None,
        heartbeat: None,
        silenced_by: None,
        template: None,
    }
    .with(Payload { attachments: vec![file], more: Some(blob(31_200, "b")), ..words() })
}

fn checks() -> Vec<Event> {
    vec![
        K::HeartbeatKnown { name: s("backup-job"), at: EngineTime(T) }.bare(),
        K::HeartbeatStarted { name: s("twilio"), scheduled_at: Timestamp(T) }.bare(),
        K::HeartbeatFinished(HeartbeatFinished {
            name: s("twilio"),
            ok: false,
            class: Some(FailureClass::AuthError),
            detail: s("401 Authenticate"),
            status: HeartbeatStatus::Failing,
            failures_in_row: 2,
            failing_since: Some(Timestamp(T - 1)),
        })
        .bare(),
        K::HeartbeatPinged { name: s("backup-job"), ok: true }.bare(),
        K::HeartbeatLate { name: s("backup-job") }.bare(),
        K::HeartbeatForgotten(Gone { name: s("backup-job") }).bare(),
        K::WatchForgotten(Gone { name: s("spacex-capacity") }).bare(),
        K::MetricForgotten(Gone { name: s("deal.spacex-n.remaining") }).bare(),
        K::WatchChanged {
            name: s("spacex-capacity"),
            status: WatchStatus::Breached,
            value: Some(0.1),
            detail: s("low"),
        }
        .bare(),
        K::WatchChanged { name: s("spacex-capacity"), status: WatchStatus::NoData, value: None, detail: s("silent") }
            .bare(),
        K::SoundStarted {
            channel: s("siren"),
            delivery: delivery(),
            incident: Some(incident()),
            until: EngineTime(T + 900_000_000),
        }
        .bare(),
        K::SoundStopped { channel: s("siren"), delivery: delivery(), because: s("acknowledged by bob") }.bare(),
    ]
}

/// The fields that a first event of the kind had no choice but to have; all else has a default.
pub fn bare_minimum() -> BTreeMap<&'static str, &'static str> {
    [
        ("started", r#"{"version":"0.1.0"}"#),
        ("hook_moved", r#"{"hook":"billing","seq":417}"#),
        ("erased", r#"{"from_seq":1,"to_seq":99,"because":"retention of 90d"}"#),
        ("config_applied", r#"{"hash":"ab12","changed":[]}"#),
        ("request_refused", r#"{"code":"NOBODY","message":"nobody"}"#),
        (
            "notification_accepted",
            r#"{"id":"01KMG7QZFG0000000000000002","origin":"one_shot","level":"low","type":"message","labels":{},"expires":5}"#,
        ),
        (
            "delivery_created",
            r#"{"id":"01KMG7QZFG0000000000000003","notification":"01KMG7QZFG0000000000000002","chain":["mail"],"status":"ready"}"#,
        ),
        ("attempt_started", r#"{"delivery":"01KMG7QZFG0000000000000003","n":1,"channel":"mail"}"#),
        (
            "attempt_finished",
            r#"{"delivery":"01KMG7QZFG0000000000000003","n":1,"channel":"mail","outcome":"failed","class":"TIMEOUT","blame":"channel","words":"no answer"}"#,
        ),
        (
            "delivery_moved",
            r#"{"id":"01KMG7QZFG0000000000000003","status":"ready","at":0,"because":"the pause is over"}"#,
        ),
        ("delivery_ended", r#"{"id":"01KMG7QZFG0000000000000003","status":"sent"}"#),
        (
            "delivery_priced",
            r#"{"id":"01KMG7QZFG0000000000000003","cost":"0.0075","currency":"USD","segments":1}"#,
        ),
        ("delivery_counted", r#"{"id":"01KMG7QZFG0000000000000003","channel":"sms"}"#),
        ("delivery_reported", r#"{"id":"01KMG7QZFG0000000000000003","provider_id":"SM1","status":"sent"}"#),
        ("inbound_received", r#"{"channel":"sms","provider_id":"SM2"}"#),
        ("channel_changed", r#"{"channel":"mail","status":"ok","detail":"","breaker":"closed","failures":0}"#),
        (
            "incident_opened",
            r#"{"id":"01KMG7QZFG0000000000000001","number":1,"fingerprint":"x","level":"low","type":"message","labels":{},"opened_by":"alice","base":5}"#,
        ),
        ("alert_reported", r#"{"id":"01KMG7QZFG0000000000000001","starts_at":1,"ends_at":5,"due":5}"#),
        ("incident_raised", r#"{"id":"01KMG7QZFG0000000000000001","level":"high","base":5}"#),
        ("incident_stepped", r#"{"id":"01KMG7QZFG0000000000000001","round":0,"step":0,"because":"due"}"#),
        ("incident_reminded", r#"{"id":"01KMG7QZFG0000000000000001"}"#),
        ("incident_replanned", r#"{"id":"01KMG7QZFG0000000000000001","rounds":5}"#),
        ("incident_acknowledged", r#"{"id":"01KMG7QZFG0000000000000001","by":"bob","via":"command"}"#),
        ("incident_unacknowledged", r#"{"id":"01KMG7QZFG0000000000000001","by":"bob","because":"asked","base":5}"#),
        ("incident_unsilenced", r#"{"id":"01KMG7QZFG0000000000000001","because":"ended","base":5}"#),
        ("incident_resolved", r#"{"id":"01KMG7QZFG0000000000000001","by":"bob","because":"asked"}"#),
        (
            "heartbeat_finished",
            r#"{"name":"twilio","ok":true,"detail":"","status":"ok","failures_in_row":0}"#,
        ),
        ("watch_changed", r#"{"name":"load","status":"ok","detail":""}"#),
        ("sound_started", r#"{"channel":"siren","delivery":"01KMG7QZFG0000000000000003","until":5}"#),
    ]
    .into()
}
