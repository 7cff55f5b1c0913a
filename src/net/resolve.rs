//! Names to addresses, with those taken out that no alarm should ever go to.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Where some clouds keep their machines' credentials over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254);

/// Link-local and metadata addresses.
pub fn forbidden(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == METADATA_V6,
    }
}

/// The addresses of a host, by the system's own resolver.
///
/// # Errors
/// The name is unknown, or has only addresses that are refused.
pub async fn lookup(host: &str, port: u16, link_local: bool) -> io::Result<Vec<SocketAddr>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let all: Vec<_> = tokio::net::lookup_host((bare, port)).await?.collect();
    let allowed: Vec<_> = all.into_iter().filter(|a| link_local || !forbidden(a.ip())).collect();
    if allowed.is_empty() {
        let words = "the name leads to no address, or only to link-local and metadata addresses";
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, words));
    }
    Ok(allowed)
}

/// [`lookup`] as the HTTP client asks for it.
#[derive(Debug)]
pub(super) struct Resolver {
    pub link_local: bool,
}

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let link_local = self.link_local;
        Box::pin(async move {
            let addresses = lookup(name.as_str(), 0, link_local).await?;
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}
