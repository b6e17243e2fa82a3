//! The SDK's clients over a socket.

use std::time::Instant;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_s3::{
    config::{Credentials, SharedCredentialsProvider},
    presigning::PresigningConfig,
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    task::JoinHandle,
};

use super::*;
use crate::testing::{
    Folder, InProcess, sdk_config,
    services::{ACCESS_KEY, QUEUE_URL, call_each, s3, services},
};

/// An endpoint that serves until it is stopped.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _folder: Folder,
}

impl Server {
    async fn start() -> Self {
        let folder = Folder::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = Endpoint::bind(address, services(&folder).await, ACCESS_KEY.to_owned());
        let endpoint = endpoint.await.expect("an endpoint");
        let address = endpoint.local_address().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(endpoint.serve(async { drop(stopped.await) }));
        Self { address, stop, served, _folder: folder }
    }

    /// Returns the settings of clients with an access key.
    fn config(&self, access_key: &str) -> SdkConfig {
        let credentials = Credentials::new(access_key, "secret", None, None, "test");
        let config = sdk_config(InProcess::new(send)).into_builder();
        config
            .endpoint_url(format!("http://{}", self.address))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// Sends the head of a request, and returns the head of the response.
    async fn send_head(&self, head: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut response = vec![0; 1_024];
        let length = stream.read(&mut response).await.expect("a response");
        String::from_utf8_lossy(&response[..length]).into_owned()
    }
}

/// Sends a request to its address. 599: the connection failed.
async fn send(request: Request<Bytes>) -> Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let Ok(response) = client.request(request.map(Full::new)).await else {
        return Response::builder().status(599).body(Bytes::new()).expect("a response");
    };
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.expect("a body").to_bytes())
}

#[tokio::test]
async fn each_service_is_called_over_a_socket() {
    let server = Server::start().await;
    call_each(&server.config(ACCESS_KEY)).await;
}

#[tokio::test]
async fn another_access_key_is_refused_in_the_protocol_of_its_service() {
    let server = Server::start().await;
    let config = server.config("AKIAEXAMPLE000000001");
    let error = aws_sdk_dynamodb::Client::new(&config).list_tables().send().await;
    let error = error.expect_err("refused");
    assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(403));
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    let error = aws_sdk_cloudwatch::Client::new(&config).list_metrics().send().await;
    assert_eq!(error.expect_err("refused").code(), Some("UnrecognizedClientException"));
    let error = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
    assert_eq!(error.expect_err("refused").code(), Some("InvalidClientTokenId"));
    let error = s3(&config).get_object().bucket("files").key("a").send().await;
    assert_eq!(error.expect_err("refused").code(), Some("InvalidAccessKeyId"));
    let error = s3(&config).head_object().bucket("files").key("a").send().await;
    let error = error.expect_err("refused");
    assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(403));
}

#[tokio::test]
async fn a_link_is_verified_and_opens_its_object_only() {
    let server = Server::start().await;
    let s3 = s3(&server.config(ACCESS_KEY));
    s3.put_object().bucket("files").key("a").send().await.expect("written");
    let valid = PresigningConfig::expires_in(Duration::from_mins(1)).expect("a time");
    let link = s3.get_object().bucket("files").key("a").presigned(valid).await.expect("a link");
    let get = async |link: &str| {
        let request = Request::get(link).body(Bytes::new()).expect("a request");
        send(request).await.status().as_u16()
    };
    assert_eq!(get(link.uri()).await, 200);
    assert_eq!(get(&link.uri().replace("/a?", "/b?")).await, 403);
    assert_eq!(get(&link.uri().replace(ACCESS_KEY, "AKIAEXAMPLE000000001")).await, 403);
}

#[tokio::test]
async fn a_body_has_at_most_100_mib() {
    let server = Server::start().await;
    let authorization = format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101");
    let put = |length: usize| {
        format!(
            "PUT /files/a HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n\
             content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        )
    };
    let response = server.send_head(&put(104_857_600)).await;
    assert!(response.starts_with("HTTP/1.1 100 Continue"), "{response}");
    let response = server.send_head(&put(104_857_601)).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    assert!(response.contains("<Code>EntityTooLarge</Code>"), "{response}");
}

#[tokio::test]
async fn a_body_of_unknown_length_has_the_same_limit() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AmazonSQS.SendMessage\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let mebibyte = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    for _ in 0..100 {
        stream.write_all(&mebibyte).await.expect("written");
    }
    stream.write_all(b"1\r\n \r\n").await.expect("written");
    let mut response = vec![0; 1_024];
    let length = stream.read(&mut response).await.expect("a response");
    let response = String::from_utf8_lossy(&response[..length]);
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    assert!(response.contains("RequestEntityTooLargeException"), "{response}");
}

/// Stops a server while a receive waits for this number of seconds. Returns whether the receive was
/// answered.
async fn stop_while_a_receive_waits(wait_s: i32) -> bool {
    let server = Server::start().await;
    let client = aws_sdk_sqs::Client::new(&server.config(ACCESS_KEY));
    let receive = client.receive_message().queue_url(QUEUE_URL).wait_time_seconds(wait_s);
    let received = tokio::spawn(receive.send());
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    server.stop.send(()).expect("a server");
    server.served.await.expect("no panic");
    assert!(start.elapsed() < 2 * DRAIN, "{:?}", start.elapsed());
    TcpStream::connect(server.address).await.expect_err("no endpoint");
    received.await.expect("no panic").is_ok()
}

#[tokio::test]
async fn an_endpoint_ends_after_the_calls_in_flight_that_take_seconds() {
    assert!(stop_while_a_receive_waits(2).await);
}

#[tokio::test]
async fn an_endpoint_does_not_wait_for_calls_that_take_longer() {
    assert!(!stop_while_a_receive_waits(20).await);
}

#[tokio::test]
async fn an_endpoint_is_not_bound_where_other_machines_reach_it() {
    let folder = Folder::new();
    let services = services(&folder).await;
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let address: SocketAddr = address.parse().expect("an address");
        let bound = Endpoint::bind(address, services.clone(), ACCESS_KEY.to_owned()).await;
        assert!(matches!(bound, Err(BindError::NotLoopback(_))), "{address}: {bound:?}");
    }
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let bound = Endpoint::bind(loopback, services.clone(), String::new()).await;
    assert!(matches!(bound, Err(BindError::InvalidAccessKey)), "{bound:?}");
    let bound = Endpoint::bind(loopback, services, ACCESS_KEY.to_owned()).await.expect("bound");
    assert!(!format!("{bound:?}").contains(ACCESS_KEY), "{bound:?}");
}
