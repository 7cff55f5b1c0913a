//! Percent-encoding, RFC 3986: all but letters, digits and `-._~`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `a b` as `a%20b`: fit for a segment of a path, a value of a query, and a header's parameter (RFC 8187).
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `%2F` as `/`; what is no such form stays as it is, and what is no UTF-8 is replaced.
pub fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_reserved_stays_and_all_comes_back() {
        assert_eq!(encoded("disk full +1~ü"), "disk%20full%20%2B1~%C3%BC");
        assert_eq!(decoded("disk%20full%20%2B1~%C3%BC"), "disk full +1~ü");
        assert_eq!(decoded("100% %zz %4"), "100% %zz %4");
    }
}
