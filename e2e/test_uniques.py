"""Unique ids through the deployed stack: responses, and a minute that is closed and published."""

import base64
import hashlib
import hmac
import json
import random
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest

import logs
import minute as published_minute
from polling import TIMEOUT_S, eventually

MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z")


@pytest.fixture(scope="session")
def accept(call):
    """Sends a request to accept an id: `accept(id=7, url="…")`."""

    def get(*pairs, **named):
        return call("GET", f"/api/verve/accept?{urlencode([*pairs, *named.items()])}")

    return get


def new_id() -> int:
    """Returns an id that was not sent before."""
    return random.getrandbits(62)


class Receiver(BaseHTTPRequestHandler):
    """A receiver of callbacks that refuses the first attempt."""

    received: list[tuple[dict[str, str], bytes, float]]

    def do_POST(self):
        """Answers 503 to the first request, 204 to the others."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.received.append((headers, body, time.time()))
        self.send_response(503 if len(self.received) == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        """Prints nothing."""


@pytest.fixture(scope="session")
def receiver():
    """The URL of a receiver on a free port of loopback, and the requests to it."""
    handler = type("Handler", (Receiver,), {"received": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/counts?token=t", handler.received
    server.shutdown()


@pytest.fixture(scope="session")
def counted(accept, api_url, receiver) -> list:
    """The responses to four new ids of one minute, three of them with callbacks."""
    callbacks = [
        {},
        {"url": f"{api_url}/test"},
        {"endpoint": receiver[0]},
        {"url": "http://127.0.0.1:9/closed"},
    ]
    if (second := time.time() % 60) > 55:  # All ids must be of one minute.
        time.sleep(60 - second)
    return [accept(id=new_id(), **callback) for callback in callbacks]


@pytest.fixture(scope="module")
def minute(call, counted) -> str:
    """The minute of these ids, once it is published."""
    [minute] = {reply.headers["X-Minute"] for reply in counted}
    path = f"/api/verve/counts?from={minute}&to={minute}"
    eventually(lambda: call("GET", path).json["counts"], f"{minute} was not published")
    return minute


@pytest.mark.begins
def test_new_ids_are_accepted_with_callbacks_and_without(counted):
    assert [reply.text for reply in counted] == ["ok"] * 4


def test_an_id_is_accepted_once_in_its_minute(accept):
    number = new_id()
    first, second = accept(id=number), accept(id=number)
    if first.headers["X-Minute"] != second.headers["X-Minute"]:  # A new minute has begun.
        first, second = second, accept(id=number)
    assert (first.status, first.text) == (200, "ok")
    assert (second.status, second.text) == (409, "failed")
    for reply in (first, second):
        assert reply.headers.get_content_type() == "text/plain"
        assert MINUTE.fullmatch(reply.headers["X-Minute"])


def test_negative_and_the_largest_ids_are_valid(accept):
    for number in (-new_id(), 2**63 - 1, -(2**63)):
        assert accept(id=number).status in (200, 409)


def test_an_invalid_id_is_refused(accept, subtests):
    for pairs in [
        [],
        [("id", "")],
        [("id", " ")],
        [("id", "1.0")],
        [("id", "+1")],
        [("id", "1e3")],
        [("id", "\uff14\uff12")],  # Digits, but not those of ASCII.
        [("id", "9223372036854775808")],
        [("id", "1"), ("id", "2")],
    ]:
        with subtests.test(str(pairs)):
            reply = accept(*pairs)
            assert (reply.status, reply.text) == (400, "failed")


def test_an_id_with_an_invalid_callback_is_refused_and_not_counted(accept, subtests):
    number = new_id()
    for pairs in [
        [("url", "")],
        [("url", "callback")],
        [("url", "ftp://example.com/")],
        [("url", "https://user:secret@example.com/")],
        [("url", f"https://example.com/{'x' * 2048}")],
        [("url", "https://example.com/"), ("endpoint", "https://example.org/")],
    ]:
        with subtests.test(str(pairs)[:60]):
            reply = accept(("id", number), *pairs)
            assert (reply.status, reply.text) == (400, "failed")
    assert accept(id=number).text == "ok"


@pytest.mark.waits
def test_a_minute_is_published_once_and_everywhere_with_the_same_count(call, minute):
    # In the table, on the stream, in the log, by callbacks.
    lines = eventually(lambda: trace(minute), f"{minute} is not complete", 1)
    count = int(published_minute.published(minute)["unique_ids"]["N"])
    assert count >= 4
    assert len([line for line in lines if "callback" in line and "signature valid" in line]) == 1
    logged = published_minute.log_lines(minute)
    closed = [line for line in logged if line["message"] == "Minute published"]
    assert [line["unique_ids"] for line in closed] == [count]
    assert set(published_minute.stream_counts(minute)) == {count}
    [row] = call("GET", f"/api/verve/counts?from={minute}&to={minute}").json["counts"]
    assert (row["minute"], row["unique_ids"]) == (minute, count)


def trace(minute: str) -> list[str]:
    """Returns what the stack has about a minute, nothing as long as something is missing."""
    try:
        return published_minute.trace(minute)
    except published_minute.IncompleteError:
        return []


@pytest.mark.waits
def test_a_callback_is_signed_and_repeated_until_it_is_delivered(aws, minute, outputs, receiver):
    secret = aws("secretsmanager").get_secret_value(SecretId=outputs["WebhookSecretArn"])
    # As https://www.standardwebhooks.com specifies it.
    key = base64.b64decode(secret["SecretString"])
    _, received = receiver
    eventually(lambda: len(received) >= 2, "there was no second attempt")
    count = int(published_minute.published(minute)["unique_ids"]["N"])
    for headers, body, received_at in received:
        assert json.loads(body) == {"minute": minute, "unique_ids": count}
        assert headers["content-type"] == "application/json"
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert f"v1,{signature}" in headers["webhook-signature"].split(" ")
        assert abs(int(headers["webhook-timestamp"]) - received_at) < TIMEOUT_S
    assert len({headers["webhook-id"] for headers, _, _ in received}) == 1


@pytest.mark.waits
def test_an_undelivered_callback_stays_in_the_queue(aws, minute, receiver, outputs):
    eventually(lambda: receiver[1], f"no callback of {minute} was sent")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = aws("sqs").get_queue_attributes(
        QueueUrl=outputs["CallbackQueueUrl"], AttributeNames=names
    )
    assert sum(int(queue["Attributes"][name]) for name in names) >= 1


def test_accept_logs_no_line_per_request(accept):
    def lines() -> int:
        messages = logs.lines("accept")
        return sum(message.startswith("{") for message in messages)

    before = lines()
    for _ in range(30):
        assert accept(id=new_id()).status == 200
    # Each instance writes its metrics every ten seconds.
    assert lines() - before < 10
