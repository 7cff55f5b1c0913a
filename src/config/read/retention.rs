//! `[retention]`: how long the ledger keeps what.

use crate::domain::time::Span;
use crate::ledger::Retention;
use crate::settings::Table;

const YEAR: i64 = 365;
/// As little as this is kept; what is younger may still be on its way.
const LEAST: Span = Span::days(7);
const FOR_EVER: &str = "forever";

pub fn read(root: &mut Table<'_>) -> Retention {
    let years = |n: i64| Some(Span::days(n * YEAR));
    let default = Retention { mail: years(7), sms: years(3), voice: years(3), other: years(7), audit: years(10) };
    let Some(mut table) = root.table("retention") else { return default };
    let mut age = |key: &str, default: Option<Span>| table.parsed(key, age).unwrap_or(default);
    let retention = Retention {
        mail: age("mail", default.mail),
        sms: age("sms", default.sms),
        voice: age("voice", default.voice),
        other: age("other", default.other),
        audit: age("audit", default.audit),
    };
    for (key, text) in
        [("mail", retention.mail), ("sms", retention.sms), ("voice", retention.voice), ("other", retention.other)]
    {
        let outlives = retention.audit.is_some_and(|audit| text.is_none_or(|text| text > audit));
        if outlives && (table.has(key) || table.has("audit")) {
            table.error(
                if table.has(key) { key } else { "audit" },
                format!("{key} would be kept longer than audit, and what is older than audit goes as a whole"),
                "write a longer time, or \"forever\", for audit",
            );
        }
    }
    retention
}

/// `None` is for ever.
fn age(text: &str) -> Result<Option<Span>, String> {
    if text == FOR_EVER {
        return Ok(None);
    }
    let span = Span::parse(text)
        .map_err(|_| format!("{text:?} is no age; write for example \"90d\", \"7y\" or \"forever\""))?;
    if span < LEAST {
        return Err(format!("{text:?} is less than a week; write \"7d\" or more, or \"forever\""));
    }
    Ok(Some(span))
}
