"""Hooks of schemathesis: meaningful values, existing ids, and rules that schemas cannot express.

schemathesis.toml names this file. `CONTRACT_IDS` has the ids of existing resources, by the
beginning of their paths.
"""

import json
import os
from datetime import date, timedelta

import schemathesis
from hypothesis import strategies

API_URL = os.environ["API_URL"]
EXISTING = json.loads(os.environ["CONTRACT_IDS"])

# Fields that may be invalid although they match their schemas: another condition holds for them,
# or only lists return their values.
BEYOND_SCHEMAS = {
    "acceptId": {"endpoint"},
    "listCounts": {"from", "cursor"},
    "listProducts": {"cursor"},
    "listOrders": {"cursor", "offset"},
    "listSettlements": {"cursor"},
    "listScheduledJobs": {"cursor"},
    "listRuns": {"cursor"},
    "createSettlement": {"from", "to"},
    "createScheduledJob": {"action.body"},
    "putScheduledJob": {"action.body"},
    "putSchedule": {"start_at", "end_at", "expression", "timezone"},
    "previewSchedule": {
        "schedule.start_at",
        "schedule.end_at",
        "schedule.expression",
        "schedule.timezone",
    },
}

DAYS = strategies.dates(date.today() - timedelta(400), date.today()).map(str)
EXPRESSIONS = strategies.sampled_from(["@daily", "*/15 * * * *", "30 2 * * MON-FRI"])
ZONES = strategies.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
# The API itself: no other server is to be called.
URLS = strategies.integers(0, 99).map(lambda n: f"{API_URL}/test?n={n}")

schemathesis.openapi.format("date", DAYS)
schemathesis.openapi.format("cron", EXPRESSIONS)
schemathesis.openapi.format("timezone", ZONES)
schemathesis.openapi.format("uri", URLS)


def with_integers(value):
    """Returns `2.0` as `2`: both are integers to a schema, only the second is one to the API."""
    if isinstance(value, dict):
        return {name: with_integers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [with_integers(item) for item in value]
    is_integer = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if is_integer else value


def is_valid(case) -> bool:
    """Returns whether the request was generated to match the contract."""
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def map_case(context, case):
    """Gives a valid request the id of an existing resource, and values as the API takes them."""
    starts = [start for start in EXISTING if case.path.startswith(start)]
    # A deleted resource would be missing for the other requests.
    deletes = case.operation.method.upper() == "DELETE" and case.path.endswith("/{id}")
    if starts and not deletes and is_valid(case) and "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = EXISTING[starts[0]]
    if is_valid(case) and "companyId" in (case.query or {}):
        case.query["companyId"] = EXISTING["/companies/"]
    if is_valid(case):
        case.body = with_integers(case.body)
    # schemathesis takes this for a string of any pattern.
    if case.headers and case.headers.get("If-Match") == "0":
        case.headers["If-Match"] = '"2"'
    return case


@schemathesis.hook
def filter_case(context, case) -> bool:
    """Drops requests that match another route, or would make the API call another server."""
    values = [str(value) for value in (case.path_parameters or {}).values()]
    if any(value in ("", ".", "..") or "/" in value for value in values):
        return False
    query = case.query or {}
    action = case.body.get("action") if isinstance(case.body, dict) else None
    urls = [query.get("url"), query.get("endpoint")]
    if isinstance(action, dict):
        urls.append(action.get("url"))
    return not is_valid(case) or all(url is None or str(url).startswith(API_URL) for url in urls)


@schemathesis.check
def valid_requests_are_accepted(ctx, response, case) -> None:
    """A request that matches its schema is refused only for what a schema cannot express."""
    if is_valid(case) and response.status_code == 400:
        refusal = case.operation.responses.find_by_status_code(400).definition
        if "X-Error" in refusal.get("headers", {}):
            field = response.headers["x-error"][0].removeprefix("INVALID_REQUEST ").split(":")[0]
        else:
            field = response.json().get("field")
        operation = case.operation.definition.raw["operationId"]
        assert field in BEYOND_SCHEMAS.get(operation, ()), response.text
