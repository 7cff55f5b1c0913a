//! What became of a notification: of `send`, `test` and `fomo push`.

use crate::ctl::commands::deliveries::{recipient, way};
use crate::ctl::fields::{items, plain, short, text};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use crate::ctl::trouble::Exit;
use crate::domain::delivery::Status;
use crate::domain::time::Span;
use serde_json::Value;
use std::io;

/// How much later than its own end a wait is answered at most.
pub const WAIT_SLACK: Span = Span::secs(10);

/// By the ends of the deliveries: one is dead: bad news; else one is pending: try again.
pub fn exit(notification: &Value) -> Exit {
    let statuses = || items(notification, "deliveries").iter().filter_map(|d| Status::parse(&text(d, "status")));
    if statuses().any(|s| matches!(s, Status::Dead | Status::Expired)) {
        return Exit::BadNews;
    }
    if statuses().any(|s| !s.is_end() && !s.got_out()) { Exit::TryAgain } else { Exit::Done }
}

/// The notification and a line for each delivery.
pub fn print(screen: &mut Screen<'_>, notification: &Value) -> io::Result<()> {
    let deliveries = items(notification, "deliveries");
    let held_back = !deliveries.is_empty() && deliveries.iter().all(|d| text(d, "status") == "skipped");
    let word = match held_back {
        true => Piece::new(Ink::Warn, "nothing was sent"),
        false => Piece::status(text(notification, "status")),
    };
    screen.pieces(&["notification ".into(), text(notification, "id").into(), "  ".into(), word])?;
    let mut table = Table::new(&["  DELIVERY", "STATUS", "CHANNEL", "TO", "WHY"]);
    for delivery in deliveries {
        table.row(vec![
            format!("  {}", short(delivery, "id")).into(),
            Piece::status(text(delivery, "status")),
            way(delivery).into(),
            recipient(delivery).into(),
            why(delivery).into(),
        ]);
    }
    table.print(screen, "  no deliveries")?;
    warnings(screen, notification)
}

/// What was accepted, and yet is not quite what was asked for.
pub fn warnings(screen: &mut Screen<'_>, answer: &Value) -> io::Result<()> {
    for words in items(answer, "warnings").iter().filter_map(Value::as_str) {
        screen.pieces(&[Piece::new(Ink::Warn, "warning"), format!(": {words}").into()])?;
    }
    Ok(())
}

/// The reason, or the last attempt's error.
fn why(delivery: &Value) -> String {
    let last = || items(delivery, "attempts").iter().rev().find_map(|a| plain(a, "error"));
    plain(delivery, "reason").or_else(last).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::screen::testing::printed;
    use serde_json::json;

    fn of(statuses: &[&str]) -> Exit {
        let deliveries: Vec<Value> = statuses.iter().map(|s| json!({ "status": s })).collect();
        exit(&json!({ "deliveries": deliveries }))
    }

    #[test]
    fn what_was_held_back_is_not_called_delivered() {
        let delivery = |status: &str| json!({"id": "01KD", "status": status, "channel": "mail", "recipient": "bob", "reason": "silenced"});
        let head = |deliveries: Vec<Value>| {
            let notification = json!({"id": "01KN", "status": "delivered", "deliveries": deliveries});
            printed(|screen| print(screen, &notification)).lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(head(vec![delivery("skipped"), delivery("skipped")]), "notification 01KN  nothing was sent");
        assert_eq!(head(vec![delivery("skipped"), delivery("sent")]), "notification 01KN  delivered");
    }

    #[test]
    fn the_exit_code_is_by_the_worst_delivery() {
        assert_eq!(of(&["delivered", "sent", "submitted", "simulated"]), Exit::Done);
        assert_eq!(of(&["skipped"]), Exit::Done);
        assert_eq!(of(&["delivered", "superseded"]), Exit::Done);
        for pending in ["scheduled", "ready", "sending", "backoff", "waiting", "unknown"] {
            assert_eq!(of(&["delivered", pending]), Exit::TryAgain, "{pending}");
            assert_eq!(of(&["dead", pending]), Exit::BadNews, "{pending}");
        }
        assert_eq!(of(&["delivered", "expired"]), Exit::BadNews);
    }
}
