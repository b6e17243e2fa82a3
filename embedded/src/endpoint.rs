//! [`Endpoint`]: the services at an address of this machine, for the SDKs and tools of other
//! processes.
//!
//! The access key is the secret: its holder may do everything, because signatures are not
//! verified, presigned links excepted. So the address must be a loopback address, and a link that
//! leaves the machine should be signed with another access key, which it shows.

mod access;
#[cfg(test)]
mod tests;

use std::{fmt, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use jiff::Timestamp;
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use crate::{
    Services,
    services::{Protocol, Refusal},
};
use access::AccessKey;

/// The largest body of a request, in bytes.
const MAX_BODY: usize = 100 * 1_024 * 1_024;

/// How long a connection may be without a request.
const MAX_IDLE: Duration = Duration::from_mins(1);

/// How long calls may take that are in flight at the end. A receive may wait longer: it is aborted.
const DRAIN: Duration = Duration::from_secs(5);

/// How long to wait before the next connection is accepted when the system has no resources for
/// one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Services at an address: what `AWS_ENDPOINT_URL` of another process names.
///
/// A request must name the access key as that of its signature, in `Authorization` or in a
/// presigned link to S3; another one is answered by 403 in the caller's protocol. A body has at
/// most 100 MiB. S3's clients need path style.
pub struct Endpoint {
    listener: TcpListener,
    services: Arc<GuardedServices>,
}

/// Why an endpoint cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines could reach the address.
    #[error("address: {0} must be a loopback address, such as 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The text is no access key.
    #[error("access_key: must have 16 to 128 letters, digits and underscores")]
    InvalidAccessKey,
    /// The address is in use, or not one of this machine.
    #[error("address: cannot bind {address}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

/// What answers the requests of all connections.
struct GuardedServices {
    services: Services,
    access_key: AccessKey,
}

impl Endpoint {
    /// Binds an address, which must be a loopback address; port 0 lets the system choose. Clients
    /// may connect from now on.
    pub async fn bind(
        address: SocketAddr,
        services: Services,
        access_key: String,
    ) -> Result<Self, BindError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(BindError::NotLoopback(address));
        }
        let access_key = AccessKey::new(access_key).ok_or(BindError::InvalidAccessKey)?;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|cause| BindError::Address { address, cause })?;
        Ok(Self { listener, services: Arc::new(GuardedServices { services, access_key }) })
    }

    /// Returns the bound address, with the port that the system chose for port 0.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready. Then no connection and no request is accepted; those in flight
    /// end, or are aborted after 5 seconds.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self { listener, services } = self;
        let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
        let mut stop = pin!(stop);
        loop {
            let stream = select! {
                biased;
                () = &mut stop => break,
                stream = accept(&listener) => stream,
            };
            while connections.try_join_next().is_some() {}
            let services = Arc::clone(&services);
            let service = service_fn(move |request| {
                let services = Arc::clone(&services);
                async move { services.respond(request).await }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(MAX_IDLE)
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            connections.spawn(async move {
                if let Err(error) = connection.await {
                    debug!(%error, "Connection failed");
                }
            });
        }
        drop(listener);
        if timeout(DRAIN, graceful.shutdown()).await.is_err() {
            warn!("Calls in flight did not end in time: aborting them");
        }
        connections.shutdown().await;
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("listener", &self.listener).finish_non_exhaustive()
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        let accepted = listener.accept().await;
        match accepted.and_then(|(stream, _)| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return stream,
            Err(error) => {
                warn!(%error, "Cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl GuardedServices {
    /// Responds to a request. An error is that of the connection.
    async fn respond(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let protocol = Protocol::of(&request);
        let refuse = |refusal| Ok(protocol.refuse(&refusal).map(Full::new));
        if !self.access_key.is_of(&request, protocol) {
            return refuse(Refusal::UnknownAccessKey);
        }
        if length(&request) > MAX_BODY {
            return refuse(Refusal::BodyTooLarge { limit: MAX_BODY });
        }
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return refuse(Refusal::BodyTooLarge { limit: MAX_BODY });
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        let request = Request::from_parts(head, body);
        Ok(self.services.respond(request, Timestamp::now()).await.map(Full::new))
    }
}

/// Returns the announced length of a body; 0 if there is none.
fn length<B>(request: &Request<B>) -> usize {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}
