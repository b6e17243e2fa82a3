//! Starting at an address, and stopping.

use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use lambda_http::{Body, Response};
use standalone::front::{Front, Functions, Server};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
};

use crate::service::{Service, functions, names, settings};

/// Functions that send a gate when they start and respond once it is opened.
fn gated() -> (Arc<dyn Functions>, mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let (start, starts) = mpsc::unbounded_channel();
    let functions = functions(move |function, _| {
        let (open, gate) = oneshot::channel();
        start.send(open).expect("the test listens");
        async move {
            gate.await.expect("the test opens the gate");
            Ok(Response::new(Body::from(function)))
        }
    });
    (functions, starts)
}

#[tokio::test]
async fn only_the_given_address_is_bound() {
    let service = Service::start(settings(), names()).await;
    assert_eq!(service.address.ip(), Ipv4Addr::LOCALHOST);
    let other = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), service.address.port()));
    assert!(TcpStream::connect(other).await.is_err());
    let front = Front::new(settings(), names());
    assert!(Server::bind(service.address, front).await.is_err(), "it is in use");
}

#[tokio::test]
async fn a_stop_ends_what_is_in_flight_and_accepts_nothing_new() {
    let (functions, mut starts) = gated();
    let mut service = Service::start(settings(), functions).await;
    let address = service.address;
    let mut idle = service.connect().await;
    let mut busy = service.connect().await;
    busy.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let gate = starts.recv().await.expect("a start");
    service.stop();
    assert_eq!(idle.rest().await, "", "closed at once");
    assert!(TcpStream::connect(address).await.is_err());
    busy.send("GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    gate.send(()).expect("the function waits");
    let answer = busy.answer().await;
    assert_eq!((answer.status, &*answer.body), (200, "health"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(busy.rest().await, "", "the next request is not answered");
    service.stopped().await;
    assert!(starts.recv().await.is_none(), "and reached no function");
}

#[tokio::test]
async fn a_stop_waits_for_a_function_whose_client_has_gone() {
    let (functions, mut starts) = gated();
    let mut settings = settings();
    settings.timeouts.function = Duration::from_millis(10);
    let mut service = Service::start(settings, functions).await;
    service.get("/health").await.assert_gateway(503, "Service Unavailable");
    let gate = starts.recv().await.expect("a start");
    service.stop();
    let open = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(!gate.is_closed(), "the function still runs");
        gate.send(()).expect("the function waits");
    };
    tokio::join!(service.stopped(), open);
}

#[tokio::test]
async fn a_stop_that_takes_too_long_aborts_what_is_in_flight() {
    let (started, mut starts) = mpsc::unbounded_channel();
    let functions = functions(move |_, _| {
        let (alive, aborted) = oneshot::channel::<()>();
        started.send(aborted).expect("the test listens");
        async move {
            let _alive = alive;
            pending().await
        }
    });
    let mut settings = settings();
    settings.timeouts.drain = Duration::from_millis(20);
    let mut service = Service::start(settings, functions).await;
    let mut client = service.connect().await;
    client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut aborted = starts.recv().await.expect("a start");
    service.stop();
    service.stopped().await;
    assert!(aborted.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
    assert_eq!(client.rest().await, "");
}
