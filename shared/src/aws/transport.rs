//! The HTTP client of the SDK: HTTP/1.1, over TLS where the endpoint is `https`.
//!
//! The SDK's default client adds HTTP/2, which DynamoDB does not speak, proxies, aws-lc and the
//! certificates of the machine: a quarter of the binary, and half of the start time
//! (`docs/STARTUP.md`).

use std::{env, fs, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector as TcpConnector, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::tls;

/// The roots of Amazon Trust Services, which sign the certificates of AWS's endpoints.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// A pool of connections. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Transport(Client<HttpsConnector<TcpConnector>, SdkBody>);

impl Transport {
    /// Makes an empty pool. TLS trusts Amazon's roots only, or those in the file that
    /// `AWS_CA_BUNDLE` names, as in AWS's own tools.
    ///
    /// # Panics
    /// If the file cannot be read.
    #[must_use]
    pub fn new(connect_timeout: Duration) -> Self {
        Self::with_roots(configured_roots(), connect_timeout)
    }

    fn with_roots(roots: RootCertStore, connect_timeout: Duration) -> Self {
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client(roots))
            .https_or_http()
            .enable_http1();
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector.wrap_connector(tcp));
        Self(pool)
    }
}

fn configured_roots() -> RootCertStore {
    let path = env::var("AWS_CA_BUNDLE").ok().filter(|path| !path.is_empty());
    let bundle = path.map(|path| {
        fs::read(&path).unwrap_or_else(|error| panic!("AWS_CA_BUNDLE {path}: {error}"))
    });
    roots(bundle.as_deref().unwrap_or(AMAZON_ROOTS))
}

fn roots(pem: &[u8]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    roots
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let pool = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut request =
                request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let connection = capture_connection(&mut request);
            let response =
                pool.request(request).await.map_err(|error| ConnectorError::io(error.into()))?;
            // The next attempt may reach another server.
            if response.status().is_server_error()
                && let Some(connection) = &*connection.connection_metadata()
            {
                connection.poison();
            }
            let response = response.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
    };

    use http_body_util::BodyExt;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// An HTTPS server on a free port of the loopback, and its self-signed certificate.
    async fn server() -> (String, CertificateDer<'static>) {
        let (acceptor, certificate) = tls::server();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("https://localhost:{}/", listener.local_addr().expect("bound").port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust the certificate closes the connection.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 1_024];
                assert!(stream.read(&mut request).await.expect("a request") > 0);
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("a response");
            }
        });
        (url, certificate)
    }

    async fn get(url: &str, roots: RootCertStore) -> Result<u16, ConnectorError> {
        let request = HttpRequest::get(url).expect("a URL");
        let response = Transport::with_roots(roots, Duration::from_secs(10)).call(request).await?;
        Ok(response.status().as_u16())
    }

    #[tokio::test]
    async fn only_a_server_with_a_trusted_root_is_reached_over_tls() {
        let (url, certificate) = server().await;
        let refused = get(&url, roots(AMAZON_ROOTS)).await.expect_err("an unknown root");
        assert!(format!("{refused:?}").contains("UnknownIssuer"), "{refused:?}");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a root");
        assert_eq!(get(&url, roots).await.expect("a response"), 204);
    }

    /// A server that answers every request with a status, and counts its connections.
    async fn counting_server(status: u16) -> (String, Arc<AtomicU32>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let (mut request, head) = ([0; 1_024], format!("HTTP/1.1 {status} -\r\n"));
                    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        let answer = format!("{head}content-length: 0\r\n\r\n");
                        stream.write_all(answer.as_bytes()).await.expect("a response");
                    }
                });
            }
        });
        (url, connections)
    }

    #[tokio::test]
    async fn the_connection_of_a_failed_attempt_is_not_used_again() {
        for (status, expected) in [(200, 1), (400, 1), (500, 2), (503, 2)] {
            let (url, connections) = counting_server(status).await;
            let transport = Transport::new(Duration::from_secs(10));
            for _ in 0..2 {
                let request = HttpRequest::get(&*url).expect("a URL");
                let mut response = transport.call(request).await.expect("a response");
                drop(response.take_body().collect().await.expect("a body"));
            }
            assert_eq!(connections.load(Ordering::Relaxed), expected, "{status}");
        }
    }

    #[test]
    fn all_of_amazons_roots_are_trusted() {
        assert_eq!(roots(AMAZON_ROOTS).len(), 5);
    }
}
