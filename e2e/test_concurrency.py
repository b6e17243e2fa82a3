"""`accept` as a process, with one request at a time and with many: Lambda says which, by its environment."""

import json
import os
import queue
import random
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
PATIENCE_S = 30


class Runtime:
    """Lambda's runtime API: hands requests out to whoever waits for one, and keeps the answers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = 0
        self.requests = queue.Queue()
        self.answers = {}

    def next(self) -> tuple[str, dict]:
        """A request, once there is one."""
        with self.lock:
            self.waiting += 1
        request = self.requests.get()
        with self.lock:
            self.waiting -= 1
        return request

    def until(self, condition, what: str) -> None:
        """Waits until something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.01)


class Handler(BaseHTTPRequestHandler):
    """The border of the runtime API."""

    runtime: Runtime
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """The next request, after as long a wait as it takes."""
        name, event = self.runtime.next()
        self.answer(200, json.dumps(event).encode(), name)

    def do_POST(self):
        """An answer; there is no extensions API here."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = self.path.split("/")
        if parts[-1] == "response":
            self.runtime.answers[parts[-2]] = json.loads(body)
        self.answer(202 if parts[-1] == "response" else 404, b"", "")

    def answer(self, status: int, body: bytes, name: str) -> None:
        """Sends an answer, with what Lambda says of a request."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", name)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 6000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:accept")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing to say."""


@pytest.fixture
def runtime():
    """A runtime API on a free port of the loopback, and its address."""
    runtime = Runtime()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"runtime": runtime}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield runtime, f"127.0.0.1:{server.server_port}"
    server.shutdown()


def event(number: int) -> dict:
    """A request to count an id."""
    sample = json.loads((PROJECT / "events" / "accept.json").read_text())
    return sample | {"rawQueryString": f"id={number}", "queryStringParameters": {"id": str(number)}}


@pytest.mark.parametrize(("concurrency", "at_once"), [(None, 1), ("1", 1), ("8", 8)])
def test_as_many_requests_are_served_at_once_as_lambda_says(runtime, concurrency, at_once):
    api, address = runtime
    told = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "accept",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }
    if concurrency:
        told["AWS_LAMBDA_MAX_CONCURRENCY"] = concurrency
    process = subprocess.Popen([TARGET / "debug" / "accept"], env=os.environ | told, stdout=subprocess.DEVNULL)
    try:
        api.until(lambda: api.waiting == at_once, f"{api.waiting} wait for requests, not {at_once}")
        time.sleep(0.5)
        assert api.waiting == at_once

        if (second := time.time() % 60) > 50:  # All are to come in one minute.
            time.sleep(60 - second)
        first = random.getrandbits(62)
        # Twenty ids, each of them twice.
        for turn in range(40):
            api.requests.put((f"request-{turn}", event(first + turn % 20)))
        api.until(lambda: len(api.answers) == 40, f"{len(api.answers)} of 40 were answered")
        answered = [[api.answers[f"request-{turn}"]["body"] for turn in (n, n + 20)] for n in range(20)]
        assert all(sorted(pair) == ["failed", "ok"] for pair in answered), answered
    finally:
        process.kill()
        process.wait()
