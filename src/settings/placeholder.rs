//! `${NAME}`, `${NAME:-text}`, `${file:NAME}` inside strings, and `$${` for a plain `${`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the values of placeholders come from; tests bring their own.
pub trait Environment {
    /// An environment variable; `None` when it is not set.
    fn variable(&self, name: &str) -> Option<String>;

    /// The content of a file: a bare name lies in the systemd credentials directory.
    ///
    /// # Errors
    /// A sentence that says why it cannot be read.
    fn file(&self, name: &str) -> Result<String, String>;
}

/// The variables and credentials of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

/// No secret is longer; a device or a log given by mistake is not read to its end.
const MAX_FILE: u64 = 64 * 1024;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, name: &str) -> Result<String, String> {
        let path = if name.contains('/') {
            PathBuf::from(name)
        } else {
            let dir = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                format!("{name:?} is a systemd credential, but there is no $CREDENTIALS_DIRECTORY; write LoadCredential={name}:/path in the unit, or give a path")
            })?;
            Path::new(&dir).join(name)
        };
        read_small(&path)
    }
}

fn read_small(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let told = |why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|e| told(&e))?;
    if !file.metadata().map_err(|e| told(&e))?.is_file() {
        return Err(told(&"it is not a regular file"));
    }
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|e| told(&e))?;
    if text.len() as u64 > MAX_FILE {
        return Err(told(&"it is larger than 64 KiB"));
    }
    Ok(text)
}

/// Fixed values: `NAME` is a variable, `file:NAME` a file.
impl Environment for BTreeMap<String, String> {
    fn variable(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }

    fn file(&self, name: &str) -> Result<String, String> {
        self.get(&format!("file:{name}"))
            .cloned()
            .ok_or_else(|| format!("{name} cannot be read: there is no such file"))
    }
}

/// A part of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    Literal(&'t str),
    /// A plain `${`, written `$${`.
    Escaped,
    Variable {
        name: &'t str,
        default: Option<&'t str>,
    },
    File(&'t str),
}

/// # Errors
/// A sentence that says what would be right.
pub fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let escaped = rest[..at].ends_with('$');
        let literal = &rest[..at - usize::from(escaped)];
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        rest = &rest[at + 2..];
        if escaped {
            parts.push(Part::Escaped);
            continue;
        }
        let end =
            rest.find('}').ok_or("a placeholder begins with \"${\" and has no \"}\"; write $${ for a plain ${")?;
        parts.push(placeholder(&rest[..end])?);
        rest = &rest[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    Ok(parts)
}

fn placeholder(inner: &str) -> Result<Part<'_>, String> {
    if let Some(name) = inner.strip_prefix("file:") {
        if name.is_empty() || name.split('/').any(|part| part == "..") {
            return Err(format!("\"${{{inner}}}\" names no file; write ${{file:NAME}} or ${{file:/path}}"));
        }
        return Ok(Part::File(name));
    }
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let named = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !named {
        return Err(format!(
            "\"${{{inner}}}\" is not a placeholder; write ${{NAME}}, ${{NAME:-text}} or ${{file:NAME}}, or $${{ for a plain ${{"
        ));
    }
    Ok(Part::Variable { name, default })
}

/// What became of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    Text(String),
    /// These are not set; why and what to do, a sentence each.
    Missing(Vec<String>),
}

/// Puts the values in. As in a shell, `:-` also stands in for a variable that is set and empty.
/// `seen` is told each placeholder and its value.
pub fn resolve(parts: &[Part<'_>], environment: &dyn Environment, mut seen: impl FnMut(&str, &str)) -> Resolved {
    let mut text = String::new();
    let mut missing = Vec::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Escaped => text.push_str("${"),
            Part::Variable { name, default } => {
                let set = environment.variable(name).filter(|v| !v.is_empty() || default.is_none());
                match set.or_else(|| default.map(str::to_owned)) {
                    Some(value) => {
                        seen(name, &value);
                        text.push_str(&value);
                    }
                    None => missing.push(format!(
                        "the environment variable {name} is not set; set it, or write ${{{name}:-text}} to have a default"
                    )),
                }
            }
            Part::File(name) => match environment.file(name) {
                Ok(content) => {
                    let value = content.strip_suffix('\n').unwrap_or(&content);
                    let value = value.strip_suffix('\r').unwrap_or(value);
                    seen(name, value);
                    text.push_str(value);
                }
                Err(why) => missing.push(why),
            },
        }
    }
    if missing.is_empty() { Resolved::Text(text) } else { Resolved::Missing(missing) }
}

/// The string with everything but the placeholders' names blanked out, for places where a secret
/// may not appear.
pub fn masked(text: &str) -> String {
    let Ok(parts) = parts(text) else { return MASK.to_owned() };
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(_) | Part::Escaped => MASK.to_owned(),
            Part::Variable { name, default: None | Some("") } => format!("${{{name}}}"),
            Part::Variable { name, .. } => format!("${{{name}:-{MASK}}}"),
            Part::File(name) => format!("${{file:{name}}}"),
        })
        .collect()
}

/// What stands in the place of a secret.
pub const MASK: &str = "[secret]";
