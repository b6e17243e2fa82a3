"""Orders through the deployed API: the answers that the README promises, and 500 buyers at once."""

import os
import re
import subprocess
import uuid
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

PRODUCT = {"name": "Limited Edition Product", "price": 1000, "stock": 100, "merchant_id": "merchant_001", "lanes": 8}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def product(call) -> int:
    """A new product with 100 units at 1 000 cents."""
    return call("POST", "/products", PRODUCT).json["id"]


@pytest.fixture
def order(call, product) -> dict:
    """A new order of two of its units."""
    return call("POST", "/orders", {"product_id": product, "quantity": 2, "buyer_id": "user-123"}).json


def stock(call, product: int) -> int:
    """Units left."""
    return call("GET", f"/products/{product}").json["stock"]


def test_a_product_is_answered_with_its_id(call):
    reply = call("POST", "/products", PRODUCT)
    assert reply.status == 201
    assert isinstance(reply.json["id"], int)
    assert PRODUCT.items() <= reply.json.items()
    assert call("GET", f"/products/{reply.json['id']}").json == reply.json
    assert reply.json in call("GET", "/products?limit=100").json["products"]


def test_an_order_is_answered_as_it_is_stored(call, product):
    reply = call("POST", "/orders", {"product_id": product, "quantity": 2, "buyer_id": "user-123"})
    assert reply.status == 201
    order = reply.json
    asked = {"product_id": product, "buyer_id": "user-123", "quantity": 2}
    assert (asked | {"status": "CONFIRMED", "total_cents": 2000}).items() <= order.items()
    assert uuid.UUID(order["id"])
    assert TIME.fullmatch(order["created_at"])
    assert order["updated_at"] == order["created_at"]

    shown = call("GET", f"/orders/{order['id']}").json
    glance = {"id": product, "name": "Limited Edition Product", "stock": 98, "price": 1000}
    assert shown == order | {"product": glance}


def test_a_second_click_is_the_same_order(call, product):
    order = {"product_id": product, "quantity": 1, "buyer_id": "user-123"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (call("POST", "/orders", order, key) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert second.json == first.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert stock(call, product) == 99
    other = call("POST", "/orders", order | {"quantity": 2}, key)
    assert (other.status, other.json["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_more_than_there_is_is_out_of_stock(call, product):
    reply = call("POST", "/orders", {"product_id": product, "quantity": 101, "buyer_id": "user-123"})
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


def test_a_restock_adds_once_per_key(call, product):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (call("POST", f"/products/{product}/restock", {"quantity": 50}, key) for _ in range(2))
    assert [first.json["stock"], second.json["stock"]] == [150, 150]


def test_orders_are_listed_newest_first_page_by_page(call, product):
    placed = [
        call("POST", "/orders", {"product_id": product, "quantity": 1, "buyer_id": f"buyer-{n}"}).json for n in range(5)
    ]
    first = call("GET", "/orders?limit=3&offset=0").json
    second = call("GET", f"/orders?limit=2&cursor={first['next_cursor']}").json
    assert first["orders"] + second["orders"] == placed[::-1]


def test_bad_requests_are_refused_by_name(call, product, subtests):
    order = {"product_id": product, "quantity": 1, "buyer_id": "b"}
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
            assert (reply.status, problem["error"]["code"], problem.get("field")) == (status, code, field)
            assert (problem["status"], problem["request_id"]) == (status, "mine-1")
            assert reply.headers["X-Request-Id"] == "mine-1"


def test_500_buyers_compete_for_100_units(aws, api_url, call):
    command = ["cargo", "run", "--quiet", "-p", "load", "--", "orders", "--url", api_url, "--buyers", "500"]
    played = subprocess.run(
        [*command, "--stock", "100"], cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(played.stdout)
    assert played.returncode == 0
    assert "\nholds: exactly 100 of 500 orders succeed" in played.stdout

    product = int(re.search(r"Product (\d+) has", played.stdout)[1])
    pages = aws("dynamodb").get_paginator("scan").paginate(TableName=os.environ["ORDERS_TABLE"])
    sold = {
        item["id"]["S"]
        for item in pages.search("Items[]")
        if item["sk"]["S"] == "ORDER" and item["product_id"]["N"] == str(product)
    }
    ledger = aws("dynamodb").get_paginator("scan").paginate(TableName=os.environ["LEDGER_TABLE"])
    paid = [item["order_id"]["S"] for item in ledger.search("Items[]") if item["order_id"]["S"] in sold]
    assert len(sold) == len(paid) == 100
    assert set(paid) == sold
    assert stock(call, product) == 0
