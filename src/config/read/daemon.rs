//! `[daemon]`, `[deadman]`, `[http]`.

use crate::config::model::{Daemon, Deadman, Http};
use crate::config::read::entries::some_time;
use crate::config::read::intake;
use crate::config::state_dir;
use crate::domain::phone::Region;
use crate::domain::time::Span;
use crate::settings::{Environment, Table};
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::path::PathBuf;

const SOCKET: &str = "/run/stentor/control.sock";
/// MiB of the attachments of one message.
const ATTACHMENTS: u64 = 20;
const NAME_MAX: usize = 64;
/// `sun_path` has 108 bytes, the last a zero.
const SOCKET_PATH_MAX: usize = 107;

pub fn read(root: &mut Table<'_>, environment: &dyn Environment) -> Daemon {
    let mut table = root.table("daemon");
    let mut text = |key: &str| table.as_mut().and_then(|t| t.text(key)).filter(|text| !text.trim().is_empty());
    let name = text("name").unwrap_or_else(host_name);
    let state_dir = text("state_dir").map_or_else(|| state_dir::by_default(environment), PathBuf::from);
    let socket = text("socket").unwrap_or_else(|| SOCKET.to_owned());
    let zone = table.as_mut().and_then(|t| t.parsed("timezone", timezone));
    if let Some(t) = &mut table
        && socket.len() > SOCKET_PATH_MAX
    {
        t.error("socket", format!("the path has {} bytes", socket.len()), "a socket's path has at most 107 bytes");
    }
    if let Some(t) = &mut table
        && (name.chars().count() > NAME_MAX || name.chars().any(char::is_control))
    {
        t.error(
            "name",
            "it is said in every message, and nobody can say this",
            "write at most 64 characters, on one line",
        );
    }
    let (timezone, timezone_name) = zone.unwrap_or_else(system_zone);
    let region = table.as_mut().and_then(|t| t.parsed("region", Region::parse));
    let attachments = table.as_mut().and_then(|t| t.integer("attachments_mib", 0..=25));
    let attachments = attachments.map_or(ATTACHMENTS, i64::unsigned_abs) << 20;
    Daemon { name, state_dir, socket: socket.into(), timezone, timezone_name, region, attachments }
}

/// An IANA name that both the clock and cron know.
pub fn timezone(name: &str) -> Result<(TimeZone, String), String> {
    let known = name.parse::<chrono_tz::Tz>().is_ok();
    match TimeZone::get(name) {
        Ok(zone) if known => Ok((zone, name.to_owned())),
        Err(_) if known => Err(format!("{name:?} is not in this system's time zones; install its tzdata package")),
        _ => Err(format!("{name:?} is not a time zone; write for example \"Europe/Prague\"")),
    }
}

fn system_zone() -> (TimeZone, String) {
    let name = TimeZone::system().iana_name().map(str::to_owned);
    name.and_then(|name| timezone(&name).ok()).unwrap_or((TimeZone::UTC, "UTC".to_owned()))
}

fn host_name() -> String {
    // Asked of the kernel: under the unit's ProcSubset=pid there is no /proc/sys.
    let name = nix::unistd::gethostname().unwrap_or_default();
    let name = name.to_string_lossy();
    if name.is_empty() { "stentor".to_owned() } else { name.into_owned() }
}

/// `None` when there is none, or its `url` is empty.
pub fn read_deadman(root: &mut Table<'_>) -> Option<Deadman> {
    let mut table = root.table("deadman")?;
    let every = some_time(&mut table, "every").unwrap_or(Span::mins(1));
    let url = table.secret("url").unwrap_or_default();
    if url.is_empty() {
        return None;
    }
    if !is_web_address(url.reveal()) {
        table.error("url", "this is not a web address", "write url = \"https://...\", or \"\" for off");
    }
    Some(Deadman { url, every })
}

pub fn read_http(root: &mut Table<'_>) -> Option<Http> {
    let mut table = root.table("http")?;
    let tokens = intake::read_tokens(&mut table);
    let public_url = table.parsed("public_url", |text| match text.trim_end_matches('/') {
        "" => Ok(None),
        // Twilio refuses every message that names such a place to call back.
        url if is_web_address(url) && host_of(url).contains('_') => {
            Err(format!("{text:?} has an underscore in its host, which providers refuse; write a name without it"))
        }
        url if is_web_address(url) => Ok(Some(url.to_owned())),
        _ => Err(format!("{text:?} is not a web address; write for example \"https://alarm.example.org\"")),
    });
    let listen = table.require_parsed("listen", "127.0.0.1:7373", |text| {
        text.parse::<SocketAddr>()
            .map_err(|_| format!("{text:?} is not an address and a port; write for example \"127.0.0.1:7373\""))
    })?;
    if !listen.ip().is_loopback() && tokens.is_empty() {
        table.error(
            "listen",
            format!("{listen} can be reached from other machines, and there is no token and no key"),
            "write listen = \"127.0.0.1:7373\", or a token in [http.tokens.NAME]",
        );
    }
    let attachments_for = some_time(&mut table, "attachments_for").unwrap_or(Span::days(7));
    Some(Http { listen, public_url: public_url.flatten(), tokens, attachments_for })
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn is_web_address(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
