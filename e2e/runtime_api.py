"""Lambda's runtime API for one program, and the events that it hands out."""

import json
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))


def program(name: str) -> Path:
    """Returns the program of a function, as it was built for the deployment."""
    return TARGET / "debug" / name


def environment(address: str, function: str, **changes: str) -> dict[str, str]:
    """Returns the settings of the stack, and those that Lambda adds."""
    added = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "LOG_FORMAT": "json",
    }
    return os.environ | added | changes


def sample(function: str) -> dict:
    """Returns the sample event of a function."""
    return json.loads((PROJECT / "events" / f"{function}.json").read_text())


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


@contextmanager
def runtime_api() -> Iterator[tuple[Runtime, str]]:
    """Serves a runtime API on a free port of loopback; yields its state and its address."""
    runtime = Runtime()
    handler = type("Bound", (Handler,), {"runtime": runtime})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield runtime, f"127.0.0.1:{server.server_port}"
    server.shutdown()
