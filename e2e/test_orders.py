"""Orders through the deployed API, and 500 buyers at once."""

import os
import re
import subprocess
import uuid
from pathlib import Path

import pytest

from runtime_api import program

PROJECT = Path(__file__).resolve().parent.parent

PRODUCT = {
    "name": "Limited Edition Product",
    "price": 1000,
    "stock": 100,
    "merchant_id": "merchant_001",
    "lanes": 8,
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def product(call) -> int:
    """A new product with 100 units at 1 000 cents."""
    return call("POST", "/products", PRODUCT).json["id"]


@pytest.fixture
def order(call, product) -> dict:
    """A new order of two of its units."""
    return call("POST", "/orders", order_of(product, 2)).json


def order_of(product: int, quantity: int) -> dict:
    """Returns the body of an order."""
    return {"product_id": product, "quantity": quantity, "buyer_id": "user-123"}


def stock(call, product: int) -> int:
    """Returns the units that are left."""
    return call("GET", f"/products/{product}").json["stock"]


def test_a_new_product_has_an_id_and_is_listed(call):
    reply = call("POST", "/products", PRODUCT)
    assert reply.status == 201
    assert isinstance(reply.json["id"], int)
    assert PRODUCT.items() <= reply.json.items()
    assert call("GET", f"/products/{reply.json['id']}").json == reply.json
    assert reply.json in call("GET", "/products?limit=100").json["products"]


def test_an_order_is_returned_as_it_is_stored(call, product):
    reply = call("POST", "/orders", order_of(product, 2))
    assert reply.status == 201
    order = reply.json
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", order.pop("order_token"))
    expected = order_of(product, 2) | {"status": "CONFIRMED", "total_cents": 2000}
    assert expected.items() <= order.items()
    assert uuid.UUID(order["id"])
    assert TIME.fullmatch(order["created_at"])
    assert order["updated_at"] == order["created_at"]

    shown = call("GET", f"/orders/{order['id']}").json
    summary = {"id": product, "name": "Limited Edition Product", "stock": 98, "price": 1000}
    assert shown == order | {"product": summary}


def test_a_repeated_request_with_one_key_is_one_order(call, product):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (call("POST", "/orders", order_of(product, 1), key) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert second.json == first.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert stock(call, product) == 99
    for other in [order_of(product, 2), order_of(product, 1) | {"buyer_id": "another"}]:
        reply = call("POST", "/orders", other, key)
        assert (reply.status, reply.json["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_merchants_may_number_their_imports_alike(call):
    key = {"Idempotency-Key": f"import-{uuid.uuid4()}"}
    merchants = ["merchant_001", "merchant_002"]
    imports = [call("POST", "/products", PRODUCT | {"merchant_id": m}, key) for m in merchants]
    assert [reply.status for reply in imports] == [201, 201]
    assert imports[0].json["id"] != imports[1].json["id"]


def test_an_order_of_more_than_the_stock_is_refused(call, product):
    reply = call("POST", "/orders", order_of(product, 101))
    assert reply.status == 409
    assert reply.json["error"] == {"code": "OUT_OF_STOCK", "message": "Insufficient stock"}
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert stock(call, product) == 100


def test_a_cancelled_order_returns_its_units_once(call, product, order):
    assert stock(call, product) == 98
    first, second = (call("POST", f"/orders/{order['id']}/cancel") for _ in range(2))
    assert (first.status, first.json["status"]) == (200, "CANCELLED")
    assert (second.status, second.json) == (200, first.json)
    assert stock(call, product) == 100


def test_a_restock_adds_its_units_once_per_key(call, product):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/products/{product}/restock"
    first, second = (call("POST", path, {"quantity": 50}, key) for _ in range(2))
    assert [first.json["stock"], second.json["stock"]] == [150, 150]


def test_orders_are_listed_newest_first_page_by_page(call, product):
    placed = [
        call("POST", "/orders", order_of(product, 1) | {"buyer_id": f"buyer-{n}"}).json
        for n in range(5)
    ]
    for order in placed:
        del order["order_token"]  # Only the buyer gets it.
    first = call("GET", "/orders?limit=3&offset=0").json
    second = call("GET", f"/orders?limit=2&cursor={first['next_cursor']}").json
    assert first["orders"] + second["orders"] == placed[::-1]


def test_an_invalid_request_is_refused_with_the_name_of_the_field(call, product, subtests):
    order = order_of(product, 1)
    for method, path, body, status, code, field in [
        ("POST", "/orders", None, 400, "INVALID_REQUEST", "body"),
        ("POST", "/orders", order | {"quantity": 0}, 400, "INVALID_REQUEST", "quantity"),
        ("POST", "/orders", order | {"quantity": 10**30}, 400, "INVALID_REQUEST", "quantity"),
        ("POST", "/orders", order | {"coupon": "x"}, 400, "INVALID_REQUEST", "coupon"),
        ("POST", "/orders", order | {"product_id": 4_000_000_000}, 404, "PRODUCT_NOT_FOUND", None),
        ("GET", "/orders/not-a-uuid", None, 400, "INVALID_REQUEST", "id"),
        ("GET", f"/orders/{uuid.uuid4()}", None, 404, "ORDER_NOT_FOUND", None),
        ("GET", "/orders?limit=101", None, 400, "INVALID_REQUEST", "limit"),
        ("GET", "/orders?limit=-1", None, 400, "INVALID_REQUEST", "limit"),
        ("GET", "/orders?cursor=x", None, 400, "INVALID_REQUEST", "cursor"),
        ("POST", f"/orders/{uuid.uuid4()}/cancel", None, 404, "ORDER_NOT_FOUND", None),
        ("DELETE", "/orders", None, 405, "METHOD_NOT_ALLOWED", None),
        ("GET", "/nowhere", None, 404, "ROUTE_NOT_FOUND", None),
    ]:
        with subtests.test(f"{method} {path} {body}"):
            reply = call(method, path, body, {"X-Request-Id": "mine-1"})
            problem = reply.json
            found = (reply.status, problem["error"]["code"], problem.get("field"))
            assert found == (status, code, field)
            assert (problem["status"], problem["request_id"]) == (status, "mine-1")
            assert reply.headers["X-Request-Id"] == "mine-1"


@pytest.mark.loads
def test_500_concurrent_buyers_get_exactly_100_units(aws, api_url, call):
    command = [program("once"), "load", "orders", "--url", api_url]
    result = subprocess.run(
        [*command, "--buyers", "500", "--stock", "100"],
        cwd=PROJECT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(result.stdout)
    assert result.returncode == 0
    assert "100 of 500 orders" in result.stdout

    product = int(re.search(r"\bProduct (\d+)\b", result.stdout)[1])
    orders = aws("dynamodb").get_paginator("scan").paginate(TableName=os.environ["ORDERS_TABLE"])
    sold = {
        item["id"]["S"]
        for item in orders.search("Items[]")
        if item["sk"]["S"] == "ORDER" and item["product_id"]["N"] == str(product)
    }
    ledger = aws("dynamodb").get_paginator("scan").paginate(TableName=os.environ["LEDGER_TABLE"])
    entries = [item["order_id"]["S"] for item in ledger.search("Items[]")]
    paid = [order for order in entries if order in sold]
    assert len(sold) == len(paid) == 100
    assert set(paid) == sold
    assert stock(call, product) == 0
