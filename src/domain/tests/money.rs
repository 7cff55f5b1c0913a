//! Money is exact, as it is read, summed and written.

use crate::domain::money::{Amount, Money, currency};
use proptest::prelude::*;

#[test]
fn it_is_read_and_written_as_decimal_text() {
    for (text, millionths, shown) in [
        ("0.0075", 7_500, "0.0075"),
        ("0.00750", 7_500, "0.0075"),
        ("-0.00790", -7_900, "-0.0079"),
        ("20", 20_000_000, "20.00"),
        ("20.5", 20_500_000, "20.50"),
        ("+1.000001", 1_000_001, "1.000001"),
        ("0.0000005", 1, "0.000001"),
        ("0.0000004999", 0, "0.00"),
        (" 0.0040 ", 4_000, "0.004"),
        ("999999999999.999999", 999_999_999_999_999_999, "999999999999.999999"),
    ] {
        let read = Amount::parse(text).unwrap();
        assert_eq!((read, read.to_string().as_str()), (Amount(millionths), shown), "{text}");
    }
    for wrong in ["", "-", ".5", "5.", "1e3", "0,5", "--1", "1.2.3", "NaN", "1000000000000", "٣", "1 000"] {
        assert!(Amount::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_providers_say_is_a_price_whatever_its_sign() {
    assert_eq!(Money::reported("-0.00790", "usd").unwrap().to_string(), "0.0079 USD");
    assert_eq!(Money::reported("0.0040", "USD").unwrap().to_string(), "0.004 USD");
    assert_eq!(Money::reported("free", "USD"), None);
    assert_eq!(Money::reported("0.1", "dollars"), None);
    assert!(currency("US1").is_err() && currency("").is_err());
}

proptest! {
    #[test]
    fn every_amount_comes_back(n in -999_999_999_999_999_999i64..=999_999_999_999_999_999) {
        prop_assert_eq!(Amount::parse(&Amount(n).to_string()), Ok(Amount(n)));
    }

    #[test]
    fn any_text_is_an_amount_or_an_error(text in "\\PC{0,40}") {
        if let Ok(amount) = Amount::parse(&text) {
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
        }
    }
}
