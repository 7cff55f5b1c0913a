//! A TCP connection to whichever address of a host answers first (RFC 8305).
//!
//! Many hosts have IPv6 addresses that lead nowhere; each next address, of the other family where
//! there is one, is tried a quarter of a second after the one before, or at once when that fails.

use crate::net::names::NameError;
use crate::net::resolve::lookup;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

const HEAD_START: Duration = Duration::from_millis(250);

/// Connects; the caller sets the deadline.
///
/// # Errors
/// That of the name, or of the last address; nothing was sent.
pub async fn dial(host: &str, port: u16, link_local: bool) -> io::Result<TcpStream> {
    let addresses = lookup(host, port, link_local).await.map_err(of_the_name)?;
    let stream = first_of(by_turns(addresses)).await?;
    // What is spoken here is short questions and answers.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn of_the_name(error: NameError) -> io::Error {
    let kind = if matches!(error, NameError::Late(_)) { io::ErrorKind::TimedOut } else { io::ErrorKind::NotFound };
    io::Error::new(kind, error)
}

async fn first_of(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut left = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match left.next() {
            Some(address) => trying.push(TcpStream::connect(address)),
            None if trying.is_empty() => return Err(last),
            None => {}
        }
        tokio::select! {
            Some(tried) = trying.next() => match tried {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            },
            () = tokio::time::sleep(HEAD_START), if left.len() > 0 => {}
        }
    }
}

/// In the resolver's order, but the families alternate.
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, others): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let mut others = others.into_iter();
    let mut all = Vec::new();
    for address in preferred {
        all.push(address);
        all.extend(others.next());
    }
    all.extend(others);
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::net::TcpListener;

    fn addresses(text: &str) -> Vec<SocketAddr> {
        text.split(' ').map(|a| a.parse().unwrap()).collect()
    }

    #[test]
    fn f34_the_families_take_turns() {
        let given = addresses("[2001:db8::1]:1 [2001:db8::2]:1 [2001:db8::3]:1 192.0.2.1:1 192.0.2.2:1");
        let turns = addresses("[2001:db8::1]:1 192.0.2.1:1 [2001:db8::2]:1 192.0.2.2:1 [2001:db8::3]:1");
        assert_eq!(by_turns(given), turns);
        assert_eq!(by_turns(addresses("192.0.2.1:1 192.0.2.2:1")), addresses("192.0.2.1:1 192.0.2.2:1"));
        assert_eq!(by_turns(Vec::new()), []);
    }

    /// A listener whose queue is full drops what else comes.
    async fn black_hole() -> (TcpListener, Vec<TcpStream>) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut open = Vec::new();
        while let Ok(stream) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            open.push(stream.unwrap());
        }
        (listener, open)
    }

    #[tokio::test]
    async fn f34_an_address_that_refuses_or_swallows_does_not_keep_from_the_next() {
        let well = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (hole, _open) = black_hole().await;
        let all = vec![hole.local_addr().unwrap(), refusing, well.local_addr().unwrap()];
        let stream = tokio::time::timeout(Duration::from_secs(30), first_of(all)).await.unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), well.local_addr().unwrap());
        assert_eq!(first_of(vec![refusing]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(first_of(Vec::new()).await.is_err());
    }
}
