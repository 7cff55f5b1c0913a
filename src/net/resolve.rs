//! Where a request may go: addresses, with those taken out that no alarm should ever go to.

use crate::net::names::{self, NameError};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Where some clouds keep their machines' credentials over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254);

/// The address, when the host is written as one.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Link-local and metadata addresses.
pub fn forbidden(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == METADATA_V6,
    }
}

/// The addresses of a host, which may be written as an address. They are looked at each time, since
/// a name may lead elsewhere than it did when the config was read.
///
/// # Errors
/// The name is unknown, or has only addresses that are refused.
pub async fn lookup(host: &str, port: u16, link_local: bool) -> Result<Vec<SocketAddr>, NameError> {
    let all = match literal(host) {
        Some(ip) => vec![SocketAddr::new(ip, port)],
        None => names::addresses(host).await?.to_vec(),
    };
    let allowed = all.into_iter().filter(|a| link_local || !forbidden(a.ip()));
    let allowed: Vec<_> = allowed.map(|a| SocketAddr::new(a.ip(), port)).collect();
    if allowed.is_empty() { Err(NameError::Refused) } else { Ok(allowed) }
}
