"""Starts and stops the local cloud's process.

The process inherits a locked file and so holds the lock until it ends. Only the lock decides
whether it runs: a stale pid is not mistaken for it, and a recycled pid is never signaled.
"""

import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import TextIO

from environments import LOCAL, programs
from home import LOOPBACK, Home, client_environment, endpoint

TIMEOUT_S = 60


def up(home: Home, port: int) -> None:
    """Starts the cloud and waits until it answers; a no-op if it runs. Port 0 is any free port."""
    home.root.mkdir(parents=True, exist_ok=True)
    with home.lock.open("a+") as lock:
        if _acquire(lock):
            lock.truncate(0)
            _clear(home)
            _start(home, _free_port(port), lock)
    try:
        _await(lambda: _healthy(home), f"the local cloud does not answer: see {home.log}")
    except BaseException:
        down(home)
        raise
    print(f"The local cloud is up at {endpoint(running_port(home))}", flush=True)


def down(home: Home) -> None:
    """Kills the cloud and all its functions; a no-op if it does not run.

    Nothing has to be saved: its state is in its memory.
    """
    if not home.lock.exists():
        return
    with home.lock.open("a+") as lock:
        if not _acquire(lock):
            os.killpg(_state(home)["pid"], signal.SIGKILL)
            _await(lambda: _acquire(lock), "the local cloud does not end")
            print("The local cloud is down")
        _clear(home)


def running_port(home: Home) -> int:
    """Returns the port of the running cloud; ends the program if none is running."""
    if not _runs(home):
        sys.exit("the local cloud is not running: `make cloud` starts it")
    return _state(home)["port"]


def _start(home: Home, port: int, lock: TextIO) -> None:
    environment = {
        # Functions inherit this environment, so it has nothing of the caller's.
        "PATH": os.defpath,
        **client_environment(port),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        # Each call requires a policy that allows it, as on AWS.
        "AUTH": "true",
        "TMPDIR": str(home.scratch),
        "S3_DATA_DIR": str(home.scratch / "s3"),
        "STATE_DIR": str(home.scratch / "state"),
        # No listeners at other ports, for services that are not used here.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # Concurrent environments of all functions; beyond it the cloud answers 429, as AWS does
        # beyond 1 000. One interpreter serves all their calls: hundreds of them would time out.
        "LAMBDA_ACCOUNT_CONCURRENCY": "40",
        # How long an idle environment is kept; a function's first one is kept always.
        "LAMBDA_WARM_TTL_SECONDS": "30",
    }
    # Each environment uses descriptors: the usual soft limit of 1024 is too low for a burst.
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    home.scratch.mkdir()
    with home.log.open("w") as log:
        process = subprocess.Popen(
            # Isolated: the modules of this folder must not shadow those of ministack.
            [programs("cloud") / "python", "-I", LOCAL / "emulator.py"],
            cwd=home.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            # A process group of its own: `down` kills it together with the functions it started.
            start_new_session=True,
        )
    json.dump({"pid": process.pid, "port": port}, lock)


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            sys.exit(f"port {port}: {error.strerror}: free it or choose another by --port")
        return probe.getsockname()[1]


def _healthy(home: Home) -> bool:
    if not _runs(home):
        sys.exit(f"the local cloud ended while it started: see {home.log}")
    try:
        with urllib.request.urlopen(f"{endpoint(running_port(home))}/_ministack/health", timeout=5):
            return True
    except (OSError, ValueError):
        # It does not listen yet, or another `up` has not written its port yet.
        return False


def _runs(home: Home) -> bool:
    if not home.lock.exists():
        return False
    with home.lock.open() as lock:
        return not _acquire(lock)


def _acquire(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _state(home: Home) -> dict:
    return json.loads(home.lock.read_text())


def _await(condition: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(failure)
        time.sleep(0.05)


def _clear(home: Home) -> None:
    """Removes the files of a cloud that has ended."""
    shutil.rmtree(home.scratch, ignore_errors=True)
    for file in (home.api_url, home.token, home.read_token, home.env):
        file.unlink(missing_ok=True)
