//! The table of Twilio's own calculator, and what follows from it.

use crate::message::segments::{Encoding, fit, fits_one, size, transliterated};
use proptest::prelude::*;

#[test]
fn parts_are_counted_as_the_provider_counts_them() {
    let fire = "\u{1f525}";
    let cases: Vec<(String, Encoding, usize)> = vec![
        (String::new(), Encoding::Gsm7, 1),
        ("a".repeat(160), Encoding::Gsm7, 1),
        ("a".repeat(161), Encoding::Gsm7, 2),
        ("a".repeat(306), Encoding::Gsm7, 2),
        ("a".repeat(307), Encoding::Gsm7, 3),
        ("€".repeat(80), Encoding::Gsm7, 1),
        ("€".repeat(81), Encoding::Gsm7, 2),
        ("€".repeat(153), Encoding::Gsm7, 3),
        (format!("{}€{}", "a".repeat(152), "b".repeat(100)), Encoding::Gsm7, 2),
        ("й".repeat(70), Encoding::Ucs2, 1),
        ("й".repeat(71), Encoding::Ucs2, 2),
        ("й".repeat(134), Encoding::Ucs2, 2),
        ("й".repeat(135), Encoding::Ucs2, 3),
        (fire.repeat(35), Encoding::Ucs2, 1),
        (fire.repeat(36), Encoding::Ucs2, 2),
        (fire.repeat(67), Encoding::Ucs2, 3),
        (format!("{}{fire}{}", "й".repeat(66), "й".repeat(66)), Encoding::Ucs2, 3),
        (format!("{}ê", "a".repeat(159)), Encoding::Ucs2, 3),
        ("[CRITICAL] db-1: disk /var 98% (threshold 95%). Ack: reply ACK 4821".into(), Encoding::Gsm7, 1),
    ];
    for (text, encoding, segments) in cases {
        let size = size(&text);
        assert_eq!((size.encoding, size.segments), (encoding, segments), "{text}");
        assert_eq!(fits_one(&text), segments == 1);
    }
}

#[test]
fn the_alphabet_is_gsm_03_38() {
    let one = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    assert_eq!(one.chars().count(), 127, "128 without the escape itself");
    for c in one.chars() {
        assert_eq!(size(&c.to_string()).units, 1, "{c:?}");
        assert_eq!(size(&c.to_string()).encoding, Encoding::Gsm7, "{c:?}");
    }
    for c in "|^€{}[]~\\\u{c}".chars() {
        assert_eq!((size(&c.to_string()).encoding, size(&c.to_string()).units), (Encoding::Gsm7, 2), "{c:?}");
    }
    for c in "\t`çêâíóúá“”‘’–—…°µ\u{a0}й".chars() {
        assert_eq!(size(&c.to_string()).encoding, Encoding::Ucs2, "{c:?}");
    }
    assert_eq!(size("👨\u{200d}👩\u{200d}👧\u{200d}👦").units, 11, "a family is eleven units");
    assert_eq!(size("e\u{301}").units, 2, "a combining mark counts");
}

#[test]
fn a_cut_text_keeps_whole_letters() {
    assert_eq!(fit("disk full", 9), "disk full");
    assert_eq!(fit("disk is full", 9), "disk i...");
    assert_eq!(fit("disk is full", 8), "disk...", "no blank before the dots");
    assert_eq!(fit("€€€€€", 8), "€€...");
    assert_eq!(fit("ж🔥🔥🔥🔥", 7), "ж🔥...");
    assert_eq!(fit("[\u{10837} ⷐ", 4), "...", "a bracket alone is GSM and counts twice");
    assert_eq!(fit("abc", 2), "..");
    assert_eq!(fit("abc", 0), "");
}

proptest! {
    #[test]
    fn every_part_holds_what_it_can(text in any::<String>()) {
        let size = size(&text);
        let (alone, joined) = if size.encoding == Encoding::Gsm7 { (160, 153) } else { (70, 67) };
        if size.units <= alone {
            prop_assert_eq!(size.segments, 1);
        } else {
            prop_assert!(size.segments * joined >= size.units);
            // At most one unit a part is left free, so as not to split a letter.
            prop_assert!((size.segments - 1) * (joined - 1) < size.units);
        }
    }

    #[test]
    fn a_fitted_text_fits(text in any::<String>(), max in 3usize..200) {
        prop_assert!(size(&fit(&text, max)).units <= max);
    }
}

#[test]
fn what_is_not_in_the_alphabet_is_written_with_what_is() {
    for (text, plain) in [
        ("Größe ändern, é è ñ", "Größe ändern, é è ñ"),
        ("“Disk” – 98 %… it’s `full`\t!", "\"Disk\" - 98 %... it's 'full' !"),
        ("Příliš žluťoučký kůň", "Prilis zlutoucky kun"),
        ("Диск полон", "Disk polon"),
        ("à la carte, ça va", "à la carte, ca va"),
        ("€ [x] {y}", "€ [x] {y}"),
    ] {
        assert_eq!(transliterated(text), plain);
        assert_eq!(size(plain).encoding, Encoding::Gsm7);
    }
}

proptest! {
    #[test]
    fn transliterating_costs_nothing_more_than_it_saves(text in "\\PC{0,120}") {
        let plain = transliterated(&text);
        prop_assert_eq!(transliterated(&plain), plain.clone());
        if size(&text).encoding == Encoding::Gsm7 {
            prop_assert_eq!(plain, text);
        }
    }
}
