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

/// Long enough for a busy machine. A test that ends in time does not wait for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers each look-up with the next of its addresses, and with the last one from then on.
struct Turning {
    asked: AtomicUsize,
    answers: &'static [&'static str],
}

impl Turning {
    fn new(answers: &'static [&'static str]) -> Self {
        Self { asked: AtomicUsize::new(0), answers }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Resolve for Turning {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(vec![self.answers[asked.min(self.answers.len() - 1)].parse().expect("an address")])
    }
}

/// Never answers.
struct Silent;

impl Resolve for Silent {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

fn secrets() -> Secrets {
    SECRET.parse().expect("a secret")
}

fn webhooks(
    guard: Guard,
    timeout: Duration,
    answers: &'static [&'static str],
) -> Webhooks<Turning> {
    let source = SecretSource::given(secrets());
    Webhooks::with(guard, source, timeout, Turning::new(answers), RootCertStore::empty())
}

fn local(timeout: Duration) -> Webhooks<Turning> {
    webhooks(Guard { allow_private: true }, timeout, &["127.0.0.1"])
}

async fn sent<R: Resolve + Sync>(webhooks: &Webhooks<R>, url: &str) -> Outcome {
    let url = url.try_into().expect("a URL");
    let id = "evt-1".to_owned().try_into().expect("an id");
    let delivery = Delivery { url: &url, id: &id, body: BODY };
    webhooks.send(delivery, Timestamp::now()).await.expect("the secret is given")
}

