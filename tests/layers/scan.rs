//! Reads Rust sources as far as imports need it: words and marks without comments and texts.

use std::path::Path;

/// A file under `src/`.
#[derive(Clone, Debug)]
pub struct Source {
    /// `src/channel/smtp.rs`.
    pub path: String,
    /// `["channel", "smtp"]`; a binary is `["bin", "stentord"]`.
    pub module: Vec<String>,
    pub tokens: Vec<Token>,
    pub text: String,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path from the root of the crate that a file speaks of.
#[derive(Clone, Debug)]
pub struct Reference {
    pub path: Vec<String>,
    pub line: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let module =
            if matches!(inner, "lib" | "mod") { Vec::new() } else { inner.split('/').map(str::to_owned).collect() };
        Source { path: path.to_owned(), module, tokens: tokens(text), text: text.to_owned() }
    }

    /// `None` for lib.rs.
    pub fn folder(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    pub fn references(&self) -> Vec<Reference> {
        references(&self.tokens, &self.module)
    }
}

/// Every `.rs` file under a folder, in order of name.
pub fn read(src: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = format!("src/{}", path.strip_prefix(src).unwrap().to_string_lossy());
                found.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Words, `::`, and every other mark by itself.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    let is = |at: usize, what: &str| what.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while at < chars.len() {
        let c = chars[at];
        let from = at;
        if is(at, "//") {
            at = until(&chars, at, |at| chars[at] == '\n');
        } else if is(at, "/*") {
            at = after_block_comment(&chars, at);
        } else if let Some(end) = after_text(&chars, at) {
            at = end;
        } else if is_word(c) {
            at = until(&chars, at, |at| !is_word(chars[at]));
            tokens.push(Token { text: chars[from..at].iter().collect(), line });
        } else if is(at, "::") {
            at += 2;
            tokens.push(Token { text: "::".to_owned(), line });
        } else {
            at += 1;
            if !c.is_whitespace() {
                tokens.push(Token { text: c.to_string(), line });
            }
        }
        line += chars[from..at].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn until(chars: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|at| stop(*at)).unwrap_or(chars.len())
}

fn after_block_comment(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0, from);
    while at < chars.len() {
        match chars[at..].get(..2) {
            Some(['/', '*']) => (depth, at) = (depth + 1, at + 2),
            Some(['*', '/']) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The end of the string or character that begins here, if one does; a lifetime is none.
fn after_text(chars: &[char], from: usize) -> Option<usize> {
    let before = from.checked_sub(1).map(|at| chars[at]);
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut at = from;
    if !in_word && matches!(chars[at], 'b' | 'c') {
        at += 1;
    }
    if !in_word && chars.get(at) == Some(&'r') {
        let quote = until(chars, at + 1, |at| chars[at] != '#');
        let hashes = quote - at - 1;
        let ends = |at: usize| {
            chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        };
        return (chars.get(quote) == Some(&'"')).then(|| until(chars, quote + 1, ends) + 1 + hashes);
    }
    match chars.get(at)? {
        '"' => Some(after_quoted(chars, at, '"')),
        '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
            Some(after_quoted(chars, at, '\''))
        }
        _ => None,
    }
}

fn after_quoted(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn references(tokens: &[Token], module: &[String]) -> Vec<Reference> {
    let is_bin = module.first().is_some_and(|m| m == "bin");
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    let mut found = Vec::new();
    // Modules inside the file, each with the depth of braces at which it ends.
    let (mut inside, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    let mut at = 0;
    while at < tokens.len() {
        let begins = text(at + 1) == "::" && (at == 0 || text(at - 1) != "::");
        match text(at) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inside.last().is_some_and(|(_, d)| *d == depth) {
                    inside.pop();
                }
            }
            "mod" if text(at + 2) == "{" => inside.push((text(at + 1).to_owned(), depth)),
            "crate" if begins => drop(leaves(tokens, at + 2, &mut Vec::new(), &mut found)),
            "stentor" if begins && is_bin => drop(leaves(tokens, at + 2, &mut Vec::new(), &mut found)),
            "super" | "self" if begins => {
                let mut base: Vec<String> =
                    module.iter().cloned().chain(inside.iter().map(|(m, _)| m.clone())).collect();
                let mut next = at;
                while matches!(text(next), "super" | "self") && text(next + 1) == "::" {
                    if text(next) == "super" {
                        base.pop();
                    }
                    next += 2;
                }
                leaves(tokens, next, &mut base, &mut found);
                at = next.max(at + 1);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads `a::b`, `a::{b, c::d}` or `*` after a prefix; every leaf is a reference. Gives the place
/// after it.
fn leaves(tokens: &[Token], from: usize, prefix: &mut Vec<String>, found: &mut Vec<Reference>) -> usize {
    let Some(token) = tokens.get(from) else { return from };
    let known = prefix.len();
    let mut at = from + 1;
    if token.text == "{" {
        while tokens.get(at).is_some_and(|t| t.text != "}") {
            at = leaves(tokens, at, prefix, found);
            // `as name`, and the comma.
            while tokens.get(at).is_some_and(|t| t.text != "," && t.text != "}") {
                at += 1;
            }
            if tokens.get(at).is_some_and(|t| t.text == ",") {
                at += 1;
            }
        }
        return at + 1;
    }
    let is_word = token.text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if is_word && token.text != "self" {
        prefix.push(token.text.clone());
    }
    if is_word && tokens.get(at).is_some_and(|t| t.text == "::") {
        at = leaves(tokens, at + 1, prefix, found);
    } else {
        found.push(Reference { path: prefix.clone(), line: token.line });
    }
    prefix.truncate(known);
    at
}
