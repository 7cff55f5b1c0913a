//! Telephone numbers: read into E.164, and shown to people.
//!
//! What a number is, we say ourselves: `+`, a digit 1 to 9 and 6 to 14 more. The library with all
//! countries' plans is only asked to read a national form, to format and to doubt, and its data is
//! only unpacked then; it never refuses a number.

use phonenumber::country::Id;
use phonenumber::{Mode, PhoneNumber};

/// The country whose national numbers are understood: `CZ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(Id);

/// Numbers of North America begin with this, and are dialled abroad with 011.
const NORTH_AMERICA: u16 = 1;

impl Region {
    /// Two letters, as ISO 3166 has them.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Region, String> {
        let word = text.trim().to_ascii_uppercase();
        let id = word.parse::<Id>().map_err(|_| format!("{text:?} is not a country; write two letters, as \"CZ\""))?;
        Ok(Region(id))
    }

    fn dials_011(self) -> bool {
        phonenumber::metadata::DATABASE.by_id(self.0.as_ref()).is_some_and(|m| m.country_code() == NORTH_AMERICA)
    }

    /// The E.164 of a national form.
    fn read(self, number: &str) -> Option<String> {
        let parsed = phonenumber::parse(Some(self.0), number).ok()?;
        phonenumber::is_valid(&parsed).then(|| parsed.format().mode(Mode::E164).to_string())
    }
}

/// A number in E.164: without spaces, dots, dashes and brackets; `tel:`, a leading `00` or `011` and
/// `(0)` behind the country are understood, a national form only with a region.
///
/// # Errors
/// A sentence that says what would be right.
pub fn e164(text: &str, region: Option<Region>) -> Result<String, String> {
    let wrong = || {
        format!("{text:?} is not a number in E.164; write + and 7 to 15 digits, the first not 0, as in \"+15550100\"")
    };
    let bare = text.trim();
    let bare = bare.strip_prefix("tel:").unwrap_or(bare);
    let bare = if bare.starts_with('+') { bare.replacen("(0)", "", 1) } else { bare.to_owned() };
    // Numbers are pasted from web pages and letters: no-break blanks and printed dashes, too.
    let dropped =
        |c: char| c.is_whitespace() || matches!(c, '.' | '-' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}');
    let number: String = bare.chars().filter(|c| !dropped(*c)).collect();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(digits) = number.strip_prefix('+') {
        return if is_digits(digits) && is_long_enough(digits) { Ok(number) } else { Err(wrong()) };
    }
    if !is_digits(&number) {
        return Err(wrong());
    }
    let abroad = number
        .strip_prefix("00")
        .or_else(|| number.strip_prefix("011").filter(|_| region.is_none_or(Region::dials_011)));
    match (abroad.filter(|digits| is_long_enough(digits)), region) {
        (Some(digits), _) => Ok(format!("+{digits}")),
        (None, Some(region)) => region.read(&number).ok_or_else(wrong),
        (None, None) => Err(wrong()),
    }
}

fn is_long_enough(digits: &str) -> bool {
    (7..=15).contains(&digits.len()) && !digits.starts_with('0')
}

/// Whether a text may be a number in some form: digits and what stands between them.
pub fn is_like_one(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '(' | ')' | '+' | '\u{a0}');
    digits >= 6 && text.chars().all(plain)
}

/// As people of all countries write it: `+420 601 123 456`. What the library does not know stays as it is.
pub fn formatted(number: &str) -> String {
    let parsed = number.starts_with('+').then(|| number.parse::<PhoneNumber>().ok()).flatten();
    match parsed.filter(phonenumber::is_valid) {
        Some(parsed) => parsed.format().mode(Mode::International).to_string(),
        None => number.to_owned(),
    }
}

/// Whether no country has such numbers: its code is none, or all of its numbers are longer or shorter.
pub fn is_impossible(number: &str) -> bool {
    // North America without the area code, as examples write it (+1 555 0100), is not known to the library.
    if number.starts_with("+1") && number.len() == "+15550100".len() {
        return false;
    }
    let Ok(parsed) = number.parse::<PhoneNumber>() else { return true };
    let Some(plan) = parsed.metadata(&phonenumber::metadata::DATABASE) else { return true };
    let code = parsed.code().value().to_string().len();
    let length = u16::try_from(number.len().saturating_sub(1 + code)).unwrap_or(u16::MAX);
    let sorts = plan.descriptors();
    let others =
        [sorts.fixed_line(), sorts.mobile(), sorts.toll_free(), sorts.shared_cost(), sorts.voip(), sorts.uan()];
    let all: Vec<_> = others.into_iter().flatten().chain([sorts.general()]).collect();
    let lengths = || all.iter().flat_map(|sort| sort.possible_length().iter().chain(sort.possible_local_length()));
    lengths().next().is_some() && !lengths().any(|known| *known == length)
}

/// For logs: `+1415•••2345`, of a short one less.
pub fn masked(number: &str) -> String {
    let digits: Vec<char> = number.trim_start_matches('+').chars().collect();
    let behind = if digits.len() >= 11 { 4 } else { 2.min(digits.len()) };
    let before = digits.len().saturating_sub(behind + 3).min(4);
    let part = |from: usize, to: usize| digits[from..to].iter().collect::<String>();
    format!("+{}•••{}", part(0, before), part(digits.len() - behind, digits.len()))
}