/// What becomes of a delivery that is answered so.
async fn answered(text: &str) -> Outcome {
    let receiver = Receiver::answering(text).await;
    sent(&local(PATIENCE), &receiver.url("/")).await
}

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().expect("a head");
    let fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| *field == name).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn a_webhook_arrives_once_and_whole_and_its_signature_verifies() {
    let receiver = Receiver::answering(NO_CONTENT).await;
    let outcome = sent(&local(PATIENCE), &receiver.url("/hook?token=1")).await;
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
    let [timestamp] = header(request, "webhook-timestamp")[..] else { panic!("one time") };
    let [signature] = header(request, "webhook-signature")[..] else { panic!("one header") };
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
    let inside = Receiver::answering(NO_CONTENT).await;
    for status in [301, 302, 303, 307, 308] {
        let location = inside.url("/");
        let outcome = answered(&format!(
            "HTTP/1.1 {status} -\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        let Outcome::Retryable { cause: DeliveryError::Status(answered), .. } = outcome else {
            panic!("{status}: {outcome}")
        };
        assert_eq!(answered.as_u16(), status);
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn the_receiver_says_when_to_come_back_and_when_not_to() {
    let later = answered("HTTP/1.1 429 -\r\nretry-after: 7\r\n\r\n").await;
    assert_eq!(later.to_string(), "later: answered 429, not before 7s");
    let later =
        answered("HTTP/1.1 503 -\r\nretry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\n\r\n").await;
    assert_eq!(later.to_string(), "later: answered 503, not before 21600s");
    let gone = answered("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(gone, Outcome::Permanent { reason: PermanentFailure::Gone }), "{gone}");
}

#[tokio::test]
async fn a_private_address_is_refused_before_anything_is_sent() {
    let receiver = Receiver::answering(NO_CONTENT).await;
    let guarded = webhooks(Guard::default(), PATIENCE, &["127.0.0.1"]);
    let port = receiver.port();
    for url in
        [format!("http://example.com:{port}/"), format!("http://0x7f.1:{port}/"), receiver.url("/")]
    {
        let outcome = sent(&guarded, &url).await;
        let Outcome::Permanent { reason: PermanentFailure::Blocked(reason) } = outcome else {
            panic!("{url}: {outcome}")
        };
        assert!(
            matches!(reason, BlockedAddress::Address("loopback") | BlockedAddress::Name),
            "{reason}"
        );
    }
    assert_eq!(guarded.resolver.asked(), 1, "only a public name is looked up");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_only_its_first_answer_is_used() {
    let receiver = Receiver::answering(NO_CONTENT).await;
    // Nobody is at the second address: whoever asked again would find no one.
    let rebinding = webhooks(Guard { allow_private: true }, PATIENCE, &["127.0.0.1", "127.0.0.2"]);
    let outcome = sent(&rebinding, &format!("http://example.com:{}/", receiver.port())).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");
    assert_eq!((rebinding.resolver.asked(), receiver.requests().len()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_turns_private_after_the_check_is_never_asked_for() {
    let resolver = Turning::new(&["8.8.8.8", "127.0.0.1"]);
    let url = "http://example.com/".try_into().expect("a URL");
    let pinned = checked_addresses(Guard::default(), &resolver, &url).await.expect("public");
    assert_eq!(pinned, ["8.8.8.8:80".parse().expect("an address")]);
    assert_eq!(resolver.asked(), 1);
    let next = checked_addresses(Guard::default(), &resolver, &url).await;
    assert!(next.is_err(), "the next delivery looks again, and checks again: {next:?}");
}

#[tokio::test]
async fn silence_of_the_receiver_or_of_the_resolver_costs_one_time_out() {
    let receiver = Receiver::with(Answer::Silence).await;
    let time = Duration::from_millis(100);
    let source = SecretSource::given(secrets());
    let unresolved = Webhooks::with(Guard::default(), source, time, Silent, RootCertStore::empty());
    for outcome in [
        sent(&local(time), &receiver.url("/")).await,
        sent(&unresolved, "http://example.com/").await,
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
async fn an_answer_that_never_ends_neither_holds_nor_fills_the_sender() {
    let body = Receiver::with(Answer::Endless("HTTP/1.1 200 OK\r\n\r\n", "x")).await;
    let outcome = sent(&local(PATIENCE), &body.url("/")).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");

    let head = Receiver::with(Answer::Endless("HTTP/1.1 200 OK\r\nx: ", "xxxxxxxxxxxxxxxx")).await;
    let outcome = sent(&local(PATIENCE), &head.url("/")).await;
    assert!(
        matches!(outcome, Outcome::Retryable { cause: DeliveryError::NoResponse(_), .. }),
        "{outcome}"
    );

    let prelude = Receiver::with(Answer::Endless("", "HTTP/1.1 103 Early Hints\r\n\r\n")).await;
    let outcome = sent(&local(Duration::from_millis(300)), &prelude.url("/")).await;
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
async fn what_is_not_an_answer_may_become_one_later() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    for text in [&long, "", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200", "HTTP/2 200 OK\r\n\r\n"] {
        let outcome = answered(text).await;
        assert!(
            matches!(outcome, Outcome::Retryable { cause: DeliveryError::NoResponse(_), .. }),
            "{text:?}: {outcome}"
        );
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_may_be_there_later() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let outcome = sent(&local(PATIENCE), &format!("http://example.com:{port}/")).await;
    assert!(
        matches!(outcome, Outcome::Retryable { cause: DeliveryError::Connect(_), .. }),
        "{outcome}"
    );
}

#[tokio::test]
async fn over_tls_only_a_receiver_whose_root_is_trusted_and_whose_name_fits_gets_it() {
    let (receiver, certificate) = Receiver::over_tls(NO_CONTENT).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let resolver = Turning::new(&["127.0.0.1"]);
    let guard = Guard { allow_private: true };
    let trusting = Webhooks::with(guard, SecretSource::given(secrets()), PATIENCE, resolver, roots);
    let public = Webhooks::new(guard, SecretSource::given(secrets()), PATIENCE);

    let other_name = format!("https://example.com:{}/", receiver.port());
    for outcome in [sent(&public, &receiver.url("/")).await, sent(&trusting, &other_name).await] {
        assert!(
            matches!(outcome, Outcome::Retryable { cause: DeliveryError::Tls(_), .. }),
            "{outcome}"
        );
    }
    assert!(receiver.requests().is_empty());

    let outcome = sent(&trusting, &receiver.url("/")).await;
    assert!(matches!(outcome, Outcome::Delivered), "{outcome}");
    assert_eq!(receiver.requests().len(), 1);
}
