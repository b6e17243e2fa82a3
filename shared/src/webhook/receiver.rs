//! A server on the loopback for tests: it records requests, and answers all of them the same way.

use std::{net::Ipv4Addr, sync::Arc};

use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::tls;

/// How the server answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Sends a text and closes the connection.
    Text(String),
    /// Sends nothing, and keeps the connection open.
    Silence,
    /// Sends the first text once and the second forever.
    Endless(&'static str, &'static str),
}

#[derive(Debug)]
pub struct Receiver {
    scheme: &'static str,
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub async fn answering(text: impl Into<String>) -> Self {
        Self::start(Answer::Text(text.into()), None).await
    }

    pub async fn with(answer: Answer) -> Self {
        Self::start(answer, None).await
    }

    /// Starts a server with TLS and a self-signed certificate for `localhost`.
    pub async fn over_tls(text: &str) -> (Self, CertificateDer<'static>) {
        let (acceptor, certificate) = tls::server();
        (Self::start(Answer::Text(text.to_owned()), Some(acceptor)).await, certificate)
    }

    async fn start(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let recorded = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, recorded, tls) = (answer.clone(), recorded.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, answer, &recorded).await,
                        Some(tls) => {
                            // A client that does not trust the certificate closes the connection.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            converse(stream, answer, &recorded).await;
                        }
                    }
                });
            }
        });
        Self { scheme, port, requests }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, target: &str) -> String {
        format!("{}://localhost:{}{target}", self.scheme, self.port)
    }

    /// Returns the requests so far, each with head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Answer,
    recorded: &Mutex<Vec<String>>,
) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream).await else { return };
    recorded.lock().push(request);
    match answer {
        Answer::Text(text) => {
            stream.write_all(text.as_bytes()).await.expect("a response");
            stream.shutdown().await.ok();
        }
        Answer::Silence => std::future::pending().await,
        Answer::Endless(head, more) => {
            stream.write_all(head.as_bytes()).await.expect("a head");
            while stream.write_all(more.as_bytes()).await.is_ok() {}
        }
    }
}

async fn read(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        stream.read_line(&mut request).await.ok().filter(|read| *read > 0)?;
    }
    let length = request.to_lowercase().split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.split("\r\n").next().and_then(|length| length.parse().ok()).expect("a length")
    });
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.push_str(std::str::from_utf8(&body).expect("text"));
    Some(request)
}
