#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::domain::time::Span;
use crate::settings::testing::{environment, table, table_with, told};
use crate::settings::{Reading, Shape, masked};

#[test]
fn absent_keys_are_none_and_no_error() {
    let (_, problems) = table("", |t| {
        assert_eq!(t.text("a"), None);
        assert_eq!(t.integer("b", 0..=9), None);
        assert_eq!(t.flag("c"), None);
        assert_eq!(t.texts("d"), None);
        assert!(t.table("e").is_none());
        assert!(t.tables("f").is_empty());
    });
    assert_eq!(told(&problems), "");
}

#[test]
fn every_wrong_type_is_told_at_its_place() {
    let text = "a = 1\nb = 'x'\nc = 'maybe'\nd = 'one'\ne = 5\nf = [1, 'x']\ng = '5 parsecs'\nh = 99\ni = 'blue'\nj = 3\nk = 99999999999999999999\n";
    let (_, problems) = table(text, |t| {
        assert_eq!(t.text("a"), None);
        assert_eq!(t.integer("b", 0..=9), None);
        assert_eq!(t.flag("c"), None);
        assert_eq!(t.texts("d"), None);
        assert!(t.table("e").is_none());
        assert_eq!(t.texts("f").unwrap(), ["x"]);
        assert_eq!(t.span("g"), None);
        assert_eq!(t.integer("h", 1..=9), None);
        assert_eq!(t.choice("i", &["red", "green"]), None);
        assert_eq!(t.span("j"), None);
        assert_eq!(t.integer("k", 0..=i64::MAX), None);
    });
    assert_eq!(
        told(&problems),
        "error 1:5 a is a number, not a text (write it in quotes: \"...\")\n\
         error 2:5 b: \"x\" is not a whole number (write a whole number from 0 to 9)\n\
         error 3:5 c: \"maybe\" is neither true nor false (write true or false, without quotes)\n\
         error 4:5 d is a text, not a list (write d = [\"...\"])\n\
         error 5:5 e is a number, not a table (write [e])\n\
         error 6:6 f is a number, not a text (write it in quotes: \"...\")\n\
         error 7:5 g: \"5 parsecs\" is not a duration (write for example \"30s\", \"5m\", \"2h\" or \"1d\")\n\
         error 8:5 h is out of range (write a whole number from 1 to 9)\n\
         error 9:5 i: \"blue\" is not known (known here: red, green)\n\
         error 10:5 j is a number, not a text (write it in quotes: \"...\")\n\
         error 11:5 k is out of range (write a whole number, 0 or more)\n"
    );
}

#[test]
fn unknown_keys_come_with_the_nearest_known_one() {
    let (_, problems) = table("hots = 'a'\n[inner]\nprot = 1\nzzz = 2\n", |t| {
        t.text("host");
        let mut inner = t.table("inner").unwrap();
        inner.integer("port", 0..=9);
    });
    assert_eq!(
        told(&problems),
        "error 1:1 unknown key hots (did you mean \"host\"?)\n\
         error 3:1 unknown key inner.prot (did you mean \"port\"?)\n\
         error 4:1 unknown key inner.zzz (known here: port)\n"
    );
}

#[test]
fn required_texts_say_what_to_write() {
    let (_, problems) = table("[x]\na = ' '\n", |t| {
        let mut x = t.table("x").unwrap();
        assert_eq!(x.require_text("a", "mail.example.org"), None);
        assert_eq!(x.require_secret("b", "${TOKEN}"), None);
        assert_eq!(x.require_parsed("c", "5m", Span::parse), None);
        x.simulate();
        assert_eq!(x.require_text("a", ""), Some(String::new()));
        assert!(x.require_secret("b", "").unwrap().is_empty());
        assert_eq!(x.require_parsed("c", "5m", Span::parse), None);
    });
    assert_eq!(
        told(&problems),
        "error 1:2 x.b is missing (write b = \"${TOKEN}\")\n\
         error 1:2 x.c is missing (write c = \"5m\")\n\
         error 2:5 x.a is empty (write a = \"mail.example.org\")\n"
    );
}

#[test]
fn placeholders() {
    let values = [("HOST", "mx"), ("EMPTY", ""), ("PORT", "25"), ("file:token", "abc\n")];
    let text = r#"
a = "${HOST}.example"
b = "${GONE:-none}${EMPTY:-x}"
c = "${EMPTY}"
d = "$${HOST} costs $5 {not}"
e = "${file:token}"
port = "${PORT}"
"#;
    let (_, problems) = table_with(text, &values, |t| {
        assert_eq!(t.text("a").unwrap(), "mx.example");
        assert_eq!(t.text("b").unwrap(), "nonex");
        assert_eq!(t.text("c").unwrap(), "");
        assert_eq!(t.text("d").unwrap(), "${HOST} costs $5 {not}");
        assert_eq!(t.secret("e").unwrap().reveal(), "abc");
        assert_eq!(t.integer("port", 1..=99), Some(25));
    });
    assert_eq!(told(&problems), "");
}

