//! The matcher grammar that amtool and Alertmanager speak.

use crate::domain::Labels;
use crate::domain::matcher::{Matcher, Op, is_label_name};
use proptest::prelude::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn holds(matcher: &str, pairs: &[(&str, &str)]) -> bool {
    Matcher::parse(matcher).unwrap().matches(&labels(pairs))
}

#[test]
fn the_four_operators() {
    let db = [("team", "db"), ("level", "high")];
    assert!(holds("team=db", &db) && !holds("team=dba", &db));
    assert!(holds("team!=web", &db) && !holds("team!=db", &db));
    assert!(holds("level=~\"high|urgent\"", &db) && !holds("level=~\"hig\"", &db));
    assert!(holds("level!~\"low|normal\"", &db) && !holds("level!~h.*", &db));
    assert!(holds(" team = \"db\" ", &db));
}

#[test]
fn a_missing_label_is_the_empty_text() {
    assert!(holds("team=", &[]) && holds("team=\"\"", &[]));
    assert!(holds("team!=db", &[]));
    assert!(holds("team=~\".*\"", &[]) && !holds("team=~\".+\"", &[]));
    assert!(holds("team!~\".+\"", &[]));
}

#[test]
fn a_regular_expression_is_anchored_whatever_it_holds() {
    assert!(!holds("a=~\"b|c\"", &[("a", "xb")]));
    assert!(!holds("a=~\"b|c\"", &[("a", "cx")]));
    assert!(!holds("a=~b", &[("a", "b\n")]));
    assert!(holds("a=~\"(?i)DB-[0-9]+\"", &[("a", "db-7")]));
    assert!(Matcher::parse("a=~\"b)|(c\"").is_err(), "it would escape its anchors");
    assert!(Matcher::parse("a=~\"(\"").unwrap_err().contains("is not a regular expression"));
    assert!(Matcher::parse("a=~\"(((((x{100}){100}){100}){100}){100})\"").is_err(), "too large is refused");
}

#[test]
fn quoted_values_know_gos_escapes() {
    for (text, value) in [
        (r#"a="x y""#, "x y"),
        (r#"a="say \"hi\", {all}""#, "say \"hi\", {all}"),
        (r#"a="back\\slash""#, "back\\slash"),
        (r#"a="\a\b\f\n\r\t\v""#, "\u{7}\u{8}\u{c}\n\r\t\u{b}"),
        (r#"a="\x41\102\u0043\U00000044""#, "ABCD"),
        (r#"a="\xc3\xa9""#, "é"),
        (r#"a="\u017ee""#, "že"),
        (r#"a="""#, ""),
    ] {
        assert_eq!(Matcher::parse(text).unwrap().value, value, "{text}");
    }
    for wrong in
        [r#"a="open"#, r#"a="x" y"#, r#"a="\q""#, r#"a="\xc3""#, r#"a="\ud800""#, r#"a="\400""#, r#"a="\x4""#, "a=\"\\"]
    {
        assert!(Matcher::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn bare_values_hold_nothing_that_has_a_meaning() {
    assert_eq!(Matcher::parse("instance=db-1:9100").unwrap().value, "db-1:9100");
    assert_eq!(Matcher::parse("path=/var/log").unwrap().value, "/var/log");
    for wrong in ["a=x y", "a==b", "a=b,c", "a={b}", "a='b'", "a=`b`", "a=b~", "a=b\\c", "a=b\"c"] {
        assert!(Matcher::parse(wrong).is_err(), "{wrong}");
    }
    assert!(Matcher::parse("a=x y").unwrap_err().contains("double quotes"));
}

#[test]
fn names_are_label_names() {
    assert!(is_label_name("_a9") && is_label_name("alertname"));
    assert!(!is_label_name("9a") && !is_label_name("") && !is_label_name("a-b") && !is_label_name("é"));
    for wrong in ["=x", "9a=x", "a-b=x", "a b=x", "a", "", "a!b", "a~b"] {
        assert!(Matcher::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn several_are_joined_by_commas_with_or_without_braces() {
    for text in [r#"a=1,b=~"x,y",c!="{}""#, r#"{a=1, b=~"x,y", c!="{}"}"#, r#" { a=1,b=~"x,y",c!="{}", } "#] {
        let list = Matcher::parse_list(text).unwrap();
        let shown: Vec<String> = list.iter().map(Matcher::to_string).collect();
        assert_eq!(shown, [r#"a="1""#, r#"b=~"x,y""#, r#"c!="{}""#], "{text}");
        assert_eq!(list[1].op, Op::Match);
    }
    assert!(Matcher::parse_list("{}").unwrap().is_empty() && Matcher::parse_list("").unwrap().is_empty());
    for wrong in ["{a=1", "a=1}", ",", "a=1,,b=2", "{a=1},b=2", "{{a=1}}"] {
        assert!(Matcher::parse_list(wrong).is_err(), "{wrong}");
    }
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![Just(Op::Equal), Just(Op::NotEqual)]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(name in "[a-zA-Z_][a-zA-Z0-9_]{0,8}", op in any_op(), value in any::<String>()) {
        let matcher = Matcher::new(&name, op, value).unwrap();
        let printed = matcher.to_string();
        prop_assert!(!printed.chars().any(char::is_control), "{:?}", printed);
        prop_assert_eq!(&Matcher::parse(&printed).unwrap(), &matcher);
        prop_assert_eq!(&Matcher::parse_list(&format!("{{{printed},x=y}}")).unwrap()[0], &matcher);
        prop_assert_eq!(&serde_json::from_str::<Matcher>(&serde_json::to_string(&matcher).unwrap()).unwrap(), &matcher);
    }

    #[test]
    fn reading_never_panics(text in any::<String>()) {
        let _ = (Matcher::parse(&text), Matcher::parse_list(&text), Matcher::parse(&format!("a=\"{text}\"")));
    }
}
