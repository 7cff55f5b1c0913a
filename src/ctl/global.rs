//! The flags that every command takes: where the daemon is, in which form it answers.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The daemon's control socket
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "STENTOR_SOCKET",
        default_value = "/run/stentor/control.sock"
    )]
    pub socket: PathBuf,
    /// Ask over TCP instead of the socket
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// File with the token for --url
    #[arg(long, global = true, value_name = "FILE", requires = "url")]
    pub token_file: Option<PathBuf>,
    /// Print the API's JSON document (streams: one a line), errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}
