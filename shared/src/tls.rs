//! TLS 1.2 and 1.3, by rustls with ring.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Returns the configuration of a client that trusts only `roots`.
///
/// # Panics
/// Never: the provider supports both versions.
pub(crate) fn client(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Returns a server for `localhost` and its self-signed certificate.
#[cfg(test)]
pub(crate) fn server() -> (tokio_rustls::TlsAcceptor, rustls::pki_types::CertificateDer<'static>) {
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};

    let signed =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = signed.cert.der().clone();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a certificate and its key");
    (Arc::new(tls).into(), certificate)
}
