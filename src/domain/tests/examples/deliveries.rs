//! Of deliveries, their attempts, and what is counted and said of them.

use super::*;

pub(super) fn deliveries() -> Vec<Event> {
    let estimate = Priced {
        id: delivery(),
        cost: Amount(7_500),
        currency: s("USD"),
        segments: 1,
        n: 0,
        channel: String::new(),
        provider: String::new(),
        tenant: None,
        day: String::new(),
        reported: false,
        instead: None,
    };
    let mut all = vec![
        K::DeliveryCreated {
            id: delivery(),
            notification: notification(),
            incident: Some(incident()),
            chain: vec![s("sms"), s("sms-telnyx"), s("sms-gateway")],
            start: 1,
            medium: Some(Medium::Sms),
            who: Some(s("alice")),
            on_call: true,
            forced: true,
            rank: 2,
            status: Status::Skipped,
            reason: Some(s("quiet-hours until 07:00")),
        }
        .with(Payload {
            others: [(Medium::Mail, s("alice@example.org")), (Medium::Voice, s("+15550100"))].into(),
            ..address("+15550100")
        }),
        K::AttemptStarted {
            delivery: delivery(),
            n: 2,
            channel: s("sms"),
            medium: Some(Medium::Sms),
            format: Some(s("sms")),
            possibly_duplicate: true,
            thread: None,
            nonce: Some(s("9f86d081884c7d65")),
            files: Some(Carriage { how: Carried::Linked, too_large_for: Some(20) }),
        }
        .with(Payload {
            text: Some(Rendered {
                is_object: false,
                subject: s("[URGENT #417] x"),
                text: s("URGENT #417 prague-1: x"),
                html: s("<p>x</p>"),
            }),
            ..Payload::default()
        }),
        K::AttemptStarted {
            delivery: delivery(),
            n: 1,
            channel: s("ops-slack"),
            medium: None,
            format: None,
            possibly_duplicate: false,
            thread: Some(s("C00000017/1503435956.000247")),
            nonce: None,
            files: None,
        }
        .bare(),
        K::DeliveryMoved {
            id: delivery(),
            status: Status::Backoff,
            at: 1,
            until: Some(EngineTime(T + 5)),
            lap: 1,
            because: s("RATE_LIMITED"),
        }
        .bare(),
        K::DeliveryRerouted { id: delivery(), chain: vec![s("sms"), s("sms-telnyx")], at: 1 }.bare(),
        K::DeliveryEnded { id: delivery(), status: Status::Superseded, reason: Some(s("acknowledged by bob")) }.bare(),
        K::DeliveryReported(DeliveryReported {
            id: delivery(),
            provider_id: s("SM1"),
            status: s("undelivered"),
            late: true,
            n: 2,
            what: Some(Said::Failed(failure())),
            key: None,
            found: false,
        })
        .bare(),
        K::DeliveryReported(DeliveryReported {
            id: delivery(),
            provider_id: s("CA1"),
            status: s("in-progress"),
            late: false,
            n: 1,
            what: Some(Said::Sent),
            key: Some(s("4")),
            found: false,
        })
        .bare(),
        K::DeliveryReported(DeliveryReported {
            id: delivery(),
            provider_id: s("SM2"),
            status: s("Twilio has it: queued"),
            late: false,
            n: 1,
            what: Some(Said::Queued),
            key: None,
            found: true,
        })
        .bare(),
        K::DeliveryPriced(Box::new(estimate.clone())).bare(),
        K::DeliveryPriced(Box::new(Priced {
            cost: Amount(4_000),
            segments: 2,
            n: 2,
            channel: s("sms-telnyx"),
            provider: s("telnyx"),
            tenant: Some(s("acme")),
            day: s("2026-11-20"),
            reported: true,
            instead: Some(Instead { money: Money { amount: Amount(8_000), currency: s("USD") }, segments: 2 }),
            ..estimate
        }))
        .bare(),
        K::DeliveryCounted(Counted { id: delivery(), channel: s("sms"), person: true, instead_of: None }).bare(),
        K::DeliveryCounted(Counted { id: delivery(), channel: s("sms"), person: false, instead_of: Some(delivery()) })
            .bare(),
        K::BudgetPassed(BudgetPassed { tenant: s("acme"), day: s("2026-11-20"), percent: 80 }).bare(),
        K::DeadLetterRequeued { id: delivery() }.bare(),
        K::DeadLetterDropped { id: delivery() }.bare(),
        K::UrgentUnheard(Unheard { notification: notification(), heard: false, until: EngineTime(T + 9) }).bare(),
        K::TemplateFailed { template: s("channels.hook.body"), words: s("line 1: undefined value") }.bare(),
        K::InboundReceived(InboundReceived {
            channel: s("sms"),
            provider_id: s("SM2"),
            id: Some(InboundId(Ulid(3))),
            who: Some(s("alice")),
            did: Some(s("acknowledged #417")),
            opted_out: Some(false),
        })
        .with(Payload {
            address: Some(s("+15550100")),
            text: Some(Rendered { text: s("417a"), ..Rendered::default() }),
            ..Payload::default()
        }),
        K::HookMoved(HookMoved {
            hook: s("billing"),
            seq: 417,
            refused: 1,
            failing: Some(HookFailing { since: Timestamp(T), words: s("503 not now"), long: true }),
            gone: false,
        })
        .bare(),
        K::HookMoved(HookMoved { hook: s("billing"), gone: true, ..HookMoved::default() }).bare(),
        K::ChannelChanged(ChannelChanged {
            channel: s("sms"),
            status: ChannelStatus::Dead,
            detail: s("401 Authenticate"),
            breaker: Breaker::Narrow,
            failures: 5,
            retry_at: Some(EngineTime(T + 9)),
            gap: Span::secs(5),
        })
        .bare(),
    ];
    all.extend(results().into_iter().map(|result| {
        K::AttemptFinished { delivery: delivery(), n: 1, channel: s("sms"), medium: None, result }.bare()
    }));
    let result = AttemptResult::Simulated { detail: String::new() };
    let simulated =
        K::AttemptFinished { delivery: delivery(), n: 1, channel: s("sms"), medium: Some(Medium::Sms), result };
    all.push(simulated.with(Payload { body: s("POST https://api.example/Messages.json"), ..Payload::default() }));
    all
}
