//! A name server that answers what it is told to (RFC 1035), as the only one of a namespace.

use super::namespace::in_place_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::UdpSocket;

const A: u16 = 1;
const AAAA: u16 = 28;
const SERVFAIL: u8 = 2;

/// What is answered to every question.
#[derive(Clone, Debug)]
pub enum Names {
    /// Every name has these addresses.
    Lead(Vec<IpAddr>),
    Fail,
    /// Nothing at all.
    Hang,
}

pub struct NameServer {
    names: Arc<Mutex<Names>>,
    /// The files that make the system ask it.
    _dir: TempDir,
}

impl NameServer {
    /// On port 53 of the namespace's loopback.
    ///
    /// # Errors
    /// Why the system cannot be made to ask it.
    pub async fn start(names: Names) -> Result<NameServer, String> {
        let dir = tempfile::tempdir().unwrap();
        in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n", dir.path()).await?;
        in_place_of("/etc/nsswitch.conf", "hosts: files dns\n", dir.path()).await?;
        let socket = UdpSocket::bind("127.0.0.1:53").await.map_err(|e| e.to_string())?;
        let names = Arc::new(Mutex::new(names));
        let now = names.clone();
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                let names = now.lock().unwrap().clone();
                if let Some(answer) = answer(&question[..length], &names) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Ok(NameServer { names, _dir: dir })
    }

    pub fn set(&self, names: Names) {
        *self.names.lock().unwrap() = names;
    }
}

fn answer(question: &[u8], names: &Names) -> Option<Vec<u8>> {
    let (code, addresses) = match names {
        Names::Lead(addresses) => (0, addresses.clone()),
        Names::Fail => (SERVFAIL, Vec::new()),
        Names::Hang => return None,
    };
    // A head of 12 bytes, one name, its type and its class.
    let name = 12 + question.get(12..)?.iter().position(|b| *b == 0)? + 1;
    let wanted = u16::from_be_bytes([*question.get(name)?, *question.get(name + 1)?]);
    let data: Vec<Vec<u8>> = addresses
        .into_iter()
        .filter_map(|address| match (address, wanted) {
            (IpAddr::V4(v4), A) => Some(Ipv4Addr::octets(&v4).to_vec()),
            (IpAddr::V6(v6), AAAA) => Some(Ipv6Addr::octets(&v6).to_vec()),
            _ => None,
        })
        .collect();
    let count = u8::try_from(data.len()).unwrap();
    let mut answer = question[..2].to_vec();
    // A response, recursion available; one question, so many answers.
    answer.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(&question[12..name + 4]);
    for address in data {
        // The name of the question, its type and class, good for no time, and the address.
        answer.extend([0xc0, 12]);
        answer.extend(wanted.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0, 0, u8::try_from(address.len()).unwrap()]);
        answer.extend(address);
    }
    Some(answer)
}
