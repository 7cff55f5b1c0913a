//! Mail over the servers of Gmail and Office 365, which take a token in place of a password
//! (XOAUTH2).
//!
//! Settings of both: `username` (the mailbox), `client_id`, `client_secret` (Office 365: if the
//! application has one), `refresh_token`; `from` (default: the mailbox); `host`, `port`, `tls`
//! ("starttls", "implicit") and `token_url` in place of the provider's own; `tenant` (Office 365 only,
//! default "common"); `hello`, and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::smtp::session::{Login, Mode, Server};
use crate::channel::smtp::tokens::{Source, Tokens};
use crate::channel::smtp::{Smtp, hello};
use crate::channel::{Channel, Format, Kind};
use crate::domain::delivery::{Medium, Sort};
use crate::settings::Table;
use std::sync::Arc;

pub const GMAIL: Kind =
    Kind { name: "gmail", sort: Sort::Addressed(Medium::Mail), provider: "gmail", format: Format::Mail, read: gmail };

pub const OFFICE365: Kind = Kind {
    name: "office365",
    sort: Sort::Addressed(Medium::Mail),
    provider: "office365",
    format: Format::Mail,
    read: office365,
};

/// Where a provider's mail and tokens are.
struct Provider {
    host: &'static str,
    tokens: Source,
}

fn gmail(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let token_url = "https://oauth2.googleapis.com/token".to_owned();
    let tokens = Source { url: token_url, scope: "", secret_optional: false };
    read(table, &Provider { host: "smtp.gmail.com", tokens })
}

fn office365(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let tenant = table.parsed("tenant", |text| {
        let well = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        if well { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a tenant; write its id or its domain")) }
    });
    let tenant = tenant.filter(|t| !t.is_empty()).unwrap_or_else(|| "common".into());
    let token_url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    let scope = "https://outlook.office.com/SMTP.Send offline_access";
    let tokens = Source { url: token_url, scope, secret_optional: true };
    read(table, &Provider { host: "smtp.office365.com", tokens })
}

fn read(table: &mut Table<'_>, provider: &Provider) -> Option<Arc<dyn Channel>> {
    let way = Way::read(table);
    let mode = match table.choice("tls", &["starttls", "implicit"]) {
        Some("implicit") => Mode::Implicit,
        _ => Mode::StartTls,
    };
    let host = table.text("host").filter(|h| !h.is_empty()).unwrap_or_else(|| provider.host.into());
    let port = table.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(mode.port());
    let username = table.require_text("username", "alarms@example.org");
    let from = table.parsed("from", http::mailbox);
    let said = table.has("from");
    let tokens = Tokens::read(table, &provider.tokens, way);
    let attaches = http::attachments(table);
    let (hello, ca_file, limit) = (hello(table), http::ca_file(table), http::timeout(table).to_std());
    let (username, tokens) = (username?, tokens?);
    let from = match from {
        Some(from) => from,
        None if said => return None,
        None if username.is_empty() => http::mailbox("stentor@simulated.invalid").ok()?,
        None => match http::mailbox(&username) {
            Ok(from) => from,
            Err(why) => {
                table.error("username", why, "write the whole address, or from = \"...\" beside it");
                return None;
            }
        },
    };
    let login = Some(Login::Token { username, tokens: Box::new(tokens) });
    Some(Arc::new(Smtp { from, attaches, server: Server::new(host, port, mode, hello, login, ca_file, limit) }))
}
