//! Resolves the host of a URL to the addresses that the connection may use.
//!
//! A name can resolve differently each time: to a public address while it is checked, and to
//! 127.0.0.1 a moment later (DNS rebinding). It is therefore resolved once for each attempt, and
//! the connection is given addresses, not the name.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::lookup_host;
use url::Host;

use super::{BlockedAddress, Guard, WebhookUrl};

/// A resolver of names.
pub trait Resolve {
    /// Returns all addresses of a name.
    fn addresses(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dns;

impl Resolve for Dns {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why a host has no address that may be reached.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The guard blocks the host or one of its addresses.
    #[error(transparent)]
    Blocked(#[from] BlockedAddress),
    /// The name could not be resolved, or has no address.
    #[error("the host name could not be resolved: {0}")]
    NotFound(#[from] io::Error),
}

/// Returns the addresses of the URL's host, at least one, all of them checked.
///
/// One blocked address blocks them all: a public receiver has no private address, and otherwise
/// chance would decide which of them the connection uses.
pub async fn checked_addresses(
    guard: Guard,
    resolver: &impl Resolve,
    url: &WebhookUrl,
) -> Result<Vec<SocketAddr>, ResolveError> {
    guard.check(url)?;
    let addresses = match url.host() {
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
        Host::Domain(name) => resolver.addresses(name).await?,
    };
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
    }
    let checked = addresses.into_iter().map(|address| {
        guard.check_address(address)?;
        Ok(SocketAddr::new(address, url.port()))
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FixedAddresses(&'static [&'static str]);

    impl Resolve for FixedAddresses {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|address| address.parse().expect("an address")).collect())
        }
    }

    async fn addresses(
        url: &str,
        resolved: &'static [&'static str],
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let url = WebhookUrl::try_from(url).expect("a URL");
        checked_addresses(Guard::default(), &FixedAddresses(resolved), &url).await
    }

    #[tokio::test]
    async fn all_addresses_of_a_public_name_are_returned_with_the_port_of_the_url() {
        let all =
            addresses("https://example.com/", &["8.8.8.8", "2606:4700::1"]).await.expect("public");
        assert_eq!(
            all,
            ["8.8.8.8:443", "[2606:4700::1]:443"]
                .map(|address| address.parse().expect("an address"))
        );
        let all = addresses("http://example.com:8080/", &["8.8.8.8"]).await.expect("public");
        assert_eq!(all, ["8.8.8.8:8080".parse().expect("an address")]);
    }

    #[tokio::test]
    async fn one_blocked_address_among_public_ones_blocks_them_all() {
        for resolved in [
            &["127.0.0.1"][..],
            &["8.8.8.8", "10.0.0.1"],
            &["::ffff:169.254.169.254", "8.8.8.8"],
            &["8.8.8.8", "2606:4700::1", "fd00:ec2::254"],
        ] {
            let blocked = addresses("https://example.com/", resolved).await;
            assert!(
                matches!(blocked, Err(ResolveError::Blocked(BlockedAddress::Address(_)))),
                "{blocked:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_local_name_is_blocked_whatever_it_resolves_to() {
        let blocked = addresses("https://db.internal/", &["8.8.8.8"]).await;
        assert!(matches!(blocked, Err(ResolveError::Blocked(BlockedAddress::Name))), "{blocked:?}");
    }

    #[tokio::test]
    async fn a_literal_address_is_not_resolved() {
        let all = addresses("https://0x08.8.2056/", &["127.0.0.1"]).await.expect("public");
        assert_eq!(all, ["8.8.8.8:443".parse().expect("an address")]);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_not_found_rather_than_blocked() {
        let not_found = addresses("https://example.com/", &[]).await;
        assert!(matches!(not_found, Err(ResolveError::NotFound(_))), "{not_found:?}");
    }

    #[tokio::test]
    async fn the_system_resolver_resolves_localhost() {
        let addresses = Dns.addresses("localhost").await.expect("localhost resolves");
        assert!(
            !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback),
            "{addresses:?}"
        );
    }
}
