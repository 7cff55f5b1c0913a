//! `make run`: everything up, until Ctrl-C.

use crate::stage::{Stage, beside_us};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::process::ExitCode;

pub async fn run() -> ExitCode {
    let mut stage = match Stage::set(true).await {
        Ok(stage) => stage,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let control = stage.standins.control().await;
    let folder = beside_us("");
    println!(
        "\nstentord is up with etc/demo.toml; {}.\nIn another terminal:\n\n    \
         export STENTOR_SOCKET={} PATH={}:$PATH\n    \
         stentorctl\n    \
         stentorctl page --subject \"db-1 does not answer\"\n    \
         stentorctl ack\n\n\
         What the stand-ins got:     curl {control}/recorded\n\
         Make Twilio's key invalid:  curl -d '{{\"credentials\": \"revoked\"}}' {control}/twilio    (or \"valid\")\n\
         Ctrl-C ends it.\n",
        stage.ear.describe(),
        stage.socket().display(),
        folder.display().to_string().trim_end_matches('/'),
    );
    let Ok(mut ends) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return ExitCode::FAILURE };
    let handle = ends.handle();
    let asked = tokio::task::spawn_blocking(move || ends.forever().next().is_some());
    tokio::select! {
        _ = asked => {}
        () = stage.ended() => handle.close(),
    }
    match stage.stop().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
