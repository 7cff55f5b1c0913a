//! Commands whose names and flags stand, and that are refused by name.

use crate::ctl::commands::values;
use crate::ctl::session::Outcome;
use crate::ctl::trouble::Trouble;
use clap::Args;
use std::path::PathBuf;

/// # Errors
/// Always.
pub fn refuse(what: &str) -> Outcome {
    Err(Trouble::Usage(format!("{what} is not yet supported")))
}

#[derive(Debug, Args)]
pub struct Who {
    /// low, normal, high or urgent
    #[arg(long)]
    level: String,
    /// Whom; again for more
    #[arg(long, value_name = "WHO")]
    to: Vec<String>,
    /// A label; again for more
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = values::label)]
    labels: Vec<(String, String)>,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<String>,
    /// By this config, without a daemon
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Rehearse {
    /// By this config, without a daemon
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// low, normal, high or urgent
    #[arg(long)]
    level: String,
    /// A label; again for more
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = values::label)]
    labels: Vec<(String, String)>,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<String>,
    /// How much of what follows
    #[arg(long = "for", value_name = "DURATION", value_parser = values::duration)]
    length: Option<String>,
    /// nobody-acks, ack-after=6m, channel-dead=sms
    #[arg(long, value_delimiter = ',')]
    assume: Vec<String>,
}
