use crate::ctl::moment::Moment;
use crate::ctl::screen::testing::{assert_reads, coloured, printed};
use crate::ctl::screen::{Ink, Piece, Table, age, escape};
use serde_json::json;

#[test]
fn f51_foreign_text_cannot_move_the_cursor_or_turn_the_line() {
    let attack = "\x1b[2J\x1b]0;owned\x07 a\r\nb\tc\u{9b}31m \u{202e}drawkcab\u{2066}\u{200f}\u{feff}\u{e0041}\x7f\0";
    let safe = escape(attack);
    assert!(!safe.chars().any(char::is_control), "{safe}");
    assert_eq!(
        safe,
        "\\x1b[2J\\x1b]0;owned\\x07 a\\r\\nb\\tc\\u{9b}31m \\u{202e}drawkcab\\u{2066}\\u{200f}\\u{feff}\\u{e0041}\\x7f\\x00"
    );
}

#[test]
fn ordinary_text_of_any_language_stays() {
    let text = "Zvoní pohotovost – שלום 警報 👩\u{200d}🚒 \"quoted\" \\ back";
    assert_eq!(escape(text), text);
}

#[test]
fn only_our_own_colours_reach_a_terminal() {
    let line = |screen: &mut super::Screen<'_>| screen.pieces(&[Piece::new(Ink::Bad, "dead\x1b[0m"), " x".into()]);
    assert_eq!(coloured(line), "\x1b[1;31mdead\\x1b[0m\x1b[0m x\n");
    assert_eq!(printed(line), "dead\\x1b[0m x\n");
}

#[test]
fn tables_are_aligned_by_letters_also_in_colour() {
    let table = || {
        let mut table = Table::new(&["NAME", "STATUS", "DETAIL"]);
        table.row(vec!["žluťoučký".into(), Piece::status("ok"), "a\nb".into()]);
        table.row(vec!["x".into(), Piece::status("suspect"), "c".into()]);
        table
    };
    let plain = printed(|screen| table().print(screen, "none"));
    assert_reads(
        &plain,
        "
NAME       STATUS   DETAIL
žluťoučký  ok       a\\nb
x          suspect  c
",
    );
    let mut bare = coloured(|screen| table().print(screen, "none"));
    for ink in [Ink::Dim, Ink::Good, Ink::Warn] {
        assert!(bare.contains(ink.code()));
        bare = bare.replace(ink.code(), "");
    }
    assert_eq!(bare.replace("\x1b[0m", ""), plain);
}

#[test]
fn an_empty_table_says_so() {
    assert_eq!(printed(|screen| Table::new(&["NAME"]).print(screen, "no silences")), "no silences\n");
}

#[test]
fn times_are_those_on_the_daemons_wall() {
    let at = |text: &str| Some(Moment::parse(text).unwrap());
    printed(|screen| {
        assert_eq!(screen.there(at("2026-11-20T03:02:00+01:00"), Some("Europe/Prague")), "03:02 CET");
        assert_eq!(screen.there(at("2026-11-20T03:02:00+01:00"), None), "03:02 +01:00");
        assert_eq!(screen.there(None, Some("Europe/Prague")), "-");
        assert_eq!(screen.clock(at("2026-11-20T02:41:00+01:00")), "02:41");
        assert_eq!(screen.clock(at("2026-11-19T23:30:00+01:00")), "2026-11-19 23:30");
        assert_eq!(screen.clock(at("2026-11-19T18:10:00-08:00")), "18:10", "today is the daemon's day");
        assert_eq!(screen.clock(None), "-");
        assert_eq!(screen.stamp(at("2026-07-01T12:00:00.120+02:00")), "2026-07-01 12:00:00.120");
        assert_eq!(screen.stamp(None), "-");
        assert_eq!(screen.since(at("2026-11-20T02:41:00+01:00")), "21m");
        assert_eq!(screen.since(at("2026-11-20T04:00:00+01:00")), "0s", "a clock that is behind the daemon's");
        Ok(())
    });
}

#[test]
fn ages_are_rounded_down_to_one_unit() {
    let seconds =
        [(0, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (3_600, "1h"), (86_399, "23h"), (1_080_000, "12d")];
    for (n, expected) in seconds {
        assert_eq!(age(n), expected);
    }
}

#[test]
fn a_list_that_goes_on_says_how() {
    assert_eq!(printed(|s| s.more(&json!({"next_cursor": "c1"}))), "more: --cursor c1\n");
    assert_eq!(printed(|s| s.more(&json!({"next_cursor": null}))), "");
}

#[test]
fn a_row_that_is_too_long_goes_on_under_its_first_item() {
    let items: Vec<Vec<Piece>> = (0..9).map(|n| vec![format!("item-{n} {}", "x".repeat(20)).into()]).collect();
    let row = |items: &[Vec<Piece>]| printed(|s| s.row(&Piece::new(Ink::Dim, "told  "), items));
    let text = row(&items);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().all(|l| l.len() <= 120 && l.trim_end() == *l), "{text}");
    assert!(lines[0].starts_with("told  item-0 ") && lines[1].starts_with("      item-3 "), "{text}");
    assert_eq!(row(&[vec!["a".into(), "b".into()], vec!["c".into()]]), "told  ab   c\n");
    let long = "y".repeat(300);
    assert_eq!(row(&[vec![long.as_str().into()]]), format!("told  {long}\n"), "one item is never cut");
}

#[test]
fn no_line_of_a_table_ends_in_blanks() {
    let mut table = Table::new(&["NAME", "STATUS", "WHY"]);
    table.row(vec!["x".into(), "ok".into(), "".into()]);
    assert_eq!(printed(|screen| table.print(screen, "none")), "NAME  STATUS  WHY\nx     ok\n");
}
