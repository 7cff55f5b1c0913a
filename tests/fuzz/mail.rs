//! What a mail server says, reply by reply.

use crate::answers::{channel, survives};
use crate::harness::fuzz;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const WELL: &[u8] = b"220 here ESMTP\r\n|250-here\r\n250-SMTPUTF8\r\n250 SIZE 10240000\r\n|250 2.1.0 ok\r\n|250 2.1.5 ok\r\n|354 go on\r\n|250 2.0.0 OK: queued as X\r\n|250 ok\r\n";

/// Says the pieces between the bars, one after each thing it is told.
async fn server() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = Arc::<Mutex<Vec<u8>>>::default();
    let saying = said.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let words = saying.lock().unwrap().clone();
            tokio::spawn(async move {
                for piece in words.split(|byte| *byte == b'|') {
                    if stream.write_all(piece).await.is_err() || !matches!(stream.read(&mut [0; 8_192]).await, Ok(1..))
                    {
                        return;
                    }
                }
            });
        }
    });
    (port, said)
}

#[test]
fn replies_of_a_mail_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (port, said) = runtime.block_on(server());
    let toml =
        format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"s@example.org\"\ntimeout = \"40ms\"");
    let channel = channel("smtp", &toml);
    let refused = b"220-a\r\n220 b\r\n|250 here\r\n|550 5.1.0 no\r\n|";
    let late = b"220 a\r\n|250 here\r\n|250 ok\r\n|451-4.7.1 grey\r\n451 4.7.1 listed\r\n|";
    fuzz("smtp", &[WELL, refused, late], |bytes| {
        *said.lock().unwrap() = bytes.to_vec();
        runtime.block_on(survives(channel.as_ref(), "alice@example.org"));
    });
}
