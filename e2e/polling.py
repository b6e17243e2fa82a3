"""Waits for what a stack does asynchronously."""

import time

# Rules tick once a minute: a minute is closed 15 s after its end, and a stalled settlement is sent
# again after two quiet minutes, each by the next tick, which may be a minute late.
TIMEOUT_S = 240


def eventually(find, failure: str, pause_s: float = 0.25, timeout_s: float = TIMEOUT_S):
    """Returns the first result of `find` that is truthy; fails if none comes in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        assert time.monotonic() < deadline, failure
        time.sleep(pause_s)
    return found
