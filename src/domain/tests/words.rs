//! Levels, WHO, addresses, statuses, and the cutting of strangers' words.

use crate::domain::delivery::Status;
use crate::domain::failure::{Blame, Failure, FailureClass, cut};
use crate::domain::level::Level;
use crate::domain::secret::Secret;
use crate::domain::who::{Who, email, phone};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn levels_are_ordered_and_known_by_the_words_of_others() {
    assert!(Level::Low < Level::Normal && Level::Normal < Level::High && Level::High < Level::Urgent);
    let aliases = [
        (Level::Urgent, ["critical", "crit", "emergency"].as_slice()),
        (Level::High, &["error", "major"]),
        (Level::Normal, &["warning", "warn", "medium"]),
        (Level::Low, &["info", "notice", "debug"]),
    ];
    for (level, words) in aliases {
        assert_eq!(Level::parse(level.as_str()), Some(level));
        assert_eq!(Level::parse_strict(level.as_str()), Some(level));
        for word in words {
            assert_eq!(Level::parse(word), Some(level), "{word}");
            assert_eq!(Level::parse(&word.to_uppercase()), Some(level), "{word} in capitals");
            assert_eq!(Level::parse_strict(word), None, "{word} is not for the config file");
        }
    }
    assert_eq!(Level::parse("page"), None);
    assert_eq!(Level::parse(""), None);
    assert_eq!(serde_json::to_string(&Level::Urgent).unwrap(), "\"urgent\"");
}

#[test]
fn who_is_read_as_the_config_has_it() {
    let cases = [
        ("alice", Who::Person("alice".into())),
        (" alice ", Who::Person("alice".into())),
        ("person:alice", Who::Person("alice".into())),
        ("person: alice", Who::Person("alice".into())),
        ("group:ops", Who::Group("ops".into())),
        ("schedule:primary", Who::Schedule("primary".into())),
        ("tier:TIER_1", Who::Tier("TIER_1".into())),
        ("a@b.example", Who::Email("a@b.example".into())),
        ("+15550100", Who::Phone("+15550100".into())),
        ("+1 (555) 010-0123", Who::Phone("+15550100123".into())),
    ];
    for (text, who) in cases {
        assert_eq!(Who::parse(text).unwrap(), who, "{text}");
    }
    for wrong in ["", "two words", "person:", "team:ops", "+", "+1", "@", "a@", "@b", "group:a\u{7}b"] {
        assert!(Who::parse(wrong).is_err(), "{wrong:?} was taken for {:?}", Who::parse(wrong));
    }
    // Without its + it is a name; whether there is such a person is for the config to say.
    assert_eq!(Who::parse("15550100").unwrap(), Who::Person("15550100".into()));
}

#[test]
fn a_wrong_who_says_what_would_be_right() {
    assert_eq!(
        Who::parse("team:ops").unwrap_err(),
        "\"team:ops\": \"team\" is not one of person, group, schedule, tier"
    );
    assert!(Who::parse("ops at example.org").unwrap_err().contains("a number begins with +"));
}

#[test]
fn a_name_that_looks_like_something_else_comes_back_as_a_name() {
    for name in ["alice", "group:ops", "a@b.example", "+15550100", "two words"] {
        let who = Who::Person(name.into());
        assert_eq!(Who::parse(&who.to_string()).unwrap(), who);
    }
}

