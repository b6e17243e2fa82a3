//! TLS as this process speaks it: rustls with ring, versions 1.2 and 1.3.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// A client that trusts these roots and no other.
///
/// # Panics
/// Never: the provider speaks both versions.
pub(crate) fn client(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A server for `localhost`, and the one certificate that vouches for it.
#[cfg(test)]
pub(crate) fn server() -> (tokio_rustls::TlsAcceptor, rustls::pki_types::CertificateDer<'static>) {
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};

    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a certificate and its key");
    (Arc::new(tls).into(), certificate)
}
