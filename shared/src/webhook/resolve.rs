//! From a URL to the addresses that the connection may go to.
//!
//! A name can answer differently each time it is looked up: publicly while it is checked, and with 127.0.0.1 a moment later
//! (DNS rebinding). So it is looked up once for each delivery, and the connection is given addresses, not the name.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::lookup_host;
use url::Host;

use super::{BlockedAddress, Guard, WebhookUrl};

/// Where the addresses of a name come from.
pub trait Resolve {
    /// All addresses of the name.
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

/// Why there is no address to go to.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The guard forbids it.
    #[error(transparent)]
    Blocked(#[from] BlockedAddress),
    /// The name could not be looked up, or has no address.
    #[error("the host's name could not be looked up: {0}")]
    NotFound(#[from] io::Error),
}

/// The addresses of the URL's host, at least one, every one of them checked.
///
/// One forbidden address among others refuses them all: a public receiver has no private address, and otherwise it would be
/// chance which of them the connection takes.
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
        return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address").into());
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

    struct Answers(&'static [&'static str]);

    impl Resolve for Answers {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|address| address.parse().expect("an address")).collect())
        }
    }

    async fn addresses(
        url: &str,
        answers: &'static [&'static str],
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let url = WebhookUrl::try_from(url).expect("a URL");
        checked_addresses(Guard::default(), &Answers(answers), &url).await
    }

    #[tokio::test]
    async fn all_addresses_of_a_public_name_may_be_reached_at_the_port_of_the_url() {
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
    async fn one_forbidden_answer_among_public_ones_refuses_them_all() {
        for answers in [
            &["127.0.0.1"][..],
            &["8.8.8.8", "10.0.0.1"],
            &["::ffff:169.254.169.254", "8.8.8.8"],
            &["8.8.8.8", "2606:4700::1", "fd00:ec2::254"],
        ] {
            let refused = addresses("https://example.com/", answers).await;
            assert!(
                matches!(refused, Err(ResolveError::Blocked(BlockedAddress::Address(_)))),
                "{refused:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_local_name_is_refused_whatever_its_answer() {
        let refused = addresses("https://db.internal/", &["8.8.8.8"]).await;
        assert!(matches!(refused, Err(ResolveError::Blocked(BlockedAddress::Name))), "{refused:?}");
    }

    #[tokio::test]
    async fn a_literal_address_is_not_looked_up() {
        let all = addresses("https://0x08.8.2056/", &["127.0.0.1"]).await.expect("public");
        assert_eq!(all, ["8.8.8.8:443".parse().expect("an address")]);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_unknown_not_refused() {
        let unknown = addresses("https://example.com/", &[]).await;
        assert!(matches!(unknown, Err(ResolveError::NotFound(_))), "{unknown:?}");
    }

    #[tokio::test]
    async fn the_resolver_of_the_machine_knows_the_loopback() {
        let addresses = Dns.addresses("localhost").await.expect("every machine has it");
        assert!(
            !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback),
            "{addresses:?}"
        );
    }
}
