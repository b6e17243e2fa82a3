//! Connections to a front, from the first to the last.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use super::{
    Front, Peers,
    timed_stream::{TimedStream, Turns},
};

/// How long to wait before the next connection is accepted when the system has no resources for
/// one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A front at its address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    front: Front,
}

impl Server {
    /// Binds this address, and no other. Clients may connect from now on.
    ///
    /// # Errors
    /// The address is in use, or not one of this machine.
    pub async fn bind(address: SocketAddr, front: Front) -> io::Result<Self> {
        Ok(Self::new(TcpListener::bind(address).await?, front))
    }

    /// Puts a front at a bound address.
    #[must_use]
    pub fn new(listener: TcpListener, front: Front) -> Self {
        Self { listener, front }
    }

    /// Returns the bound address, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// The system does not know it.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready. Then no connection and no request is accepted; those in flight
    /// end, or are aborted after [`Timeouts::drain`](super::Timeouts::drain).
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self { listener, front } = self;
        let front = Arc::new(front);
        let slots = Arc::new(Semaphore::new(front.settings.limits.connections));
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            let (stream, peers, slot) = select! {
                biased;
                () = &mut stop => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            while connections.try_join_next().is_some() {}
            connections.spawn(connection(front.clone(), stream, peers, stopped.clone(), slot));
        }
        drop(listener);
        stopping.send_replace(true);
        let drained = async {
            while connections.join_next().await.is_some() {}
            front.invocations.finish().await;
        };
        if timeout(front.settings.timeouts.drain, drained).await.is_err() {
            warn!("Requests in flight did not end in time: aborting them");
            connections.shutdown().await;
            front.invocations.abort().await;
        }
    }
}

/// Accepts a connection once there is a slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, Peers, OwnedSemaphorePermit) {
    let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match accept_next(listener).await {
            Ok((stream, peers)) => return (stream, peers, slot),
            Err(error) => {
                warn!(%error, "Cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept_next(listener: &TcpListener) -> io::Result<(TcpStream, Peers)> {
    let (stream, client) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let peers = Peers { client: client.ip().to_canonical(), port: stream.local_addr()?.port() };
    Ok((stream, peers))
}

/// Answers the requests of a connection until it closes.
async fn connection(
    front: Arc<Front>,
    stream: TcpStream,
    peers: Peers,
    mut stopped: watch::Receiver<bool>,
    _slot: OwnedSemaphorePermit,
) {
    let (limits, timeouts) = (front.settings.limits, front.settings.timeouts);
    let turns = Turns::default();
    let stream = TimedStream::new(stream, timeouts, turns.clone());
    let service = service_fn(|request| {
        let (front, turns) = (&front, &turns);
        async move {
            turns.next();
            let response = front.respond(request, peers).await;
            turns.next();
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(timeouts.idle)
            .max_header_size(limits.uri + limits.head)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = select! {
        ended = &mut connection => ended,
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "Connection failed");
    }
}
