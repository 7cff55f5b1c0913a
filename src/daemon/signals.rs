//! Signals, from signal-hook's thread to a channel.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a signal means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Reload,
    Stop(&'static str),
    Dump,
}

/// A reload that is asked for before anybody listens ends nothing: what is read at the start is new anyway.
pub fn shield() {
    let _ = signal_hook::flag::register(SIGHUP, Arc::default());
}

/// Listens from now on.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn listen() -> std::io::Result<mpsc::UnboundedReceiver<Signal>> {
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGUSR1])?;
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let meaning = match signal {
                SIGHUP => Signal::Reload,
                SIGTERM => Signal::Stop("SIGTERM"),
                SIGINT => Signal::Stop("SIGINT"),
                _ => Signal::Dump,
            };
            if sender.send(meaning).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
