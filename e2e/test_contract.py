"""The API keeps its contract, openapi.yaml, and the contract is one."""

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

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
CONTRACT = PROJECT / "openapi.yaml"
JSON = "application/json"

# That try the API at the same time.
PROCESSES = 8


@pytest.fixture(scope="module")
def contract() -> dict:
    """The contract, parsed."""
    return yaml.safe_load(CONTRACT.read_text())


@pytest.fixture(scope="module")
def operations(contract) -> dict[str, dict]:
    """Every operation by its route, `POST /orders`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


@pytest.fixture(scope="module")
def unfit(contract):
    """What is wrong with a value, by a schema of the contract."""

    def problems(schema: dict, value) -> list[str]:
        whole = {**schema, "components": contract["components"]}
        return [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]

    return problems


def examples(media: dict) -> list:
    """The values of one example or of several."""
    return [media["example"]] if "example" in media else [e["value"] for e in media.get("examples", {}).values()]


def bodies(operation: dict) -> dict:
    """What is said of the body of a request, if it has one."""
    return operation.get("requestBody", {}).get("content", {}).get(JSON, {})


def answers(contract: dict, operation: dict):
    """What is said of the body of each answer that has one, by status and type."""
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            answer = contract["components"]["responses"][answer["$ref"].split("/")[-1]]
        for kind, media in answer.get("content", {}).items():
            yield f"{status} {kind}", media


def test_the_contract_is_one(contract):
    schemathesis.openapi.from_path(CONTRACT).validate()
    for schema in contract["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_example_fits_its_schema(contract, operations, unfit, subtests):
    for route, operation in operations.items():
        for what, media in [("body", bodies(operation)), *answers(contract, operation)]:
            for example in examples(media):
                with subtests.test(f"{route} {what}"):
                    assert unfit(media["schema"], example) == []


def test_every_sample_event_fits_the_contract(operations, unfit, subtests):
    seen = set()
    for event in (json.loads(file.read_text()) for file in (PROJECT / "events").glob("*.json")):
        media = bodies(operations.get(event.get("routeKey"), {}))
        if media:
            seen.add(event["routeKey"])
            with subtests.test(event["routeKey"]):
                assert unfit(media["schema"], json.loads(event["body"])) == []
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
    """Ids of what exists, by the beginning of the paths that ask for it."""
    sold = {"name": "Tried", "price": 1, "stock": 10**9, "merchant_id": "tried"}
    product = call("POST", "/products", sold).json["id"]
    order = call("POST", "/orders", {"product_id": product, "quantity": 1, "buyer_id": "tried"}).json["id"]
    call("PUT", "/companies/tried", {"name": "Tried", "employees": 1})
    day = {"from": "2020-02-29", "to": "2020-02-29"}
    settlement = call("POST", "/jobs/settlement", day).json["job_id"]
    action = {"type": "company", "company_id": "tried", "kind": "sales"}
    task = call("POST", "/scheduler/jobs", {"name": "Tried", "action": action}).json["id"]
    yield {
        "/products/": product,
        "/orders/": order,
        "/companies/": "tried",
        "/jobs/{": settlement,
        "/scheduler/jobs/{": task,
    }
    # It may have been given a schedule.
    call("DELETE", f"/scheduler/jobs/{task}")


def test_the_api_keeps_its_contract(api_url, operations, existing, subtests):
    names = [operation["operationId"] for operation in operations.values()]
    # An answer takes much longer than its request: several ask at the same time, each for operations of its own.
    tries = [attempt(api_url, existing, names[n::PROCESSES]) for n in range(PROCESSES)]
    for n, tried in enumerate(tries):
        with subtests.test(", ".join(names[n::PROCESSES])):
            found, _ = tried.communicate()
            assert tried.returncode == 0, found


def attempt(api_url: str, existing: dict[str, int | str], names: list[str]) -> subprocess.Popen:
    """A process that tries operations, fit and unfit, and fails if it finds anything."""
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml"]
    return subprocess.Popen(
        [*command, "run", CONTRACT, "--url", api_url, *(f"--include-operation-id={name}" for name in names)],
        # Hooks are found beside their settings.
        cwd=HERE,
        env={**os.environ, "CONTRACT_IDS": json.dumps(existing), "NO_COLOR": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