#[test]
fn numbers_are_e164_and_lose_their_decoration() {
    for (text, number) in [
        ("+15550100", "+15550100"),
        ("+1 (555) 010.01-23", "+15550100123"),
        ("+44\u{a0}20\u{a0}7946\u{a0}0958", "+442079460958"),
        ("+420\u{2013}601\u{2013}123\u{2013}456", "+420601123456"),
        ("+[49] 1512 3456789", "+4915123456789"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
    ] {
        assert_eq!(phone(text).unwrap(), number);
    }
    for wrong in [
        "",
        "+",
        "15550100",
        "+015550100",
        "+123456",
        "+1234567890123456",
        "+1555O100",
        "++15550100",
        "+1555\u{661}0100",
    ] {
        assert!(phone(wrong).is_err(), "{wrong:?}");
    }
    assert!(phone("5550100").unwrap_err().contains("\"+15550100\""), "the error shows what would be right");
}

#[test]
fn addresses_have_two_parts_and_no_line_breaks() {
    for well in ["ops@example.org", "first.last+tag@sub.example.org", "root@localhost", "jörg@example.org"] {
        assert_eq!(email(well).unwrap(), well);
    }
    for wrong in ["", "ops", "ops@", "@example.org", "a b@example.org", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b.c>"] {
        assert!(email(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn every_status_is_printed_by_one_word_and_read_by_it() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
    }
    let ends = Status::ALL.into_iter().filter(|s| s.is_end()).count();
    assert_eq!(ends, 7, "delivered, sent, superseded, expired, dead, skipped, simulated");
    assert!(Status::Submitted.got_out() && !Status::Submitted.is_end());
    assert!(!Status::Dead.got_out());
}

#[test]
fn words_of_strangers_are_cut_by_letters_and_cleaned() {
    assert_eq!(cut("short", 10), "short");
    assert_eq!(cut("exactly", 7), "exactly");
    assert_eq!(cut("dévoilé", 4), "dév…");
    assert_eq!(cut("🔥🔥🔥", 2), "🔥…");
    assert_eq!(cut("a\r\nb\u{1b}[31m", 99), "a  b [31m");
    assert_eq!(cut("anything", 0), "");
}

#[test]
fn a_failure_is_one_line_with_the_providers_code() {
    let failure = Failure::new(FailureClass::AuthError, Blame::Account, "Authenticate\n").code(20003);
    assert_eq!(failure.to_string(), "AUTH_ERROR (20003 Authenticate )");
    assert!(Failure::new(FailureClass::Timeout, Blame::Channel, "x".repeat(9999)).words.chars().count() <= 500);
}

#[test]
fn a_secret_prints_nothing_of_itself() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret} {secret:?}"), "[secret] [secret]");
    assert_eq!(secret.reveal(), "hunter2");
}

proptest! {
    #[test]
    fn reading_who_never_panics_and_what_is_read_comes_back(text in "\\PC{0,40}") {
        if let Ok(who) = Who::parse(&text) {
            prop_assert_eq!(Who::parse(&who.to_string()).unwrap(), who);
        }
    }

    #[test]
    fn any_well_formed_number_is_taken(number in "\\+[1-9][0-9]{6,14}", at in 1usize..7, mark in "[ .()\\[\\]-]") {
        let mut decorated = number.clone();
        decorated.insert_str(at, &mark);
        prop_assert_eq!(phone(&decorated).unwrap(), number);
    }

    #[test]
    fn a_cut_text_is_never_longer_and_has_no_control_characters(text in any::<String>(), max in 0usize..60) {
        let short = cut(&text, max);
        prop_assert!(short.chars().count() <= max);
        prop_assert!(!short.chars().any(char::is_control));
    }
}

/// The page's table, its first two columns.
fn moves_of_the_page() -> BTreeMap<Status, BTreeSet<Status>> {
    let page = include_str!("../../../docs/deliveries.md");
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(|w| Status::parse(w).unwrap()).collect::<Vec<_>>();
    let rows = page.split("## The look").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .flat_map(|cells| words(cells[1]).into_iter().map(move |from| (from, words(cells[2]).into_iter().collect())))
        .collect()
}

#[test]
fn the_page_about_deliveries_has_the_moves_of_the_code() {
    let page = moves_of_the_page();
    assert_eq!(page.len(), Status::ALL.len());
    for status in Status::ALL {
        let next: BTreeSet<Status> = status.next().iter().copied().collect();
        assert_eq!(page[&status], next, "{status}");
        assert!(status != Status::Dead || next == [Status::Ready].into(), "a dead letter goes again only whole");
        assert!(!status.is_end() || status == Status::Dead || next.is_empty(), "{status} is an end");
    }
}
