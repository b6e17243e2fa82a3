"""The program `accept` takes as many requests at once as Lambda's environment says."""

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

from polling import eventually

PROJECT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
TIMEOUT_S = 30


class Runtime:
    """The state of Lambda's runtime API: requests to hand out, and the answers to them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = 0
        self.requests = queue.Queue()
        self.answers = {}

    def next(self) -> tuple[str, dict]:
        """Returns the next request; waits until there is one."""
        with self.lock:
            self.waiting += 1
        request = self.requests.get()
        with self.lock:
            self.waiting -= 1
        return request


class Handler(BaseHTTPRequestHandler):
    """Lambda's runtime API over HTTP."""

    runtime: Runtime
    protocol_version = "HTTP/1.1"
    # Otherwise each body waits 40 ms for the acknowledgment of its headers.
    disable_nagle_algorithm = True

    def do_GET(self):
        """Sends the next request, once there is one."""
        name, event = self.runtime.next()
        self.answer(200, json.dumps(event).encode(), name)

    def do_POST(self):
        """Stores an answer; there is no extensions API."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = self.path.split("/")
        if parts[-1] == "response":
            self.runtime.answers[parts[-2]] = json.loads(body)
        self.answer(202 if parts[-1] == "response" else 404, b"", "")

    def answer(self, status: int, body: bytes, name: str) -> None:
        """Sends an answer with the headers that describe a request."""
        arn = "arn:aws:lambda:us-east-1:000000000000:function:accept"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", name)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 6000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Prints nothing."""


@pytest.fixture
def runtime():
    """A runtime API on a free port of loopback, and its address."""
    runtime = Runtime()
    handler = type("Bound", (Handler,), {"runtime": runtime})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield runtime, f"127.0.0.1:{server.server_port}"
    server.shutdown()


def event(number: int) -> dict:
    """Returns the event of a request to count an id."""
    sample = json.loads((PROJECT / "events" / "accept.json").read_text())
    query = {"id": str(number)}
    return sample | {"rawQueryString": f"id={number}", "queryStringParameters": query}


@pytest.mark.parametrize(("concurrency", "at_once"), [(None, 1), ("1", 1), ("8", 8)])
def test_as_many_requests_are_served_at_once_as_lambda_says(runtime, concurrency, at_once):
    api, address = runtime
    settings = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "accept",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }
    if concurrency:
        settings["AWS_LAMBDA_MAX_CONCURRENCY"] = concurrency
    process = subprocess.Popen(
        [TARGET / "debug" / "accept"], env=os.environ | settings, stdout=subprocess.DEVNULL
    )

    def wait_until(condition, failure: str) -> None:
        eventually(condition, failure, pause_s=0.01, timeout_s=TIMEOUT_S)

    try:
        wait_until(lambda: api.waiting == at_once, f"not {at_once} requests are taken at once")
        time.sleep(0.5)
        assert api.waiting == at_once

        if (second := time.time() % 60) > 55:  # All ids must be of one minute.
            time.sleep(60 - second)
        first = random.getrandbits(62)
        # Twenty ids, each of them twice.
        for turn in range(40):
            api.requests.put((f"request-{turn}", event(first + turn % 20)))
        wait_until(lambda: len(api.answers) == 40, "not all requests were answered")
        answers = [
            [api.answers[f"request-{turn}"]["body"] for turn in (n, n + 20)] for n in range(20)
        ]
        assert all(sorted(pair) == ["failed", "ok"] for pair in answers), answers
    finally:
        process.kill()
        process.wait()
