//! Money: decimal, in millionths, never a float. Sums are exact.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Neg, Sub};

/// Millionths in one.
const SCALE: i64 = 1_000_000;
/// Digits after the point.
const PLACES: usize = 6;
/// Nobody asks for a million of millions for a message; more is a mistake.
const DIGITS: usize = 12;

/// So much of some currency, in millionths. Written as decimal text: `"0.0075"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i64);

impl Amount {
    pub const ZERO: Amount = Amount(0);

    /// Reads `0.0075`, `-0.00790`, `20`. What is finer than a millionth is rounded, half away from 0.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Amount, String> {
        let wrong = || format!("{text:?} is not an amount; write it as \"0.0075\"");
        let bare = text.trim();
        let (sign, digits) = match bare.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, bare.strip_prefix('+').unwrap_or(bare)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(part) || whole.trim_start_matches('0').len() > DIGITS {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let places: String = part.chars().chain("0000000".chars()).take(PLACES).collect();
        let places: i64 = places.parse().map_err(|_| wrong())?;
        let up = i64::from(part.as_bytes().get(PLACES).is_some_and(|digit| *digit >= b'5'));
        Ok(Amount(sign * (whole * SCALE + places + up)))
    }

    pub fn times(self, n: u32) -> Amount {
        Amount(self.0.saturating_mul(n.into()))
    }

    pub fn abs(self) -> Amount {
        Amount(self.0.saturating_abs())
    }

    /// So many of a hundred parts of it, rounded down.
    pub fn percent(self, n: i64) -> Amount {
        Amount((i128::from(self.0) * i128::from(n) / 100).try_into().unwrap_or(i64::MAX))
    }
}

impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Amount;
    fn neg(self) -> Amount {
        Amount(self.0.saturating_neg())
    }
}

impl fmt::Display for Amount {
    /// As many places as it has, at least two: `0.0075`, `20.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.unsigned_abs();
        let (whole, part) = (all / SCALE.unsigned_abs(), all % SCALE.unsigned_abs());
        let part = format!("{part:06}");
        let short = part.trim_end_matches('0');
        f.pad(&format!("{sign}{whole}.{short:0<2}"))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Amount::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An amount, and of which currency (`USD`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub amount: Amount,
    pub currency: String,
}

impl Money {
    /// As a provider writes them: a negative price is what we pay, too.
    pub fn reported(amount: &str, currency: &str) -> Option<Money> {
        let amount = Amount::parse(amount).ok()?.abs();
        Some(Money { amount, currency: self::currency(currency).ok()? })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// Three letters, as ISO 4217 has them.
///
/// # Errors
/// A sentence that says what would be right.
pub fn currency(text: &str) -> Result<String, String> {
    let word = text.trim().to_ascii_uppercase();
    let well = word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase());
    if well { Ok(word) } else { Err(format!("{text:?} is not a currency; write three letters, as \"USD\"")) }
}
