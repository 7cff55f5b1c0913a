//! Mails a second to an SMTP server on loopback that takes everything.

use super::callers;
use super::daemon::{Daemon, Place, slots_line};
use super::table::{Table, rate};
use super::{Args, Failed};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

const MAILS: u64 = 5_000;
const SENDERS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(place: &Place, args: &Args, table: &mut Table) -> Result<(), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let taken = Arc::new(AtomicU64::new(0));
    tokio::spawn(serve(listener, taken.clone()));
    let daemon = Daemon::with_channel(place, &channel(address, args.slots)).await?;
    let senders = callers::open(&daemon.socket, SENDERS).await?.ok_or("no callers")?;
    let began = Instant::now();
    callers::burst(senders, 0, MAILS).await?;
    while taken.load(Ordering::Relaxed) < MAILS {
        if began.elapsed() > PATIENCE {
            return Err(format!("{} of {MAILS} mails arrived", taken.load(Ordering::Relaxed)).into());
        }
        sleep(Duration::from_millis(2)).await;
    }
    table.row("mails to a loopback SMTP server", format!("{:.0} /s", rate(MAILS, began.elapsed())));
    daemon.stop().await
}

fn channel(server: SocketAddr, slots: Option<usize>) -> String {
    let (host, port) = (server.ip(), server.port());
    format!(
        "kind = \"smtp\"\nhost = \"{host}\"\nport = {port}\ntls = \"none\"\nfrom = \"stentor@example.org\"\nto = [\"ops@example.org\"]\n{}",
        slots_line(slots)
    )
}

async fn serve(listener: TcpListener, taken: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        let taken = taken.clone();
        // How a conversation ends is the far end's business.
        tokio::spawn(async move { converse(stream, &taken).await.ok() });
    }
}

/// RFC 5321, as much of it as a sender needs that does nothing wrong.
async fn converse(stream: TcpStream, taken: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 load ESMTP\r\n").await?;
    let (mut line, mut text) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        let answer = match (text, line.trim_end()) {
            (true, ".") => {
                text = false;
                taken.fetch_add(1, Ordering::Relaxed);
                "250 2.0.0 taken\r\n"
            }
            (true, _) => "",
            (false, "DATA") => {
                text = true;
                "354 go on\r\n"
            }
            (false, "QUIT") => return stream.write_all(b"221 bye\r\n").await,
            (false, _) => "250 load\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
        line.clear();
    }
    Ok(())
}
