//! The guard against server-side request forgery: webhooks reach only the public internet.
//!
//! A caller chooses the receiver, and the sender runs inside: next to metadata services, databases
//! and the loopback. An address is therefore refused if it is in a block that IANA's registries of
//! special-purpose addresses do not mark as globally reachable
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>), or in a block that contains no
//! receivers: multicast, retired blocks, blocks of protocols.
//!
//! IPv6 addresses that embed an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) are
//! all refused, whatever they embed: a public receiver has an address of its own, and an embedded
//! address that is never decoded cannot be decoded wrongly.
//!
//! Not covered: networks with their own address translation, such as NAT64 with a custom prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

use super::WebhookUrl;

/// Decides which receivers may be reached; by default public ones only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// Allows all addresses. Only for the local cloud, where receivers are on the loopback.
    pub allow_private: bool,
}

/// Why a receiver may not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockedAddress {
    /// The host is, or resolves to, an address that is not public.
    #[error("the host's address is not public ({0})")]
    Address(&'static str),
    /// The host is a name without a public meaning: `localhost`, `db.internal`, `router`.
    #[error("the host's name is not public")]
    Name,
}

/// Top-level names that never denote a public host: those of RFC 6761 and RFC 6762, and the one
/// that ICANN reserved for private use.
const LOCAL_NAMES: [&str; 3] = ["localhost", "local", "internal"];

/// IPv4 blocks without public receivers: first address, prefix length, purpose.
const V4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by carriers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::BROADCAST, 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The only IPv6 block from which global unicast addresses are assigned.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks of global unicast without public receivers.
const V6: [(Ipv6Addr, u32, &str); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

impl Guard {
    /// Checks the host of a URL: an address or a name. An address is checked in every notation,
    /// since the URL contains its canonical form.
    pub fn check(self, url: &WebhookUrl) -> Result<(), BlockedAddress> {
        match url.host() {
            Host::Ipv4(address) => self.check_address(address.into()),
            Host::Ipv6(address) => self.check_address(address.into()),
            Host::Domain(name) if self.allow_private || is_public_name(name) => Ok(()),
            Host::Domain(_) => Err(BlockedAddress::Name),
        }
    }

    /// Checks an address to which the host resolves.
    pub fn check_address(self, address: IpAddr) -> Result<(), BlockedAddress> {
        match special_purpose(address) {
            Some(purpose) if !self.allow_private => Err(BlockedAddress::Address(purpose)),
            _ => Ok(()),
        }
    }
}

/// Returns whether a name has a top-level name, and not a local one. `name` is canonical: lower
/// case, without escapes.
fn is_public_name(name: &str) -> bool {
    let absolute = name.strip_suffix('.').unwrap_or(name);
    absolute.rsplit_once('.').is_some_and(|(_, top)| !top.is_empty() && !LOCAL_NAMES.contains(&top))
}

/// Returns the purpose of an address that is not for public receivers.
#[must_use]
pub fn special_purpose(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let within = |block: Ipv4Addr, length| {
                (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
            };
            V4.iter()
                .find(|(block, length, _)| within(*block, *length))
                .map(|(_, _, purpose)| *purpose)
        }
        IpAddr::V6(address) => {
            let within = |block: Ipv6Addr, length| {
                (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
            };
            let (global, length) = GLOBAL_UNICAST;
            if !within(global, length) {
                return Some("not global unicast");
            }
            if is_isatap(address) {
                return Some("ISATAP");
            }
            V6.iter()
                .find(|(block, length, _)| within(*block, *length))
                .map(|(_, _, purpose)| *purpose)
        }
    }
}

/// Returns whether the address is an interface of RFC 5214, `…:5efe:a.b.c.d`: its router forwards
/// packets to the IPv4 address, which may be private.
fn is_isatap(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    matches!(segments[4], 0 | 0x200) && segments[5] == 0x5efe
}

#[cfg(test)]
mod tests;
