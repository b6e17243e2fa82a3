//! One attempt to deliver a webhook: signed, to checked addresses only, within a timeout.
//!
//! Each attempt uses hyper's HTTP/1.1 over a connection of its own, without pool, proxy, redirects
//! or cookies, so that no other address than the checked ones can be reached.

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
    DeliveryError, Dns, Guard, MessageId, Outcome, Resolve, Secrets, WebhookUrl,
    resolve::checked_addresses,
};
use crate::{
    secret::{SecretError, SecretSource},
    time::Timestamp,
    tls,
};

/// The largest size in bytes of the head of a response. The body is not read.
const MAX_RESPONSE_HEAD: usize = 16 * 1_024;

/// The sender of webhooks.
#[derive(Debug)]
pub struct Webhooks<R = Dns> {
    guard: Guard,
    secrets: SecretSource<Secrets>,
    timeout: Duration,
    resolver: R,
    tls: Arc<ClientConfig>,
}

/// A message and its receiver.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The receiver.
    pub url: &'a WebhookUrl,
    /// The id of the message, the same for all attempts.
    pub id: &'a MessageId,
    /// The JSON to send.
    pub body: &'a [u8],
}

impl Webhooks {
    /// The default timeout of an attempt, from the resolution of the name to the head of the
    /// response.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// Makes a sender that reaches the addresses that the guard allows, and trusts the root
    /// certificates that browsers trust. `timeout` is that of one attempt.
    #[must_use]
    pub fn new(guard: Guard, secrets: SecretSource<Secrets>, timeout: Duration) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::with(guard, secrets, timeout, Dns, roots)
    }
}

impl<R: Resolve + Sync> Webhooks<R> {
    fn with(
        guard: Guard,
        secrets: SecretSource<Secrets>,
        timeout: Duration,
        resolver: R,
        roots: RootCertStore,
    ) -> Self {
        Self { guard, secrets, timeout, resolver, tls: Arc::new(tls::client(roots)) }
    }

    /// Makes one attempt. Whatever the receiver does is an [`Outcome`]; the only error is that
    /// there is no secret to sign with.
    ///
    /// Reading the secret is not part of the attempt: it has the timeouts of calls to AWS.
    pub async fn send(
        &self,
        delivery: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Outcome, SecretError> {
        let secrets = self.secrets.get(now).await?;
        let request = request(delivery, &secrets, now);
        let outcome = match timeout(self.timeout, self.exchange(delivery.url, request)).await {
            Ok(Ok(head)) => Outcome::of(head.status, &head.headers, now),
            Ok(Err(outcome)) => outcome,
            Err(_) => DeliveryError::TimedOut.into(),
        };
        info!(
            webhook.id = %delivery.id,
            webhook.origin = delivery.url.origin(),
            webhook.outcome = %outcome,
            "Webhook sent"
        );
        Ok(outcome)
    }

    /// Sends a request and returns the head of the response, or the outcome without a response.
    async fn exchange(
        &self,
        url: &WebhookUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<Parts, Outcome> {
        let addresses = checked_addresses(self.guard, &self.resolver, url).await?;
        let stream = TcpStream::connect(&addresses[..]).await.map_err(DeliveryError::Connect)?;
        stream.set_nodelay(true).map_err(DeliveryError::Connect)?;
        let head = if url.is_https() {
            let name =
                server_name(url).map_err(|error| DeliveryError::Tls(io::Error::other(error)))?;
            let tls = TlsConnector::from(self.tls.clone());
            round_trip(tls.connect(name, stream).await.map_err(DeliveryError::Tls)?, request).await
        } else {
            round_trip(stream, request).await
        };
        Ok(head.map_err(DeliveryError::NoResponse)?)
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
        .expect("a canonical URL, an id, a number and base64 are valid in a request")
}

/// Sends a request, reads the head of the response, and closes the connection.
async fn round_trip(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<Parts, hyper::Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_RESPONSE_HEAD)
        .handshake(TokioIo::new(stream))
        .await?;
    let response = sender.send_request(request);
    pin!(response);
    let response = tokio::select! {
        biased;
        response = &mut response => response,
        // The connection can end at the moment at which the response is ready; if it broke, the
        // response is the error.
        _ = connection => response.await,
    };
    response.map(|response| response.into_parts().0)
}

#[cfg(test)]
mod tests;
