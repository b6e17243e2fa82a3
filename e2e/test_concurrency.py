"""The program `accept` takes as many requests at once as Lambda's environment says."""

import random
import subprocess
import time

import pytest

from polling import eventually
from runtime_api import environment, program, runtime_api, sample

TIMEOUT_S = 30


@pytest.fixture
def runtime():
    """A runtime API and its address."""
    with runtime_api() as api:
        yield api


def event(number: int) -> dict:
    """Returns the event of a request to count an id."""
    query = {"id": str(number)}
    return sample("accept") | {"rawQueryString": f"id={number}", "queryStringParameters": query}


@pytest.mark.parametrize(("concurrency", "at_once"), [(None, 1), ("1", 1), ("8", 8)])
def test_as_many_requests_are_served_at_once_as_lambda_says(runtime, concurrency, at_once):
    api, address = runtime
    settings = {"AWS_LAMBDA_MAX_CONCURRENCY": concurrency} if concurrency else {}
    process = subprocess.Popen(
        [program("accept")],
        env=environment(address, "accept", **settings),
        stdout=subprocess.DEVNULL,
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
