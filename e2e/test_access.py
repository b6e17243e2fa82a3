"""Bearer tokens: with anonymous access off, endpoints of money and schedules require one."""

import re
import subprocess
from functools import partial

import pytest

from polling import eventually
from runtime_api import environment, program, runtime_api, sample

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


# Functions that anybody may call.
OPEN = {"CallbackTest", "Health", "OpenapiGet", "RouteUnknown"}

PROTECTED = dict.fromkeys(("ACCEPT_NEEDS_TOKEN", "ORDERS_NEED_TOKEN", "FIGURES_NEED_TOKEN"), "true")


def test_every_program_enforces_the_access_of_each_of_its_routes(template_routes, subtests):
    for route, function in template_routes.items():
        with subtests.test(route):
            missing, wrong, right = statuses(route, function)
            if function in OPEN:
                assert not {missing, wrong, right} & {401, 403}
            else:
                assert (missing, wrong) == (401, 403)
                assert right not in (401, 403)


def statuses(route: str, function: str) -> list[int]:
    """Returns what the program of a route answers without, with a wrong and with a valid token."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", function).lower()
    settings = PROTECTED | {"ALLOW_ANONYMOUS": "false"}
    with runtime_api() as (api, address):
        for number, authorization in enumerate((None, "Bearer other", f"Bearer {TOKEN}")):
            api.requests.put((f"request-{number}", request(route, name, authorization)))
        process = subprocess.Popen(
            [program(name)], env=environment(address, name, **settings), stdout=subprocess.DEVNULL
        )
        try:
            eventually(lambda: len(api.answers) == 3, f"{name} does not answer", 0.01, 30)
        finally:
            process.kill()
            process.wait()
        return [api.answers[f"request-{number}"]["statusCode"] for number in range(3)]


def request(route: str, name: str, authorization: str | None) -> dict:
    """Returns the sample event of a function, sent to one of its routes with or without a token."""
    event = sample(name)
    headers = {key: value for key, value in event["headers"].items() if key != "authorization"}
    event["headers"] = headers | ({"authorization": authorization} if authorization else {})
    method, path = route.split(" ") if " " in route else ("GET", "/no/such/path")
    http = event["requestContext"]["http"]
    if "{" not in path:  # The sample's own path has a value for each variable segment.
        event["rawPath"] = http["path"] = path
    assert http["method"] == method
    return event
