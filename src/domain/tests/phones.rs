//! Numbers: what is read, what is refused, and how they are shown.

use crate::domain::phone::{Region, e164, formatted, is_impossible, masked};
use crate::domain::who::Who;
use proptest::prelude::*;

fn region(text: &str) -> Option<Region> {
    Some(Region::parse(text).unwrap())
}

#[test]
fn what_people_write_is_read_into_e164() {
    for (text, number) in [
        ("+15550100", "+15550100"),
        ("+1 (415) 555-2345", "+14155552345"),
        ("+1.415.555.2345", "+14155552345"),
        ("tel:+1-415-555-2345", "+14155552345"),
        ("00420 601 123 456", "+420601123456"),
        ("011 420 601 123 456", "+420601123456"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+39 06 1234 5678", "+390612345678"),
        (" +420\u{a0}601\u{2011}123\u{2011}456 ", "+420601123456"),
        ("+123456789012345", "+123456789012345"),
        ("+1234567", "+1234567"),
    ] {
        assert_eq!(e164(text, None).as_deref(), Ok(number), "{text}");
    }
}

#[test]
fn a_national_form_is_read_with_a_region_only() {
    for (text, country, number) in [
        ("601 123 456", "CZ", "+420601123456"),
        ("(415) 555-2345", "us", "+14155552345"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("0113 496 0123", "GB", "+441134960123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("+420 601 123 456", "US", "+420601123456"),
    ] {
        assert_eq!(e164(text, region(country)).as_deref(), Ok(number), "{text} in {country}");
    }
    assert!(e164("601 123 456", None).is_err());
    assert!(Region::parse("Czechia").is_err() && Region::parse("").is_err() && Region::parse("XX").is_err());
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        "+",
        "+0123456789",
        "+123456",
        "+1234567890123456",
        "++14155552345",
        "+1415+5552345",
        "+1415555CALL",
        "+14155552345;ext=12",
        "+14155552345 x12",
        "911",
        "112",
        "tel:112",
        "00",
        "000123456789",
        "+١٤١٥٥٥٥٢٣٤٥",
        "+１４１５５５５２３４５",
        "+1,415,555,2345",
        "+1415/5552345",
    ] {
        assert!(e164(text, None).is_err(), "{text}");
        assert!(e164(text, region("CZ")).is_err(), "{text} in a region");
    }
    assert!(e164("911", region("US")).is_err() && e164("112", region("CZ")).is_err(), "a short code is no number");
}

#[test]
fn the_library_formats_and_doubts_and_refuses_nothing() {
    assert_eq!(formatted("+14155552345"), "+1 415-555-2345");
    assert_eq!(formatted("+420601123456"), "+420 601 123 456");
    assert_eq!(formatted("+15550100"), "+15550100", "not known, so as it is");
    assert_eq!(formatted("alice@example.org"), "alice@example.org");
    for number in ["+9999999999", "+42060112345", "+1415555"] {
        assert!(is_impossible(number), "{number}");
    }
    assert!(!is_impossible("+15550100"), "without its area code");
    assert!(!is_impossible("+420601123456") && !is_impossible("+14155552345"));
    assert_eq!(e164("+9999999999", None).as_deref(), Ok("+9999999999"));
}

#[test]
fn a_masked_number_does_not_tell_who_it_is() {
    assert_eq!(masked("+14155552345"), "+1415•••2345");
    assert_eq!(masked("+420601123456"), "+4206•••3456");
    assert_eq!(masked("+1234567"), "+12•••67");
    assert_eq!(masked(""), "+•••");
}

#[test]
fn a_who_is_a_number_in_each_of_these_forms() {
    for text in ["+1 415 555 2345", "tel:+14155552345", "0014155552345", "011 1 415 555 2345"] {
        assert_eq!(Who::parse(text), Ok(Who::Phone("+14155552345".into())), "{text}");
    }
    assert_eq!(Who::parse("601123456"), Ok(Who::Person("601123456".into())), "its country is known to the config");
    assert_eq!(Who::parse("601 123 456"), Ok(Who::Person("601 123 456".into())));
    assert!(Who::parse("two words").is_err());
}

proptest! {
    #[test]
    fn any_text_is_a_number_or_an_error(text in "\\PC{0,30}") {
        for place in [None, region("CZ")] {
            if let Ok(number) = e164(&text, place) {
                prop_assert!(number.starts_with('+') && (8..=16).contains(&number.len()));
                prop_assert_eq!(e164(&number, None), Ok(number.clone()));
                prop_assert!(masked(&number).contains("•••"));
                let _ = formatted(&number);
            }
        }
    }

    #[test]
    fn digits_between_anything_that_may_stand_there(text in "[+0-9 ().-]{0,24}") {
        if let Ok(number) = e164(&text, None) {
            prop_assert_eq!(e164(&number, region("US")), Ok(number));
        }
    }
}
