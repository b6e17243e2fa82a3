"""What schemathesis cannot know of the API: values that mean something, what exists, and what a contract cannot say.

It loads this file by schemathesis.toml. `CONTRACT_IDS` has the ids of what exists, by the beginning of their paths.
"""

import json
import os
from datetime import date, timedelta

import schemathesis
from hypothesis import strategies

API_URL = os.environ["API_URL"]
EXISTING = json.loads(os.environ["CONTRACT_IDS"])

# What is at fault although it fits its schema: it has to fit something else, too, or only lists make it.
BEYOND_SCHEMAS = {
    "acceptId": {"endpoint"},
    "listCounts": {"from"},
    "listOrders": {"cursor", "offset"},
    "listSettlements": {"cursor"},
    "listScheduledJobs": {"cursor"},
    "listRuns": {"cursor"},
    "createSettlement": {"from", "to"},
    "createScheduledJob": {"action.body"},
    "putScheduledJob": {"action.body"},
    "putSchedule": {"start_at", "end_at", "expression", "timezone"},
    "previewSchedule": {"schedule.start_at", "schedule.end_at", "schedule.expression", "schedule.timezone"},
}

schemathesis.openapi.format("date", strategies.dates(date.today() - timedelta(400), date.today()).map(str))
schemathesis.openapi.format("cron", strategies.sampled_from(["@daily", "*/15 * * * *", "30 2 * * MON-FRI"]))
schemathesis.openapi.format("timezone", strategies.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
# Nobody outside is to be called.
schemathesis.openapi.format("uri", strategies.integers(0, 99).map(lambda n: f"{API_URL}/test?n={n}"))


def whole(value):
    """`2.0` as `2`: to a schema both are whole numbers, to the API only the second."""
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def is_fit(case) -> bool:
    """The request is as the contract wants it."""
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The local stack asks nobody for a token; test_access.py makes it ask."""
    for item in raw_schema["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)


@schemathesis.hook
def map_case(context, case):
    """Asks for what exists, in the words of the API."""
    existing = next((id for start, id in EXISTING.items() if case.path.startswith(start)), None)
    # What is deleted would not be there for the others.
    deletes = case.operation.method.upper() == "DELETE" and case.path.endswith("/{id}")
    if existing and not deletes and is_fit(case) and "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = existing
    if is_fit(case) and "companyId" in (case.query or {}):
        case.query["companyId"] = EXISTING["/companies/"]
    if is_fit(case):
        case.body = whole(case.body)
    # schemathesis takes this for a text of any pattern.
    if case.headers and case.headers.get("If-Match") == "0":
        case.headers["If-Match"] = '"2"'
    return case


@schemathesis.hook
def filter_case(context, case) -> bool:
    """Leaves out requests that would be of another route, or make the API call somebody outside."""
    values = [str(value) for value in (case.path_parameters or {}).values()]
    if any(value in ("", ".", "..") or "/" in value for value in values):
        return False
    query = case.query or {}
    action = case.body.get("action") if isinstance(case.body, dict) else None
    called = [query.get("url"), query.get("endpoint"), action.get("url") if isinstance(action, dict) else None]
    return not is_fit(case) or all(url is None or str(url).startswith(API_URL) for url in called)


@schemathesis.check
def what_fits_the_contract_is_accepted(ctx, response, case) -> None:
    """A request is refused as unfit only for what its schema cannot say."""
    if is_fit(case) and response.status_code == 400:
        if "X-Error" in case.operation.responses.find_by_status_code(400).definition.get("headers", {}):
            field = response.headers["x-error"][0].removeprefix("INVALID_REQUEST ").split(":")[0]
        else:
            field = response.json().get("field")
        assert field in BEYOND_SCHEMAS.get(case.operation.definition.raw["operationId"], ()), response.text
