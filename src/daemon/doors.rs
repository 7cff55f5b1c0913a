//! The control socket, and the TCP listener if there is one.
//!
//! Without its socket the daemon does not start: nobody could acknowledge. Without its TCP port it
//! does: health and metrics are not worth an alarm that nobody gets.

use super::Exit;
use super::tasks::Tasks;
use crate::api::{self, Api};
use crate::config::Config;
use crate::domain::time::Span;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A port that is taken is looked at again after this.
const AGAIN: Span = Span::secs(5);

/// # Errors
/// When there is no control socket; it is in the log.
pub async fn open(tasks: &Tasks, config: &Config, api: &Arc<Api>) -> Result<(), Exit> {
    let socket = api::bind_socket(&config.daemon.socket).map_err(|error| {
        tracing::error!(%error, "no control socket");
        Exit::Failed
    })?;
    let (door, socket) = (api.clone(), Arc::new(socket));
    tasks.keep("control socket", move || api::serve_socket(door.clone(), socket.clone()));
    let Some(listen) = config.http.as_ref().map(|http| http.listen) else { return Ok(()) };
    match TcpListener::bind(listen).await {
        Ok(listener) => serve(tasks, api, listener),
        Err(error) => {
            tracing::error!(%error, %listen, "nothing listens on TCP; it is tried again");
            let (later, api) = (tasks.clone(), api.clone());
            tasks.once("http listener, waiting", async move { serve(&later, &api, bound(listen).await) });
        }
    }
    Ok(())
}

fn serve(tasks: &Tasks, api: &Arc<Api>, listener: TcpListener) {
    let (door, listener) = (api.clone(), Arc::new(listener));
    tasks.keep("http listener", move || api::serve_tcp(door.clone(), listener.clone()));
}

/// Waits for the port.
async fn bound(listen: SocketAddr) -> TcpListener {
    loop {
        tokio::time::sleep(AGAIN.to_std()).await;
        if let Ok(listener) = TcpListener::bind(listen).await {
            tracing::info!(%listen, "TCP is listened on now");
            return listener;
        }
    }
}
