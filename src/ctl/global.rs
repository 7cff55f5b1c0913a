//! The flags that every command takes: where the daemon is, in which form it answers.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The daemon's control socket [env: STENTOR_SOCKET] [default: /run/stentor/control.sock]
    // The environment is read by us: clap would name the flag in the usage of every mistake.
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
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

impl Global {
    /// The socket as the flag has it, else the environment, else where the unit puts it.
    pub fn socket(&self) -> PathBuf {
        let named = || std::env::var_os("STENTOR_SOCKET").filter(|path| !path.is_empty()).map(PathBuf::from);
        self.socket.clone().or_else(named).unwrap_or_else(|| PathBuf::from("/run/stentor/control.sock"))
    }
}
