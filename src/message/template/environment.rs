//! How minijinja is set up for each form of text: strict, with fuel, without anything of the host,
//! and with what strangers say escaped for the form whatever the template does.

use minijinja::value::{Kwargs, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, HtmlEscape, Output, UndefinedBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Instructions; a text of ordinary size needs a few thousand.
const FUEL: u64 = 200_000;
/// The one template that an environment has.
const NAME: &str = "t";

/// How values become letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As minijinja does it, nothing escaped: a channel's own `body`.
    Raw,
    /// As they are; what is absent (null) is nothing.
    Plain,
    Html,
    /// As the inside of a JSON text; `|tojson` makes a whole value.
    Json,
}

/// The environment of one template.
///
/// # Errors
/// The template is malformed.
pub fn environment(escape: Escape, source: &str) -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(move |_| match escape {
        Escape::Raw | Escape::Plain => AutoEscape::None,
        Escape::Html => AutoEscape::Html,
        // Only so that what was made by the template itself is known to be escaped already.
        Escape::Json => AutoEscape::Custom("json".into()),
    });
    match escape {
        Escape::Raw => {}
        Escape::Plain => env.set_formatter(|out, _, value| plain(out, value)),
        Escape::Html => env.set_formatter(|out, _, value| html(out, value)),
        Escape::Json => env.set_formatter(|out, _, value| json(out, value)),
    }
    env.add_filter("tojson", whole_json);
    if escape == Escape::Html {
        // Either would let a stranger's words through as they are.
        env.remove_filter("safe");
        env.remove_filter("tojson");
    }
    if escape == Escape::Json {
        env.remove_filter("safe");
    }
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // Else an error would quote the values of the message.
    env.set_debug(false);
    env.remove_global("debug");
    env.add_template_owned(NAME, source.to_owned())?;
    Ok(env)
}

/// The names that the template asks for and does not make itself: `subject`, `vars.host`.
pub fn asked(env: &Environment<'_>) -> Vec<String> {
    let globals: Vec<&str> = env.globals().map(|(name, _)| name).collect();
    let asked = env.get_template(NAME).map(|t| t.undeclared_variables(true)).unwrap_or_default();
    let mut asked: Vec<String> = asked.into_iter().filter(|name| !globals.contains(&name.as_str())).collect();
    asked.sort();
    asked
}

/// The text, of at most `longest` bytes.
///
/// # Errors
/// As minijinja has them; a panic in it is one, too.
pub fn render(env: &Environment<'_>, tree: &serde_json::Value, longest: usize) -> Result<String, Error> {
    let mut out = Bounded { bytes: Vec::new(), longest };
    // A template is config, and config must never take the engine down.
    let made = catch_unwind(AssertUnwindSafe(|| {
        env.get_template(NAME)?.render_captured_to(Value::from(Serde(tree)), &mut out).map(drop)
    }));
    made.unwrap_or_else(|_| Err(Error::new(ErrorKind::InvalidOperation, "it cannot be rendered")))?;
    String::from_utf8(out.bytes).map_err(|_| Error::new(ErrorKind::BadSerialization, "the text is not UTF-8"))
}

fn plain(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => Ok(()),
        _ => Ok(write!(out, "{value}")?),
    }
}

fn html(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if value.is_safe() => Ok(out.write_str(text)?),
        Some(text) => Ok(write!(out, "{}", HtmlEscape(text))?),
        None if value.kind() == ValueKind::None => Ok(()),
        None => Ok(write!(out, "{}", HtmlEscape(&value.to_string()))?),
    }
}

fn json(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) if value.is_safe() => Ok(out.write_str(text)?),
        (Some(text), _) => Ok(out.write_str(&inside_json(text))?),
        (None, ValueKind::None) => Ok(()),
        (None, ValueKind::Bool | ValueKind::Number) => Ok(write!(out, "{value}")?),
        (None, _) => {
            let whole = serde_json::to_string(value);
            Ok(out.write_str(&whole.map_err(|_| Error::new(ErrorKind::BadSerialization, "it is no JSON"))?)?)
        }
    }
}

/// As minijinja's own, but what is not there is no null.
fn whole_json(value: &Value, indent: Option<Value>, more: Kwargs) -> Result<Value, Error> {
    match value.is_undefined() {
        true => Err(Error::from(ErrorKind::UndefinedError)),
        false => minijinja::filters::tojson(value, indent, more),
    }
}

/// A text as it stands between the quotes of JSON.
fn inside_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// Collects so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    longest: usize,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.longest {
            return Err(std::io::Error::other("the text is too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
