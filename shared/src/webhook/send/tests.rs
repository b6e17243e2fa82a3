use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::net::TcpListener;

use super::*;
use crate::webhook::{
    BlockedAddress, PermanentFailure, SignatureHeaders,
    receiver::{Answer, Receiver},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"count":7}"#;
const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A timeout that is long enough for a busy machine; no test waits for it.
const LONG: Duration = Duration::from_mins(1);

/// A resolver that returns the next of its addresses each time, and the last one from then on.
struct SequenceResolver {
    lookups: AtomicUsize,
    addresses: &'static [&'static str],
}

impl SequenceResolver {
    fn new(addresses: &'static [&'static str]) -> Self {
        Self { lookups: AtomicUsize::new(0), addresses }
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::Relaxed)
    }
}

impl Resolve for SequenceResolver {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let lookup = self.lookups.fetch_add(1, Ordering::Relaxed);
        let address = self.addresses[lookup.min(self.addresses.len() - 1)];
        Ok(vec![address.parse().expect("an address")])
    }
}

/// A resolver that never answers.
struct SilentResolver;

impl Resolve for SilentResolver {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

fn secrets() -> Secrets {
    SECRET.parse().expect("a secret")
}

fn sender(
    guard: Guard,
    timeout: Duration,
    addresses: &'static [&'static str],
) -> Webhooks<SequenceResolver> {
    let source = SecretSource::given(secrets());
    Webhooks::with(guard, source, timeout, SequenceResolver::new(addresses), RootCertStore::empty())
}

fn local_sender(timeout: Duration) -> Webhooks<SequenceResolver> {
    sender(Guard { allow_private: true }, timeout, &["127.0.0.1"])
}

async fn send<R: Resolve + Sync>(webhooks: &Webhooks<R>, url: &str) -> Outcome {
    let url = url.try_into().expect("a URL");
    let id = "evt-1".to_owned().try_into().expect("an id");
    let delivery = Delivery { url: &url, id: &id, body: BODY };
    webhooks.send(delivery, Timestamp::now()).await.expect("the secret is fixed")
}

