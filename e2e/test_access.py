"""Bearer tokens: with anonymous access off, endpoints of money and schedules require one."""

from functools import partial

import pytest

from polling import eventually

# samconfig.toml has its SHA-256.
TOKEN = "known-to-all-for-local-use-only"


@pytest.fixture
def protect(reconfigure):
    """Turns anonymous access to a function off until the end of the test."""
    return partial(reconfigure, ALLOW_ANONYMOUS="false")


def test_a_request_without_a_valid_token_is_refused(call, protect, subtests):
    for function, method, path in [
        ("ProductList", "GET", "/products"),
        ("CompanyGet", "GET", "/companies/unknown"),
        ("SettlementList", "GET", "/jobs"),
        ("SettlementDownload", "GET", "/downloads/x.csv"),
        ("ScheduledJobCreate", "POST", "/scheduler/jobs"),
    ]:
        with subtests.test(function):
            protect(function)

            def refused(method=method, path=path):
                reply = call(method, path)
                return reply if reply.status == 401 else None

            missing = eventually(refused, f"{function} requires no token")
            assert missing.json["error"]["code"] == "TOKEN_MISSING"
            assert missing.headers["WWW-Authenticate"] == "Bearer"
            unknown = call(method, path, headers={"Authorization": "Bearer other"})
            assert (unknown.status, unknown.json["error"]["code"]) == (403, "TOKEN_UNKNOWN")
            admitted = call(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
            assert admitted.status not in (401, 403), admitted.text


def test_orders_require_a_token_only_if_the_deployment_says_so(call, protect):
    protect("OrderList")
    assert call("GET", "/orders").status == 200
    protect("OrderList", ORDERS_NEED_TOKEN="true")
    eventually(lambda: call("GET", "/orders").status == 401, "orders require no token")
    assert call("GET", "/orders", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200
