"""Tokens: who is let in at each operation, and the own tokens of orders."""

import re
import uuid
from pathlib import Path

import pytest
import yaml

from polling import eventually

PROJECT = Path(__file__).resolve().parent.parent

MISSING = (401, "TOKEN_MISSING", 'Bearer realm="once"')
UNKNOWN = (401, "TOKEN_UNKNOWN", 'Bearer error="invalid_token"')
INSUFFICIENT = (403, "TOKEN_INSUFFICIENT", 'Bearer error="insufficient_scope", scope="admin"')
ADMITTED = None


def refusal(reply) -> tuple[int, str, str] | None:
    """Returns why an operator was not let in, nothing if it was."""
    if reply.status not in (401, 403):
        return ADMITTED
    error = reply.headers["X-Error"]
    code = error.split(" ")[0] if error else reply.json["error"]["code"]
    return reply.status, code, reply.headers["WWW-Authenticate"]


def expected(security: list[dict]) -> list[tuple[int, str, str] | None]:
    """Returns the refusals of a caller without a token, with `read`, `admin` and an unknown one."""
    [role] = [role for needed in security for role in needed.get("bearerAuth", [])] or [None]
    is_open = not security or {} in security
    of_read = INSUFFICIENT if role == "admin" else ADMITTED
    return [ADMITTED if is_open else MISSING, of_read, ADMITTED, UNKNOWN]


def test_each_operation_lets_in_whom_the_contract_says(call, tokens, subtests):
    contract = yaml.safe_load((PROJECT / "openapi.yaml").read_text())
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            with subtests.test(f"{method} {path}"):
                # Nothing has these ids, and nothing that needs a body or a query does anything.
                url = re.sub(r"\{\w+\}", "unknown", path)
                given = [None, tokens.read, tokens.admin, "unknown"]
                found = [refusal(call(method.upper(), url, token=token)) for token in given]
                assert found == expected(operation["security"])


@pytest.fixture
def order_of(call):
    """Places an order without an operator's token: `order_of("buyer")`."""
    product = {"name": "Mug", "price": 900, "stock": 5, "merchant_id": "merchant_001"}
    product_id = call("POST", "/products", product).json["id"]

    def place(buyer: str) -> dict:
        body = {"product_id": product_id, "quantity": 1, "buyer_id": buyer}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        replies = [call("POST", "/orders", body, key, token=None) for _ in range(2)]
        assert [reply.status for reply in replies] == [201, 201]
        assert replies[0].json == replies[1].json, "a repeat gets the same token"
        return replies[0].json

    return place


@pytest.fixture
def as_buyer(call):
    """Sends a request with an order's token: `as_buyer("GET", "/orders/…", "…")`."""

    def send(method: str, path: str, order_token: str):
        return call(method, path, headers={"Order-Token": order_token}, token=None)

    return send


def test_an_order_is_shown_and_cancelled_with_its_own_token_only(as_buyer, call, order_of):
    order, other = order_of("one"), order_of("two")
    path = f"/orders/{order['id']}"
    for method, url in [("GET", path), ("POST", f"{path}/cancel")]:
        assert refusal(call(method, url, token=None)) == MISSING
        unknown = url.replace(order["id"], str(uuid.uuid4()))
        for token in (other["order_token"], "x"):
            replies = [as_buyer(method, path, token) for path in (url, unknown)]
            codes = [(reply.status, reply.json["error"]["code"]) for reply in replies]
            assert codes == [(403, "ORDER_TOKEN_INVALID")] * 2
    assert as_buyer("GET", path, order["order_token"]).json["buyer_id"] == "one"
    cancelled = as_buyer("POST", f"{path}/cancel", order["order_token"])
    assert (cancelled.status, cancelled.json["status"]) == (200, "CANCELLED")
    assert "order_token" not in cancelled.json


def test_a_token_is_valid_after_a_rotation_of_the_secret(
    as_buyer, aws, order_of, outputs, reconfigure
):
    before = order_of("before")
    secrets, secret = aws("secretsmanager"), outputs["OrderSecretArn"]
    rotated = secrets.get_random_password(PasswordLength=64, ExcludePunctuation=True)
    secrets.put_secret_value(SecretId=secret, SecretString=rotated["RandomPassword"])
    for function in ("OrderCreate", "OrderGet"):
        reconfigure(function, LOG_LEVEL="debug")  # A new instance reads the secret.

    def placed_after():
        order = order_of("after")
        # An instance that ran before may place it within the five minutes of its cache.
        reply = as_buyer("GET", f"/orders/{order['id']}", order["order_token"])
        return order if reply.status == 200 else None

    eventually(placed_after, "the new token is not valid", timeout_s=30)
    assert as_buyer("GET", f"/orders/{before['id']}", before["order_token"]).status == 200


@pytest.mark.parametrize(
    ("function", "variable", "method", "path"),
    [
        ("Accept", "ACCEPT_NEEDS_TOKEN", "GET", "/api/verve/accept"),
        ("OrderCreate", "ORDERS_NEED_TOKEN", "POST", "/orders"),
        ("CallbackTest", "TEST_NEEDS_TOKEN", "POST", "/test"),
    ],
)
def test_a_switch_closes_what_is_open(call, reconfigure, function, variable, method, path):
    assert refusal(call(method, path, token=None)) is ADMITTED
    reconfigure(function, **{variable: "true"})

    def closed():
        return refusal(call(method, path, token=None)) == MISSING

    eventually(closed, f"{path} requires no token")
    assert refusal(call(method, path)) is ADMITTED
