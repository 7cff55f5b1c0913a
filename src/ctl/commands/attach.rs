//! Files that go along with a message: read here, so that the daemon needs no right to them.

use crate::ctl::trouble::{Refusal, Trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The daemon takes no more; what its config says may be less.
const EACH: u64 = 10 << 20;
const ALL: u64 = 25 << 20;

/// `None`: there are none.
///
/// # Errors
/// A file that cannot be read, or is too large.
pub fn all(paths: &[PathBuf]) -> Result<Option<Value>, Trouble> {
    let mut bytes = 0;
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let content = content(path)?;
        bytes += content.len() as u64;
        if bytes > ALL {
            return Err(too_large(format!("all attachments together are larger than {} MiB", ALL >> 20)));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.push(json!({ "name": name, "content_base64": STANDARD.encode(content) }));
    }
    Ok((!files.is_empty()).then_some(files.into()))
}

fn content(path: &Path) -> Result<Vec<u8>, Trouble> {
    let wrong = |words: String| Trouble::Usage(format!("--attach {}: {words}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| wrong(e.to_string()))?;
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Err(wrong("this is a directory".into()));
    }
    let mut content = Vec::new();
    file.take(EACH + 1).read_to_end(&mut content).map_err(|e| wrong(e.to_string()))?;
    if content.len() as u64 > EACH {
        let size = std::fs::metadata(path).map_or(EACH, |found| found.len());
        let mib = size as f64 / f64::from(1 << 20);
        return Err(too_large(format!(
            "{} has {mib:.1} MiB; one attachment has at most {} MiB",
            path.display(),
            EACH >> 20
        )));
    }
    Ok(content)
}

fn too_large(words: String) -> Trouble {
    Trouble::Refused(Refusal::too_large("attachments", &words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_what_is_wrong_names_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a.txt"), "hello").unwrap();
        std::fs::write(path("big"), vec![0; (10 << 20) + 1]).unwrap();
        assert_eq!(all(&[]).unwrap(), None);
        let made = all(&[path("a.txt")]).unwrap().unwrap();
        assert_eq!(made, json!([{ "name": "a.txt", "content_base64": "aGVsbG8=" }]));
        let words = |paths: &[PathBuf]| match all(paths).unwrap_err() {
            Trouble::Usage(words) => words,
            Trouble::Refused(refusal) => refusal.error["message"].as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        };
        assert!(words(&[path("none")]).contains("No such file"), "{}", words(&[path("none")]));
        assert!(words(&[dir.path().into()]).contains("is a directory"));
        assert!(words(&[path("big")]).ends_with("big has 10.0 MiB; one attachment has at most 10 MiB"));
    }
}
