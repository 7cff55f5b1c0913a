//! A journal that fails, is slow, or can hold no more: what goes on, what is refused, and when it is over.

use super::*;

#[tokio::test]
async fn f11_in_emergency_effects_leave_and_new_requests_do_not_enter() {
    let rig = Rig::new();
    let handle = rig.handle.clone();
    let held = tokio::spawn(async move { handle.ask(Caller::engine(), urgent("accepted before")).await });
    rig.until("attempt_started").await;
    rig.news.send(LogNews::Trouble("EIO".into())).unwrap();
    rig.until("attempt_finished").await;
    let refusal = rig.handle.ask(Caller::engine(), urgent("new")).await.unwrap_err();
    assert_eq!(refusal.code, Code::Overloaded);
    assert!(refusal.retry_after_seconds.is_some());
    assert!(rig.handle.progress().emergency.load(Ordering::SeqCst));
    let open = rig.handle.ask(Caller::engine(), Ask::Read(Read::Incidents { all: false })).await.unwrap();
    assert_eq!(open["incidents"][0]["fingerprint"], "self/storage-journal");
    assert!(open.get("recorded").is_none(), "{open}");
    let snooze = Ask::Snooze { id: "1".into(), span: Span::mins(5) };
    let snoozed = rig.handle.ask(Caller::engine(), snooze).await.unwrap();
    assert_eq!(snoozed["recorded"], false, "who stops something hears that a crash may undo it: {snoozed}");
    assert!(rig.paper.frames.lock().unwrap().iter().skip(1).all(|f| f.recorded_late));
    assert!(!held.is_finished(), "a request is answered only when it is durable");
    rig.news.send(LogNews::Well).unwrap();
    rig.until("incident_resolved").await;
    rig.durable();
    held.await.unwrap().unwrap();
    assert!(!rig.handle.progress().emergency.load(Ordering::SeqCst));
}

/// Somebody asks more often than the loop looks by itself, and it comes and goes all the same.
#[tokio::test]
async fn f19_a_slow_flush_is_noticed_and_over_while_requests_never_cease() {
    let rig = Rig::new();
    let handle = rig.handle.clone();
    let busy = tokio::spawn(async move {
        for n in 0.. {
            handle.tell(Caller::engine(), Ask::Denied { action: format!("POST /{n}") });
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let emergency = || rig.handle.progress().emergency.load(Ordering::SeqCst);
    let becomes = async |wanted: bool| {
        for _ in 0..200 {
            if emergency() == wanted {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    };
    rig.until("auth_denied").await;
    *rig.paper.flushing.lock().unwrap() = Some(Span::secs(3));
    assert!(becomes(true).await);
    rig.durable();
    assert!(emergency(), "the next one is slow, too");
    *rig.paper.flushing.lock().unwrap() = Some(Span::millis(5));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let held_up = rig.paper.last_seq();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(held_up < rig.paper.last_seq(), "more comes all the time");
    rig.news.send(LogNews::Durable(held_up)).unwrap();
    assert!(becomes(false).await, "what was held up is durable, and a flush is quick again");
    busy.abort();
}

/// Each flush takes seconds: one incident says so, and not one for each flush.
#[tokio::test(start_paused = true)]
async fn f19_a_disk_that_stays_slow_is_one_incident() {
    let rig = Rig::new();
    let emergency = || rig.handle.progress().emergency.load(Ordering::SeqCst);
    let slow = |slow: bool| *rig.paper.flushing.lock().unwrap() = slow.then_some(Span::secs(3));
    let count = |kind: &str| rig.paper.kinds().iter().filter(|k| **k == kind).count();
    let ask = || rig.handle.tell(Caller::engine(), Ask::Denied { action: "POST /".into() });
    let some_seconds = || tokio::time::sleep(Duration::from_secs(12));
    for life in 0..3 {
        ask();
        slow(true);
        some_seconds().await;
        assert!(emergency(), "{life}");
        // Two of them: what was asked, and what was said of it.
        rig.durable();
        some_seconds().await;
        rig.durable();
        slow(false);
        some_seconds().await;
        assert!(emergency(), "it is not known to be quick: {life}");
        // A suspend, for a clock that the test can move.
        rig.clock.slept.fetch_add(Span::secs(40).0, Ordering::SeqCst);
        some_seconds().await;
        assert!(!emergency(), "requests are taken again: {life}");
        assert_eq!((count("incident_opened"), count("incident_resolved")), (1, 0));
    }
    ask();
    some_seconds().await;
    rig.durable();
    rig.until("incident_resolved").await;
    assert_eq!(count("incident_opened"), 1);
}

#[tokio::test]
async fn f11_a_journal_that_can_hold_no_more_ends_the_loop() {
    let rig = Rig::new();
    rig.paper.full.store(true, Ordering::SeqCst);
    let refusal = rig.handle.ask(Caller::engine(), urgent("x")).await.unwrap_err();
    assert_eq!(refusal.code, Code::Overloaded);
    assert!(matches!(rig.cycle.await.unwrap(), Ended::LogFull(_)));
}
