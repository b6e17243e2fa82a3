"""Endpoints of money and schedules ask for a token, once the stack does not let everybody in."""

from functools import partial

import pytest

from patience import eventually

# Its SHA-256 is in samconfig.toml.
TOKEN = "known-to-all-for-local-use-only"


@pytest.fixture
def asking(reconfigure):
    """Makes a function ask for tokens, until the end of the test: `asking("TaskList", ORDERS_NEED_TOKEN="true")`."""
    return partial(reconfigure, ALLOW_ANONYMOUS="false")


def test_who_has_no_token_is_turned_away(call, asking, subtests):
    for function, method, path in [
        ("ProductList", "GET", "/products"),
        ("CompanyGet", "GET", "/companies/unknown"),
        ("JobList", "GET", "/jobs"),
        ("DownloadGet", "GET", "/downloads/x.csv"),
        ("TaskCreate", "POST", "/scheduler/jobs"),
    ]:
        with subtests.test(function):
            asking(function)
            missing = eventually(
                lambda m=method, p=path: (reply := call(m, p)).status == 401 and reply, f"{function} asks nobody"
            )
            assert missing.json["error"]["code"] == "TOKEN_MISSING"
            assert missing.headers["WWW-Authenticate"] == "Bearer"
            unknown = call(method, path, headers={"Authorization": "Bearer other"})
            assert (unknown.status, unknown.json["error"]["code"]) == (403, "TOKEN_UNKNOWN")
            admitted = call(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
            assert admitted.status not in (401, 403), admitted.text


def test_orders_ask_for_a_token_where_the_deployment_says_so(call, asking):
    asking("OrderList")
    assert call("GET", "/orders").status == 200
    asking("OrderList", ORDERS_NEED_TOKEN="true")
    eventually(lambda: call("GET", "/orders").status == 401, "orders ask nobody")
    assert call("GET", "/orders", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200
