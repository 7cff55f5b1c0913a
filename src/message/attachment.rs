//! Files that go along with a message: names made harmless, the type by what is in them, and what a text
//! says of those that its medium does not carry.

use crate::domain::event::{Attachment, Carriage, Carried};
use crate::domain::failure::is_treacherous;
use crate::message::numeral::{capital, count as number};

/// Letters of a name.
const NAME: usize = 100;

/// What a text is told of one file.
#[derive(Clone, Debug)]
pub struct Enclosure<'a> {
    pub file: &'a Attachment,
    /// Where it can be fetched.
    pub link: Option<String>,
}

/// How the files of a message go.
#[derive(Clone, Debug, Default)]
pub struct Enclosures<'a> {
    pub files: Vec<Enclosure<'a>>,
    /// The channel carries them itself.
    pub carried: bool,
    /// It would, but not so much; MiB.
    pub too_large_for: Option<u64>,
    /// Where somebody who only hears of them finds them.
    pub elsewhere: Option<Elsewhere>,
}

/// Which other message of the same sending or incident has the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    Mail,
    Link,
}

/// A name for a file: no folder, nothing that a shell, a browser or a mail program takes for something
/// else, not too long; the end, which tells the sort of file to people, stays.
pub fn clean_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let harmless = |c: char| match c {
        c if c.is_control() || is_treacherous(c) => None,
        '"' | '*' | ':' | '<' | '>' | '?' | '|' | '%' | '\'' | '`' | '$' | ';' | '&' => Some('_'),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    };
    let name: String = last.chars().filter_map(harmless).collect();
    let name = name.trim_matches([' ', '.']);
    match name.chars().count() {
        0 => "attachment".to_owned(),
        n if n > NAME => {
            let (stem, end) = name.rsplit_once('.').filter(|(_, end)| end.len() <= 10).unwrap_or((name, ""));
            let dot = if end.is_empty() { "" } else { "." };
            let stem: String = stem.chars().take(NAME - end.chars().count() - dot.len()).collect();
            format!("{stem}{dot}{end}")
        }
        _ => name.to_owned(),
    }
}

/// The media type, by the content alone.
pub fn media_type(bytes: &[u8]) -> &'static str {
    match infer::get(bytes) {
        Some(kind) => kind.mime_type(),
        None if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) => "text/plain",
        None => "application/octet-stream",
    }
}

/// `120 KB`, `4.2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

