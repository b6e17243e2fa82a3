"""Waiting for what a stack does by itself."""

import time

# The rules tick once a minute: a minute is closed 15 s after its end, and a job is asked for again after two minutes of
# quiet, each by the next tick, which may be a minute late.
PATIENCE_S = 240


def eventually(find, what: str, pause_s: float = 1):
    """The first result of `find` that is not empty."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := find()):
        assert time.monotonic() < deadline, what
        time.sleep(pause_s)
    return found
