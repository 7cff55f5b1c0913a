use super::{ack, act, block, opened, show};
use crate::ctl::screen::testing::{assert_reads, printed};
use serde_json::json;

#[test]
fn an_acknowledgement_says_what_stopped_who_is_told_and_what_is_left() {
    let answer = json!({"incidents": [{
        "number": 417, "acknowledged_by": "alice", "status": "acknowledged",
        "stopped": ["siren", "round 2 at 03:11"], "told": ["ops-slack", "bob by mail"],
        "still_broken": "it stays open until the heartbeat passes"
    }]});
    assert_reads(
        &printed(|screen| ack::acknowledged(screen, &answer)),
        "#417 acknowledged by alice. Stopped: siren, round 2 at 03:11. Told: ops-slack, bob by mail. \
         Still broken: it stays open until the heartbeat passes.",
    );
}

#[test]
fn acknowledged_already_says_by_whom() {
    let answer = json!({"incidents": [{"number": 417, "acknowledged_by": "bob", "already": true, "stopped": [],
        "acknowledged_at": "2026-11-20T02:52:00+01:00"}]});
    let text = printed(|screen| ack::acknowledged(screen, &answer));
    assert_reads(&text, "#417 was acknowledged already by bob at 02:52.");
}

#[test]
fn a_resolution_of_what_still_fails_warns() {
    let incident = json!({"number": 9, "still_broken": "it will open anew when heartbeat smtp fails again."});
    let text = printed(|screen| screen.pieces(&act::sentence(&incident, "resolved")));
    assert_reads(&text, "#9 resolved. Still broken: it will open anew when heartbeat smtp fails again.");
}

#[test]
fn a_page_says_its_number_first_and_what_comes_next() {
    let incident = json!({"number": 418, "level": "urgent", "subject": "db down", "status": "open",
        "opened_at": "2026-11-20T03:02:00+01:00", "opened_by": "alice", "rounds": 1,
        "next": {"at": "2026-11-20T03:07:00+01:00", "to": ["alice", "bob"], "channels": ["call"], "round": 1, "step": 2}});
    assert_reads(
        &printed(|screen| opened(screen, &incident)),
        "
#418 opened at level urgent
 #418 URGENT  db down    open 0s   by alice
      next    03:07 round 1 of 1, step 2: call to alice, bob
      do      stentorctl ack 418      stentorctl explain 418
",
    );
    let mut again = incident;
    again["already_open"] = json!(true);
    let text = printed(|screen| opened(screen, &again));
    assert!(text.starts_with("#418 was open already; it was counted, nothing was sent.\n"), "{text}");
    again["raised"] = json!(true);
    let text = printed(|screen| opened(screen, &again));
    assert!(text.starts_with("#418 was open already; raised to urgent\n"), "{text}");
}

#[test]
fn an_incident_that_is_held_back_or_over_says_so() {
    let silenced = json!({"number": 1, "level": "low", "subject": "x", "status": "open",
        "opened_at": "2026-11-20T03:00:00+01:00", "silenced_by": "6b4ec5ac-1656-46ea-aa93-2732de45a00e",
        "silenced_until": "2026-11-20T03:20:00+01:00", "next": null});
    let text = printed(|s| block(s, &silenced, None));
    assert!(text.starts_with(" #1 LOW  x    open 2m   silenced until 03:20 by 45a00e\n"), "{text}");
    let snoozed = json!({"number": 1, "level": "low", "subject": "x", "status": "acknowledged", "acknowledged_by": "bob",
        "opened_by": "root",
        "acknowledged_at": "2026-11-20T03:00:00+01:00", "snoozed_until": "2026-11-20T03:30:00+01:00",
        "next": {"at": "2026-11-20T03:30:00+01:00", "what": "restart"}});
    assert_reads(
        &printed(|s| block(s, &snoozed, None)),
        "
 #1 LOW  x    acknowledged 03:00 by bob   opened by root   snoozed until 03:30
      next    03:30 from the first step again
      do      stentorctl resolve 1      stentorctl explain 1
",
    );
    let over = json!({"number": 1, "level": "low", "subject": "x", "status": "resolved", "resolved_at": "2026-11-20T03:01:00+01:00"});
    assert_reads(&printed(|s| block(s, &over, None)), " #1 LOW  x    resolved 03:01");
}

#[test]
fn of_many_who_were_told_the_last_are_shown() {
    let notified: Vec<_> = (0..10).map(|n| json!({"channel": format!("c{n}"), "status": "submitted"})).collect();
    let incident = json!({"number": 1, "level": "low", "status": "open", "notified": notified});
    let text = printed(|s| block(s, &incident, None));
    assert!(text.contains("told    2 earlier, then c2 - on its way   c3"), "{text}");
    assert!(!text.contains("c1 "), "{text}");
}

#[test]
fn one_incident_is_shown_whole() {
    let incident = json!({"number": 417, "id": "01KX", "fingerprint": "heartbeat/twilio", "level": "urgent", "type": "probe",
        "subject": "Twilio credentials refused", "body": "401\nAuthenticate", "status": "open",
        "opened_at": "2026-11-20T02:41:00+01:00", "opened_by": "heartbeat twilio", "policy": "wake", "step": 3, "round": 1,
        "rounds": 4, "labels": {"name": "twilio"},
        "notified": [{"who": null, "channel": "siren", "status": "delivered", "at": "2026-11-20T02:41:00+01:00"}],
        "events": [{"seq": 12, "at": "2026-11-20T02:41:00+01:00", "kind": "incident_opened", "number": 417, "level": "urgent",
            "opened_by": "heartbeat twilio"}]});
    assert_reads(
        &printed(|screen| show::one(screen, &incident)),
        "
 #417 URGENT  Twilio credentials refused    open 21m   by heartbeat twilio
      told    siren 02:41 ok
      do      stentorctl ack 417      stentorctl explain 417

  id           01KX
  fingerprint  heartbeat/twilio
  type         probe
  opened       2026-11-20 02:41:00.000
  policy       wake, round 1 of 4, step 3
  labels       name=twilio

  401
  Authenticate

told
  siren 02:41 ok

happened
  2026-11-20 02:41:00.000       12  incident_opened          #417   urgent, by heartbeat twilio
",
    );
}

#[test]
fn the_list_is_a_table() {
    let document = json!({"incidents": [
        {"number": 417, "level": "urgent", "status": "open", "opened_at": "2026-11-20T02:41:00+01:00", "opened_by": "heartbeat twilio", "subject": "Twilio"},
        {"number": 9, "level": "low", "status": "resolved", "opened_at": "2026-11-19T02:41:00+01:00", "opened_by": "bob", "subject": "x"}
    ], "next_cursor": "abc"});
    assert_reads(
        &printed(|screen| show::list(screen, &document)),
        "
NUMBER  LEVEL   STATUS    OPENED            BY                SUBJECT
#417    urgent  open      02:41             heartbeat twilio  Twilio
#9      low     resolved  2026-11-19 02:41  bob               x
more: --cursor abc
",
    );
}