#[test]
fn unset_or_malformed_placeholders_are_errors_that_name_them() {
    let text = "a = '${SMTP_SERVER}'\nb = '${file:token}'\nc = '${'\nd = '${a b}'\ne = ['${X}', 'y']\n";
    let (_, problems) = table(text, |t| {
        for key in ["a", "b", "c", "d"] {
            assert_eq!(t.text(key), None);
        }
        assert_eq!(t.texts("e").unwrap(), ["y"]);
    });
    assert_eq!(
        told(&problems),
        "error 1:5 a: the environment variable SMTP_SERVER is not set (set it, or write ${SMTP_SERVER:-text} to have a default)\n\
         error 2:5 b: token cannot be read: there is no such file (write ${file:NAME} for a systemd credential, or ${file:/path})\n\
         error 3:5 c: a placeholder begins with \"${\" and has no \"}\" (write $${ for a plain ${)\n\
         error 4:5 d: \"${a b}\" is not a placeholder (write ${NAME}, ${NAME:-text} or ${file:NAME}, or $${ for a plain ${)\n\
         error 5:6 e: the environment variable X is not set (set it, or write ${X:-text} to have a default)\n"
    );
}

#[test]
fn a_parser_never_repeats_what_a_placeholder_stood_for() {
    let (_, problems) = table_with("a = '${TOKEN}'\nb = ' ${TOKEN}'\nc = '${TOKEN}'", &[("TOKEN", "hunter2")], |t| {
        t.span("a");
        t.span("b");
        t.integer("c", 0..=1);
    });
    let told = told(&problems);
    assert_eq!(problems.errors.len(), 3);
    assert!(!told.contains("hunter2") && told.contains("a: \"${TOKEN}\" is not a duration"), "{told}");
}

#[test]
fn a_simulated_table_may_lack_its_secrets() {
    let (_, problems) = table("a = '${GONE}'\nb = '${GONE}'\nc = ['${GONE}']\n[d]\nx = '${GONE}'", |t| {
        t.simulate();
        assert_eq!(t.text("a").unwrap(), "");
        assert_eq!(t.span("b"), None);
        assert!(t.texts("c").unwrap().is_empty());
        assert_eq!(t.text_map("d").unwrap()["x"], "");
    });
    assert_eq!(told(&problems), "");
}

#[test]
fn lists_of_tables_and_tables_of_tables() {
    let (_, problems) = table("[people.bob]\n[people.alice]\nage = 'x'\n[[routes]]\nn = 1\n[[routes]]\nn = 'x'", |t| {
        let people = t.tables("people");
        assert_eq!(people.iter().map(|p| p.name()).collect::<Vec<_>>(), ["alice", "bob"]);
        for mut person in people {
            person.integer("age", 0..=150);
        }
        let routes: Vec<_> = t.tables("routes").into_iter().map(|mut r| r.integer("n", 0..=9)).collect();
        assert_eq!(routes, [Some(1), None]);
        assert_eq!((t.shape("people"), t.shape("routes"), t.shape("x")), (Some(Shape::Table), Some(Shape::List), None));
    });
    assert_eq!(
        told(&problems),
        "error 3:7 people.alice.age: \"x\" is not a whole number (write a whole number from 0 to 150)\n\
         error 7:5 routes[2].n: \"x\" is not a whole number (write a whole number from 0 to 9)\n"
    );
}

#[test]
fn every_mistake_of_form_is_told() {
    let (_, problems) = table("a = \n[b\nc = 1\na = 2\n", |_| ());
    let lines: Vec<usize> = problems.errors.iter().map(|p| p.line).collect();
    assert!(lines.contains(&1) && lines.contains(&2) && lines.len() >= 2, "{problems:?}");
    assert!(problems.errors.iter().all(|p| p.message.starts_with("this is not TOML")));
}

#[test]
fn columns_count_characters() {
    let (_, problems) = table("\"čau\" = { x = 1 }", |t| {
        t.table("čau").unwrap().text("x");
    });
    assert_eq!(told(&problems), "error 1:15 čau.x is a number, not a text (write it in quotes: \"...\")\n");
}

#[test]
fn the_masked_text_has_no_secret_and_no_comment() {
    let text = r#"
# password = "in a comment"
[channels.mail]
password = "literal"
url = "https://x/${TOKEN:-default}/y"
token = "${TOKEN}"
key = 5
host = "mx"
headers = { "X-Key" = "header secret", n = ["q"] }
odd = "a\"b\\c\nd\u0001"
"#;
    let env = environment(&[("TOKEN", "from outside")]);
    let mut reading = Reading::new(&env, false);
    let tree = reading.parse("a.toml", text).unwrap();
    let mut root = reading.root(&tree);
    let mut channels = root.table("channels").unwrap();
    let mut mail = channels.table("mail").unwrap();
    for key in ["password", "url", "token"] {
        mail.secret(key);
    }
    mail.require_secret("key", "");
    mail.secret_map("headers");
    mail.known(&["host", "odd"]);
    let shown = masked(&tree, &reading.secrets());
    assert_eq!(
        shown,
        r#"
[channels.mail]
host = "mx"
key = "[secret]"
odd = "a\"b\\c\nd\U00000001"
password = "[secret]"
token = "${TOKEN}"
url = "[secret]${TOKEN:-[secret]}[secret]"

[channels.mail.headers]
X-Key = "[secret]"
n = ["[secret]"]
"#
    );
    assert!(Reading::new(&env, false).parse("again", &shown).is_some());
}
