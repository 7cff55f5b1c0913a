//! `ack` with no id, with several, and when there is nothing to do.

use crate::standin::Standin;
use serde_json::json;

const ANY: &str = "POST /api/v1/incidents/acknowledge";

#[tokio::test]
async fn without_an_id_and_with_several_open_it_lists_them() {
    let standin = Standin::start();
    standin.on(
        ANY,
        409,
        json!({"error": {"code": "CONFLICT", "message": "2 incidents are open: #417, #418; say which"}}),
    );
    standin.on(
        "GET /api/v1/incidents",
        200,
        json!({"incidents": [
            {"number": 417, "level": "urgent", "subject": "one", "status": "open"},
            {"number": 416, "level": "high", "subject": "seen to", "status": "acknowledged"},
            {"number": 418, "level": "high", "subject": "two\u{7}", "status": "open"}
        ], "next_cursor": null}),
    );
    let ran = standin.ctl(&["ack"]).await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.out, "  #417 URGENT  one    open -\n  #418 HIGH  two\\x07    open -\n");
    assert_eq!(
        ran.err,
        "stentorctl: several incidents wait for an acknowledgement; name one, as in: stentorctl ack 417\n"
    );

    standin.seen();
    let scripts = standin.ctl(&["ack", "--json"]).await;
    assert_eq!((scripts.code, &scripts.json()["error"]["code"]), (2, &json!("CONFLICT")));
    assert_eq!(standin.seen().len(), 1, "a script asks once");
}

#[tokio::test]
async fn with_none_to_acknowledge_it_is_3_and_names_the_last() {
    let standin = Standin::start();
    let message = "nothing to acknowledge; the last was #417, acknowledged by bob at 02:52";
    standin.on(ANY, 404, json!({"error": {"code": "NOT_FOUND", "message": message}}));
    let ran = standin.ctl(&["ack"]).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err), (3, "", format!("stentorctl: {message}\n")));
}

/// The daemon's disk takes nothing: who stops something has to know that it may be undone.
#[tokio::test]
async fn what_is_not_recorded_yet_is_said() {
    let standin = Standin::start();
    let answer = json!({"incidents": [{"number": 417, "acknowledged_by": "bob", "already": false}], "recorded": false});
    standin.on("POST /api/v1/incidents/417/acknowledge", 200, answer);
    let ran = standin.ctl(&["ack", "417"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "#417 acknowledged by bob.\n"));
    assert!(ran.err.contains("Not recorded yet") && ran.err.contains("undone if stentord ends"), "{}", ran.err);
}

#[tokio::test]
async fn acknowledged_already_is_0_and_says_by_whom() {
    let standin = Standin::start();
    standin.on(
        "POST /api/v1/incidents/417/acknowledge",
        200,
        json!({"incidents": [{"number": 417, "acknowledged_by": "bob", "already": true, "stopped": []}]}),
    );
    let ran = standin.ctl(&["ack", "#417"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "#417 was acknowledged already by bob at -.\n"));
}

#[tokio::test]
async fn of_several_all_are_tried_and_the_worst_code_wins() {
    let standin = Standin::start();
    let done = |n: u64| json!({"incidents": [{"number": n, "acknowledged_by": "alice", "stopped": []}]});
    standin.on(
        "POST /api/v1/incidents/1/acknowledge",
        404,
        json!({"error": {"code": "NOT_FOUND", "message": "no such incident"}}),
    );
    standin.on(
        "POST /api/v1/incidents/2/acknowledge",
        409,
        json!({"error": {"code": "CONFLICT", "message": "it is resolved"}}),
    );
    standin.on("POST /api/v1/incidents/3/acknowledge", 200, done(3));
    standin.on("POST /api/v1/incidents/4/acknowledge", 200, done(4));

    let ran = standin.ctl(&["ack", "1", "2", "3", "4", "--note", "n"]).await;
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out, "#3 acknowledged by alice.\n#4 acknowledged by alice.\n");
    assert_eq!(ran.err, "stentorctl: 1: no such incident\nstentorctl: 2: it is resolved\n");
    assert!(standin.seen().iter().all(|s| s.body == json!({"note": "n"})));

    let scripts = standin.ctl(&["ack", "2", "3", "--json"]).await;
    assert_eq!(scripts.code, 2);
    assert_eq!(
        scripts.json(),
        json!({"incidents": [{"number": 3, "acknowledged_by": "alice", "stopped": []}],
            "errors": [{"id": "2", "code": "CONFLICT", "message": "it is resolved"}]})
    );
    assert_eq!(standin.ctl(&["ack", "3", "4"]).await.code, 0);
}
