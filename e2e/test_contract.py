"""openapi.yaml is a valid contract, and the deployed API keeps it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest
import schemathesis
import yaml

from conftest import PROCESS_LOG

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
CONTRACT = PROJECT / "openapi.yaml"
JSON = "application/json"

# Processes that test the API at the same time. One interpreter serves all calls of a local cloud,
# and its gateway is all that differs: examples show it.
PROCESSES = 4 if PROCESS_LOG else 2
PHASES = "examples,coverage,fuzzing" if PROCESS_LOG else "examples"


@pytest.fixture(scope="module")
def contract() -> dict:
    """The contract, parsed."""
    return yaml.safe_load(CONTRACT.read_text())


@pytest.fixture(scope="module")
def operations(contract) -> dict[str, dict]:
    """Each operation by its route, `POST /orders`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


@pytest.fixture(scope="module")
def violations(contract):
    """Returns how a value violates a schema of the contract: `violations(schema, value)`."""

    def find(schema: dict, value) -> list[str]:
        whole = {**schema, "components": contract["components"]}
        validator = jsonschema_rs.Draft202012Validator(whole)
        return [error.message for error in validator.iter_errors(value)]

    return find


def examples(media: dict) -> list:
    """Returns the values of one example or of several."""
    if "example" in media:
        return [media["example"]]
    return [example["value"] for example in media.get("examples", {}).values()]


def request_body(operation: dict) -> dict:
    """Returns the media type of an operation's request body, empty if it has none."""
    return operation.get("requestBody", {}).get("content", {}).get(JSON, {})


def response_bodies(contract: dict, operation: dict) -> Iterator[tuple[str, dict]]:
    """Returns the media type of each response body, by status and type."""
    for status, response in operation["responses"].items():
        if "$ref" in response:
            response = contract["components"]["responses"][response["$ref"].split("/")[-1]]
        for kind, media in response.get("content", {}).items():
            yield f"{status} {kind}", media


def test_the_contract_is_valid(contract):
    schemathesis.openapi.from_path(CONTRACT).validate()
    for schema in contract["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_each_example_matches_its_schema(contract, operations, violations, subtests):
    for route, operation in operations.items():
        bodies = [("body", request_body(operation)), *response_bodies(contract, operation)]
        for what, media in bodies:
            for example in examples(media):
                with subtests.test(f"{route} {what}"):
                    assert violations(media["schema"], example) == []


def test_each_sample_event_matches_the_contract(operations, violations, subtests):
    seen = set()
    for event in (json.loads(file.read_text()) for file in (PROJECT / "events").glob("*.json")):
        media = request_body(operations.get(event.get("routeKey"), {}))
        if media:
            seen.add(event["routeKey"])
            with subtests.test(event["routeKey"]):
                assert violations(media["schema"], json.loads(event["body"])) == []
    assert seen == {route for route, operation in operations.items() if "requestBody" in operation}


def test_the_contract_and_its_page_are_served(call):
    served = call("GET", "/openapi.yaml")
    assert (served.status, served.text) == (200, CONTRACT.read_text())
    assert served.headers["Content-Type"] == "application/yaml"
    page = call("GET", "/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for reply, path in [(served, "/openapi.yaml"), (page, "/docs")]:
        assert call("GET", path, headers={"If-None-Match": reply.headers["ETag"]}).status == 304


@pytest.fixture
def existing(call) -> Iterator[dict[str, int | str]]:
    """Ids of existing resources, by the beginning of the paths that take them."""
    body = {"name": "Contract", "price": 1, "stock": 10**9, "merchant_id": "contract"}
    product = call("POST", "/products", body).json["id"]
    body = {"product_id": product, "quantity": 1, "buyer_id": "contract"}
    order = call("POST", "/orders", body).json["id"]
    call("PUT", "/companies/contract", {"name": "Contract", "employees": 1})
    day = {"from": "2020-02-29", "to": "2020-02-29"}
    settlement = call("POST", "/jobs/settlement", day).json["job_id"]
    action = {"type": "company", "company_id": "contract", "kind": "sales"}
    body = {"name": "Contract", "action": action}
    scheduled_job = call("POST", "/scheduler/jobs", body).json["id"]
    yield {
        "/products/": product,
        "/orders/": order,
        "/companies/": "contract",
        "/jobs/{": settlement,
        "/scheduler/jobs/{": scheduled_job,
    }
    # It may have got a schedule.
    call("DELETE", f"/scheduler/jobs/{scheduled_job}")


@pytest.mark.loads
def test_the_api_keeps_its_contract(api_url, operations, existing, subtests):
    names = [operation["operationId"] for operation in operations.values()]
    # The API takes longer for a response than a process for its request, so several run at once,
    # each for operations of its own.
    shares = [names[n::PROCESSES] for n in range(PROCESSES)]
    for share, process in [(share, start_fuzzing(api_url, existing, share)) for share in shares]:
        with subtests.test(", ".join(share)):
            report, _ = process.communicate()
            assert process.returncode == 0, report


def start_fuzzing(
    api_url: str, existing: dict[str, int | str], names: list[str]
) -> subprocess.Popen:
    """Starts a process that sends valid and invalid requests, and fails if it finds a defect."""
    settings = ["--config-file", HERE / "schemathesis.toml"]
    phases = f"--phases={PHASES}"
    included = [f"--include-operation-id={name}" for name in names]
    command = [Path(sys.executable).with_name("schemathesis"), *settings, "run", CONTRACT]
    return subprocess.Popen(
        [*command, "--url", api_url, phases, *included],
        # Hooks are looked up in the working directory.
        cwd=HERE,
        env={**os.environ, "CONTRACT_IDS": json.dumps(existing), "NO_COLOR": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
