"""A function as a process: what it logs and measures, how it starts, how it ends."""

import json
import signal
import subprocess
import time
import uuid

import pytest

import logs
from polling import eventually
from runtime_api import environment, program, runtime_api

PROGRAM = program("order-get")


@pytest.fixture(scope="module")
def lines(call) -> list[dict]:
    """The log lines from the time of an order that was placed with a request id of its own."""
    request_id, began = str(uuid.uuid4()), int(time.time() * 1000)
    body = {"name": "Mug", "price": 900, "stock": 5, "merchant_id": "merchant_001"}
    product = call("POST", "/products", body).json["id"]
    order = {"product_id": product, "quantity": 2, "buyer_id": "user-123"}
    placed = call("POST", "/orders", order, {"X-Request-Id": request_id}).json["id"]

    def read() -> list[dict] | None:
        # Not the whole log: other tests have written thousands of lines.
        messages = logs.lines("", began)
        if not any(placed in message for message in messages):
            return None
        objects = [json.loads(message) for message in messages if message.startswith("{")]
        return [line | {"request": request_id, "placed": placed} for line in objects]

    return eventually(read, "the order is not in the log", timeout_s=20)


def test_a_log_line_names_its_request_and_its_function(lines):
    [line] = [line for line in lines if line.get("order.id") == line["placed"]]
    assert (line["level"], line["message"]) == ("INFO", "Order placed")
    span = line["span"]
    assert (span["function"], span["request_id"]) == ("order-create", line["request"])
    assert isinstance(span["cold_start"], bool)


@pytest.mark.cloud_only("it has no CloudWatch that reads metrics from a log")
def test_metrics_are_in_the_embedded_format_of_cloudwatch(lines):
    documents = [line for line in lines if "_aws" in line]
    [sold] = [line["UnitsSold"] for line in documents if "UnitsSold" in line][-1:]
    assert sold == 2
    for line in documents:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Once"
        assert directive["Dimensions"] == [["Function"]]
        assert line["Function"]
        assert {metric["Name"] for metric in directive["Metrics"]} <= line.keys()


@pytest.fixture
def runtime():
    """A runtime API that hands out no request, and its address."""
    with runtime_api() as api:
        yield api


def test_sigterm_ends_an_idle_instance_with_success(runtime):
    api, address = runtime
    process = subprocess.Popen(
        [PROGRAM], env=environment(address, "order-get"), stdout=subprocess.PIPE, text=True
    )
    eventually(lambda: api.waiting, "it asks for no request", pause_s=0.01, timeout_s=30)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Shutting down" in output


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ORDERS_TABLE", ""),
        ("ORDER_RETRY_BUDGET_MS", "soon"),
        ("SOLD_OUT_CACHE_MS", "-1"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_an_invalid_setting_stops_the_start_and_is_named(runtime, variable, value):
    api, address = runtime
    process = subprocess.run(
        [PROGRAM],
        env=environment(address, "order-get", **{variable: value}),
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    assert process.returncode != 0
    assert variable in process.stderr
    assert api.waiting == 0
