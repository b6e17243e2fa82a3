//! One attempt to deliver: signed, checked, pinned, within its time.
//!
//! The exchange is made of hyper's HTTP/1.1 over one connection of its own, without a pool, a proxy, a redirect or a cookie:
//! there is no place where anything but the checked addresses could be reached.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT},
    http::response::Parts,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{InvalidDnsNameError, ServerName},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    pin,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tracing::info;
use url::Host;

use super::{
    DeliveryError, Dns, Guard, MessageId, Outcome, Resolve, SecretError, SecretSource, Secrets,
    WebhookUrl, resolve::checked_addresses,
};
use crate::{time::Timestamp, tls};

/// Bytes of an answer that are kept at most: its head. The body is not read.
const MAX_ANSWER: usize = 16 * 1_024;

/// The sender of webhooks.
#[derive(Debug)]
pub struct Webhooks<R = Dns> {
    guard: Guard,
    secrets: SecretSource,
    timeout: Duration,
    resolver: R,
    tls: Arc<ClientConfig>,
}

/// A message and its receiver.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Where it goes.
    pub url: &'a WebhookUrl,
    /// The same for all attempts of this message.
    pub id: &'a MessageId,
    /// JSON.
    pub body: &'a [u8],
}

impl Webhooks {
    /// How long an attempt may take, from the look-up of the name to the head of the answer, where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// A sender that may reach what the guard allows, trusts the certificates that browsers trust, and gives each attempt so
    /// much time.
    #[must_use]
    pub fn new(guard: Guard, secrets: SecretSource, timeout: Duration) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::with(guard, secrets, timeout, Dns, roots)
    }
}

impl<R: Resolve + Sync> Webhooks<R> {
    fn with(
        guard: Guard,
        secrets: SecretSource,
        timeout: Duration,
        resolver: R,
        roots: RootCertStore,
    ) -> Self {
        Self { guard, secrets, timeout, resolver, tls: Arc::new(tls::client(roots)) }
    }

    /// Makes one attempt. What the receiver does is an [`Outcome`]; the error is ours: there is no secret to sign with.
    ///
    /// Reading the secret has its own time, that of every call to AWS.
    pub async fn send(
        &self,
        delivery: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Outcome, SecretError> {
        let secrets = self.secrets.secrets().await?;
        let request = request(delivery, &secrets, now);
        let outcome = match timeout(self.timeout, self.exchange(delivery.url, request)).await {
            Ok(Ok(answer)) => Outcome::of(answer.status, &answer.headers, now),
            Ok(Err(outcome)) => outcome,
            Err(_) => DeliveryError::TimedOut.into(),
        };
        info!(webhook.id = %delivery.id, webhook.to = delivery.url.origin(), webhook.outcome = %outcome, "Sent webhook");
        Ok(outcome)
    }

    /// The head of the answer, or the outcome without one.
    async fn exchange(
        &self,
        url: &WebhookUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<Parts, Outcome> {
        let addresses = checked_addresses(self.guard, &self.resolver, url).await?;
        let stream = TcpStream::connect(&addresses[..]).await.map_err(DeliveryError::Connect)?;
        stream.set_nodelay(true).map_err(DeliveryError::Connect)?;
        let answer = if url.is_https() {
            let name =
                server_name(url).map_err(|error| DeliveryError::Tls(io::Error::other(error)))?;
            let tls = TlsConnector::from(self.tls.clone());
            ask(tls.connect(name, stream).await.map_err(DeliveryError::Tls)?, request).await
        } else {
            ask(stream, request).await
        };
        Ok(answer.map_err(DeliveryError::NoResponse)?)
    }
}

fn server_name(url: &WebhookUrl) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match url.host() {
        Host::Ipv4(address) => Ok(IpAddr::from(address).into()),
        Host::Ipv6(address) => Ok(IpAddr::from(address).into()),
        Host::Domain(name) => ServerName::try_from(name.to_owned()),
    }
}

fn request(delivery: Delivery<'_>, secrets: &Secrets, now: Timestamp) -> Request<Full<Bytes>> {
    let Delivery { url, id, body } = delivery;
    let timestamp = now.as_millis().div_euclid(1_000).to_string();
    Request::post(url.target())
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("once/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close")
        .header("webhook-id", id.to_string())
        .header("webhook-signature", secrets.sign(id, &timestamp, body))
        .header("webhook-timestamp", timestamp)
        .body(Bytes::copy_from_slice(body).into())
        .expect("a canonical URL, an id, a number and base64 fit a request")
}

/// Asks and hangs up: with the answer's body, the connection is dropped.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<Parts, hyper::Error> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_ANSWER).handshake(TokioIo::new(stream)).await?;
    let answer = sender.send_request(request);
    pin!(answer);
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // A connection can end in the very moment in which it hands over the answer, and if it broke, the answer says so.
        _ = connection => answer.await,
    };
    answer.map(|answer| answer.into_parts().0)
}

#[cfg(test)]
mod tests;