/// The outcome of a delivery that is answered with `text`.
async fn outcome_of(text: &str) -> Outcome {
    let receiver = Receiver::answering(text).await;
    send(&local_sender(LONG), &receiver.url("/")).await
}

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().expect("a head");
    let fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| *field == name).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn a_webhook_arrives_once_and_whole_and_its_signature_verifies() {
    let receiver = Receiver::answering(NO_CONTENT).await;
    let outcome = send(&local_sender(LONG), &receiver.url("/hook?token=1")).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");

    let [request] = &receiver.requests()[..] else { panic!("one request") };
    assert!(request.starts_with("POST /hook?token=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"count\":7}"), "{request}");
    for (name, value) in [
        ("host", &*format!("localhost:{}", receiver.port())),
        ("content-type", "application/json"),
        ("content-length", "11"),
        ("user-agent", concat!("once/", env!("CARGO_PKG_VERSION"))),
        ("connection", "close"),
        ("webhook-id", "evt-1"),
    ] {
        assert_eq!(header(request, name), [value], "{name}");
    }
    let id = "evt-1".to_owned().try_into().expect("an id");
    let [timestamp] = header(request, "webhook-timestamp")[..] else { panic!("one timestamp") };
    let [signature] = header(request, "webhook-signature")[..] else { panic!("one signature") };
    assert_eq!(
        secrets().verify(
            SignatureHeaders { id: &id, timestamp, signature },
            BODY,
            Timestamp::now()
        ),
        Ok(())
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let internal = Receiver::answering(NO_CONTENT).await;
    for status in [301, 302, 303, 307, 308] {
        let location = internal.url("/");
        let outcome = outcome_of(&format!(
            "HTTP/1.1 {status} -\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        let Outcome::Retryable { cause: DeliveryError::Status(returned), .. } = outcome else {
            panic!("{status}: {outcome}")
        };
        assert_eq!(returned.as_u16(), status);
    }
    assert!(internal.requests().is_empty());
}

#[tokio::test]
async fn the_receiver_sets_the_time_of_the_next_attempt_or_ends_them() {
    let retryable = outcome_of("HTTP/1.1 429 -\r\nretry-after: 7\r\n\r\n").await;
    assert_eq!(retryable.to_string(), "retryable: answered 429, retry after 7s");
    let retryable =
        outcome_of("HTTP/1.1 503 -\r\nretry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\n\r\n").await;
    assert_eq!(retryable.to_string(), "retryable: answered 503, retry after 21600s");
    let gone = outcome_of("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(gone, Outcome::Permanent { reason: PermanentFailure::Gone }), "{gone}");
}

#[tokio::test]
async fn a_private_address_is_refused_before_anything_is_sent() {
    let receiver = Receiver::answering(NO_CONTENT).await;
    let guarded = sender(Guard::default(), LONG, &["127.0.0.1"]);
    let port = receiver.port();
    for url in
        [format!("http://example.com:{port}/"), format!("http://0x7f.1:{port}/"), receiver.url("/")]
    {
        let outcome = send(&guarded, &url).await;
        let Outcome::Permanent { reason: PermanentFailure::Blocked(reason) } = outcome else {
            panic!("{url}: {outcome}")
        };
        assert!(
            matches!(reason, BlockedAddress::Address("loopback") | BlockedAddress::Name),
            "{reason}"
        );
    }
    assert_eq!(guarded.resolver.lookups(), 1, "only a public name is resolved");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_name_is_resolved_once_and_only_its_first_address_is_used() {
    let receiver = Receiver::answering(NO_CONTENT).await;
    // Nothing listens at the second address: a second resolution would fail the delivery.
    let rebinding = sender(Guard { allow_private: true }, LONG, &["127.0.0.1", "127.0.0.2"]);
    let outcome = send(&rebinding, &format!("http://example.com:{}/", receiver.port())).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");
    assert_eq!((rebinding.resolver.lookups(), receiver.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_name_that_turns_private_after_the_check_is_not_resolved_again() {
    let resolver = SequenceResolver::new(&["8.8.8.8", "127.0.0.1"]);
    let url = "http://example.com/".try_into().expect("a URL");
    let checked = checked_addresses(Guard::default(), &resolver, &url).await.expect("public");
    assert_eq!(checked, ["8.8.8.8:80".parse().expect("an address")]);
    assert_eq!(resolver.lookups(), 1);
    let next = checked_addresses(Guard::default(), &resolver, &url).await;
    assert!(next.is_err(), "the next delivery resolves and checks again: {next:?}");
}

#[tokio::test]
async fn a_silent_receiver_or_resolver_costs_one_timeout() {
    let receiver = Receiver::with(Answer::Silence).await;
    let time = Duration::from_millis(100);
    let source = SecretSource::given(secrets());
    let unresolved =
        Webhooks::with(Guard::default(), source, time, SilentResolver, RootCertStore::empty());
    for outcome in [
        send(&local_sender(time), &receiver.url("/")).await,
        send(&unresolved, "http://example.com/").await,
    ] {
        assert!(
            matches!(
                outcome,
                Outcome::Retryable { cause: DeliveryError::TimedOut, retry_after: None }
            ),
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn an_endless_response_neither_blocks_the_sender_nor_fills_its_memory() {
    let body = Receiver::with(Answer::Endless("HTTP/1.1 200 OK\r\n\r\n", "x")).await;
    let outcome = send(&local_sender(LONG), &body.url("/")).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");

    let head = Receiver::with(Answer::Endless("HTTP/1.1 200 OK\r\nx: ", "xxxxxxxxxxxxxxxx")).await;
    let outcome = send(&local_sender(LONG), &head.url("/")).await;
    assert!(
        matches!(outcome, Outcome::Retryable { cause: DeliveryError::NoResponse(_), .. }),
        "{outcome}"
    );

    let prelude = Receiver::with(Answer::Endless("", "HTTP/1.1 103 Early Hints\r\n\r\n")).await;
    let outcome = send(&local_sender(Duration::from_millis(300)), &prelude.url("/")).await;
    assert!(
        matches!(
            outcome,
            Outcome::Retryable {
                cause: DeliveryError::TimedOut | DeliveryError::NoResponse(_),
                ..
            }
        ),
        "{outcome}"
    );
}

#[tokio::test]
async fn a_response_that_is_not_http_is_retryable() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    for text in [&long, "", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200", "HTTP/2 200 OK\r\n\r\n"] {
        let outcome = outcome_of(text).await;
        assert!(
            matches!(outcome, Outcome::Retryable { cause: DeliveryError::NoResponse(_), .. }),
            "{text:?}: {outcome}"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_is_retryable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let outcome = send(&local_sender(LONG), &format!("http://example.com:{port}/")).await;
    assert!(
        matches!(outcome, Outcome::Retryable { cause: DeliveryError::Connect(_), .. }),
        "{outcome}"
    );
}

#[tokio::test]
async fn over_tls_only_a_receiver_with_a_trusted_root_and_the_right_name_is_reached() {
    let (receiver, certificate) = Receiver::over_tls(NO_CONTENT).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let resolver = SequenceResolver::new(&["127.0.0.1"]);
    let guard = Guard { allow_private: true };
    let trusting = Webhooks::with(guard, SecretSource::given(secrets()), LONG, resolver, roots);
    let public = Webhooks::new(guard, SecretSource::given(secrets()), LONG);

    let other_name = format!("https://example.com:{}/", receiver.port());
    for outcome in [send(&public, &receiver.url("/")).await, send(&trusting, &other_name).await] {
        assert!(
            matches!(outcome, Outcome::Retryable { cause: DeliveryError::Tls(_), .. }),
            "{outcome}"
        );
    }
    assert!(receiver.requests().is_empty());

    let outcome = send(&trusting, &receiver.url("/")).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");
    assert_eq!(receiver.requests().len(), 1);
}
