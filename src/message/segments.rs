//! How many parts an SMS is sent in, and so what it costs: GSM 03.38 (7 bits) when every letter
//! is in its alphabet, else UCS-2.
//!
//! One part holds 160 units of GSM-7 or 70 of UCS-2; of several, each holds 153 or 67. A letter
//! is never split over two parts, so some parts stay a unit short.

/// The alphabet that a text needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

/// The size of a text as it will be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub encoding: Encoding,
    /// Septets, or UTF-16 units.
    pub units: usize,
    /// Parts; 1 for an empty text.
    pub segments: usize,
}

/// The basic alphabet beside ASCII letters, digits and the marks below, one unit each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// After an escape, two units each.
const EXTENSION: &str = "|^€{}[]~\\\u{c}";

/// Measures a text.
pub fn size(text: &str) -> Size {
    match text.chars().map(septets).collect::<Option<Vec<usize>>>() {
        Some(letters) => pack(Encoding::Gsm7, &letters, 160, 153),
        None => pack(Encoding::Ucs2, &text.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
    }
}

/// Whether it goes out in one part.
pub fn fits_one(text: &str) -> bool {
    size(text).segments == 1
}

/// The first letters that make at most `max` units; cut ones end with three dots, which every
/// alphabet has. A letter that is in no GSM alphabet makes all count as UCS-2.
pub fn fit(text: &str, max: usize) -> String {
    if size(text).units <= max {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut units = 0;
    let gsm = size(text).encoding == Encoding::Gsm7;
    for c in text.chars() {
        // What is cut off may have been all that was no GSM, and then a bracket counts twice.
        units += if gsm { septets(c).unwrap_or(1) } else { c.len_utf16().max(septets(c).unwrap_or(0)) };
        if units + 3 > max {
            break;
        }
        short.push(c);
    }
    short.truncate(short.trim_end().len());
    short.push_str(&"..."[..max.min(3)]);
    short
}

/// The same in the letters of GSM 03.38, as far as there is a way to write it: what is in the alphabet
/// stays as it is.
pub fn transliterated(text: &str) -> String {
    if size(text).encoding == Encoding::Gsm7 {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match (septets(c), c) {
            (Some(_), _) => plain.push(c),
            (None, '`') => plain.push('\''),
            (None, c) if c.is_whitespace() => plain.push(' '),
            (None, c) => match deunicode::deunicode_char(c) {
                Some(letters) if letters.chars().all(|l| septets(l).is_some()) => plain.push_str(letters),
                _ => plain.push(c),
            },
        }
    }
    plain
}

impl Encoding {
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        }
    }
}

fn septets(c: char) -> Option<usize> {
    if c.is_ascii_alphanumeric() || BASIC.contains(c) { Some(1) } else { EXTENSION.contains(c).then_some(2) }
}

fn pack(encoding: Encoding, letters: &[usize], alone: usize, joined: usize) -> Size {
    let units = letters.iter().sum();
    let mut segments = 1;
    if units > alone {
        let mut used = 0;
        for letter in letters {
            if used + letter > joined {
                segments += 1;
                used = 0;
            }
            used += letter;
        }
    }
    Size { encoding, units, segments }
}
