"""Fixtures of all end-to-end tests: a deployed stack, described by the environment.

`make test` starts a cloud of its own for them. To use the one of `make run`:
`. .local/env && .local/venv/cloud/bin/pytest`.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from functools import cache
from pathlib import Path

import boto3
import pytest

from routes import routes

# The phases of a run, in their order. A test without a marker is of the phase "".
PHASES = {
    "begins": "starts what the stack needs minutes for",
    "": "",
    "timed": "checks times that a busy stack would delay, before the load tests",
    "loads": "sends more requests at once than the local cloud has environments for",
    "waits": "checks the result of what the first phase started",
}


@dataclass(frozen=True)
class Reply:
    """An HTTP response of the API."""

    status: int
    headers: Message
    text: str

    @property
    def json(self):
        """The body, parsed."""
        return json.loads(self.text)


def pytest_addoption(parser) -> None:
    """Adds the option `--pictures`."""
    description = "write the pictures of pages to this folder, and fail without a Chromium"
    parser.addoption("--pictures", type=Path, help=description)


def pytest_configure(config) -> None:
    """Declares the markers; refuses to run against anything but a local cloud."""
    for name, description in PHASES.items():
        if name:
            config.addinivalue_line("markers", f"{name}: {description}")
    if not os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://127.0.0.1:"):
        message = "no local cloud in the environment: run `make test`, or `. .local/env` first"
        pytest.exit(message, returncode=2)


def pytest_collection_modifyitems(items) -> None:
    """Sorts the tests by phase, so that other tests run while the stack needs its minutes."""
    phases = list(PHASES)

    def phase(item) -> int:
        marked = [name for name in phases if name and item.get_closest_marker(name)]
        return phases.index(marked[0] if marked else "")

    items.sort(key=phase)


@pytest.fixture(scope="session")
def aws():
    """Returns the client of an AWS service, as the root user or with the given credentials."""
    # Making a client takes longer than a call.
    return cache(boto3.client)


@pytest.fixture(scope="session")
def stack_name() -> str:
    """The name of the deployed stack."""
    return os.environ["STACK_NAME"]


@pytest.fixture(scope="session")
def outputs(aws, stack_name) -> dict[str, str]:
    """The outputs of the stack."""
    stack = aws("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture(scope="session")
def functions(aws, stack_name) -> dict[str, str]:
    """The deployed name of each function, by its logical id in the template."""
    paginator = aws("cloudformation").get_paginator("list_stack_resources")
    resources = paginator.paginate(StackName=stack_name).search("StackResourceSummaries[]")
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


@pytest.fixture(scope="session")
def as_function(aws, functions):
    """Returns a client with the role of a function: `as_function("OrderGet", "dynamodb")`."""

    @cache
    def credentials(function: str) -> dict[str, str]:
        configuration = aws("lambda").get_function_configuration(FunctionName=functions[function])
        role = configuration["Role"]
        given = aws("sts").assume_role(RoleArn=role, RoleSessionName="e2e")["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def client(function: str, service: str):
        return aws(service, **credentials(function))

    return client


@pytest.fixture
def reconfigure(aws, functions):
    """Changes settings of a function for a test: `reconfigure("OrderList", LOG_LEVEL="debug")`.

    The next request starts a new instance.
    """
    service, before = aws("lambda"), {}

    def update(name: str, variables: dict[str, str]) -> None:
        environment = {"Variables": variables}
        service.update_function_configuration(FunctionName=name, Environment=environment)

    def change(function: str, **settings: str) -> None:
        name = functions[function]
        configuration = service.get_function_configuration(FunctionName=name)
        variables = configuration["Environment"]["Variables"]
        before.setdefault(name, variables)
        update(name, variables | settings)

    yield change
    for name, variables in before.items():
        update(name, variables)


@pytest.fixture(scope="session")
def log_messages(aws, stack_name):
    """Returns what the functions have logged: `log_messages(filterPattern='"accept"')`."""
    resource = aws("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId="Logs"
    )
    group = resource["StackResourceDetail"]["PhysicalResourceId"]

    def read(**filters) -> list[str]:
        paginator = aws("logs").get_paginator("filter_log_events")
        pages = paginator.paginate(logGroupName=group, **filters)
        return [event["message"] for event in pages.search("events[]")]

    return read


@pytest.fixture(scope="session")
def api_url() -> str:
    """The base URL of the API."""
    return os.environ["API_URL"]


@pytest.fixture(scope="session")
def call(api_url):
    """Sends a request to the API: `call("POST", "/orders", {…}, {"Idempotency-Key": "…"})`.

    A body of bytes is sent as it is, any other as JSON.
    """

    def send(method: str, path: str, body=None, headers: dict[str, str] | None = None) -> Reply:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | (headers or {})
        request = urllib.request.Request(api_url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return Reply(reply.status, reply.headers, reply.read().decode())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read().decode())

    return send


@pytest.fixture(scope="session")
def template_routes(aws, stack_name) -> dict[str, str]:
    """Each route of the template, with the logical id of its function."""
    processed = aws("cloudformation").get_template(StackName=stack_name, TemplateStage="Processed")
    return routes(processed["TemplateBody"]["Resources"]["Api"]["Properties"]["Body"])