impl Enclosures<'_> {
    /// What a text for people says of them, a line for each thing; nothing where they are carried.
    pub(super) fn lines(&self) -> Vec<String> {
        let Enclosures { files, carried, too_large_for, .. } = self;
        if files.is_empty() || *carried {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if let Some(most) = too_large_for {
            lines.push(format!("Not attached, because this channel takes {most} MiB:"));
        }
        match files.iter().all(|f| f.link.is_some()) {
            true => lines.extend(files.iter().map(|f| {
                format!("{} ({}): {}", f.file.name, size(f.file.place.bytes), f.link.as_deref().unwrap_or_default())
            })),
            false => {
                let named = |f: &Enclosure<'_>| format!("{} ({})", f.file.name, size(f.file.place.bytes));
                let names: Vec<String> = files.iter().map(named).collect();
                lines.push(format!("{}, see mail / ledger: {}", count(files.len()), names.join(", ")));
            }
        }
        lines
    }

    /// The same for a medium where each letter counts.
    pub(super) fn brief(&self) -> Option<String> {
        let Enclosures { files, carried, .. } = self;
        let links: Option<Vec<&str>> = files.iter().map(|f| f.link.as_deref()).collect();
        match (files.len(), links) {
            (0, _) => None,
            _ if *carried => None,
            (n, Some(links)) => Some(format!("{}: {}", count(n), links.join(" "))),
            (n, None) => Some(format!("{}, see mail / ledger", count(n))),
        }
    }

    /// The same to be spoken, where there is somewhere to look: `Two files are attached to the mail.`
    pub(super) fn spoken(&self) -> Option<String> {
        let place = match self.elsewhere.filter(|_| !self.files.is_empty())? {
            Elsewhere::Mail => "attached to the mail",
            Elsewhere::Link => "linked in the written message",
        };
        let n = self.files.len();
        let (count, verb) = (capital(&number(n as u64)), if n == 1 { "file is" } else { "files are" });
        Some(format!("{count} {verb} {place}."))
    }

    /// How they go with a message that says this; `None`: there are none.
    pub fn go_with(&self, text: &str) -> Option<Carriage> {
        let first = self.files.first()?;
        let path = first.link.as_deref().and_then(|link| link.split('?').next());
        let says = |words: Option<String>| words.is_some_and(|words| text.contains(&words));
        let how = match () {
            () if self.carried => Carried::Whole,
            () if path.is_some_and(|path| text.contains(path)) => Carried::Linked,
            () if text.contains(&first.file.name) || says(self.brief()) || says(self.spoken()) => Carried::Named,
            () => Carried::Unsaid,
        };
        Some(Carriage { how, too_large_for: self.too_large_for })
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 attachment".to_owned() } else { format!("{n} attachments") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name_and_nothing_else() {
        for (given, clean) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\a b.txt", "a b.txt"),
            (".bashrc", "bashrc"),
            ("..", "attachment"),
            ("", "attachment"),
            ("a\r\nX-Evil: 1.txt", "aX-Evil_ 1.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("<script>\"x\".html", "_script__x_.html"),
            ("überblick 表.xlsx", "überblick 表.xlsx"),
        ] {
            assert_eq!(clean_name(given), clean, "{given:?}");
        }
        let long = clean_name(&format!("{}.pdf", "x".repeat(300)));
        assert_eq!((long.chars().count(), long.ends_with("x.pdf")), (100, true));
    }

    #[test]
    fn a_call_says_where_they_are_and_a_record_how_they_went() {
        let place = crate::domain::event::Place { seq: 7, bytes: 41, blob: None };
        let file = Attachment { name: "report.pdf".into(), mime: "application/pdf".into(), place };
        let link = || Some("https://a.example.org/attachments/7-9f/report.pdf?e=1&s=2".to_owned());
        let of = |n: usize, elsewhere| Enclosures {
            files: vec![Enclosure { file: &file, link: link() }; n],
            elsewhere,
            ..Enclosures::default()
        };
        assert_eq!(of(1, None).spoken(), None, "there is nowhere to look");
        assert_eq!(of(0, Some(Elsewhere::Mail)).spoken(), None);
        assert_eq!(of(1, Some(Elsewhere::Mail)).spoken().unwrap(), "One file is attached to the mail.");
        assert_eq!(of(2, Some(Elsewhere::Link)).spoken().unwrap(), "Two files are linked in the written message.");
        let how = |files: &Enclosures<'_>, text: &str| files.go_with(text).map(|go| go.how);
        let one = of(1, Some(Elsewhere::Mail));
        assert_eq!(how(&one, "x https://a.example.org/attachments/7-9f/report.pdf?e=9&s=8"), Some(Carried::Linked));
        assert_eq!(how(&one, "alarm. One file is attached to the mail."), Some(Carried::Named));
        assert_eq!(how(&one, "alarm"), Some(Carried::Unsaid));
        assert_eq!(how(&Enclosures { carried: true, ..one }, "alarm"), Some(Carried::Whole));
        assert_eq!(how(&of(0, None), "alarm"), None);
        let named = Enclosures { files: vec![Enclosure { file: &file, link: None }], ..Enclosures::default() };
        assert_eq!(how(&named, &named.brief().unwrap()), Some(Carried::Named));
    }

    #[test]
    fn the_type_is_in_the_content() {
        assert_eq!(media_type(b"%PDF-1.7 ..."), "application/pdf");
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n...."), "image/png");
        assert_eq!(media_type(b"plain words"), "text/plain");
        assert_eq!(media_type(b""), "text/plain");
        assert_eq!(media_type(b"MZ\x90\0\x03"), "application/vnd.microsoft.portable-executable");
        assert_eq!(media_type(&[0, 159, 146, 150]), "application/octet-stream");
        assert_eq!([size(999), size(120_500), size(4_250_000)], ["999 B", "120 KB", "4.2 MB"]);
    }
}
