"""What every end-to-end test starts from: a deployed stack, described by the environment.

`make test` starts a cloud of its own for them. Against the one of `make run`:
`. .local/env && .local/venv/cloud/bin/pytest`.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import boto3
import pytest


@dataclass(frozen=True)
class Reply:
    """An HTTP answer of the API."""

    status: int
    headers: Message
    text: str

    @property
    def json(self):
        """The body, parsed."""
        return json.loads(self.text)


def pytest_addoption(parser) -> None:
    """What can be asked for."""
    parser.addoption("--pictures", type=Path, help="leave the pictures of pages here, and insist on a Chromium")


def pytest_configure(config) -> None:
    """Refuses to run against anything but a local cloud."""
    config.addinivalue_line("markers", "begins: begins what takes minutes by itself, before all other tests")
    config.addinivalue_line("markers", "waits: waits for that, after all other tests")
    if not os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://127.0.0.1:"):
        pytest.exit("no local cloud in the environment: run `make test`, or `. .local/env` first", returncode=2)


def pytest_collection_modifyitems(items) -> None:
    """What takes minutes by itself goes on while the other tests run."""
    items.sort(key=lambda item: bool(item.get_closest_marker("waits")) - bool(item.get_closest_marker("begins")))


@pytest.fixture(scope="session")
def aws():
    """Makes a client of an AWS service, as the root user or with the given credentials."""
    return boto3.client


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
    """Every function of the stack: its name in the template and its deployed name."""
    pages = aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    found = pages.search("StackResourceSummaries[?ResourceType=='AWS::Lambda::Function']")
    return {function["LogicalResourceId"]: function["PhysicalResourceId"] for function in found}


@pytest.fixture(scope="session")
def as_function(aws, functions):
    """Makes a client of an AWS service with the role of a function: `as_function("OrderGet", "dynamodb")`."""

    def client(function: str, service: str):
        role = aws("lambda").get_function_configuration(FunctionName=functions[function])["Role"]
        given = aws("sts").assume_role(RoleArn=role, RoleSessionName="e2e")["Credentials"]
        return aws(
            service,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    return client


@pytest.fixture
def reconfigure(aws, functions):
    """Changes the environment of a function until the end of the test: `reconfigure("TaskList", LOG_LEVEL="debug")`."""
    service, before = aws("lambda"), {}

    def change(function: str, **settings: str) -> None:
        name = functions[function]
        variables = service.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        before.setdefault(name, variables)
        service.update_function_configuration(FunctionName=name, Environment={"Variables": variables | settings})

    yield change
    for name, variables in before.items():
        service.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@pytest.fixture(scope="session")
def log_messages(aws, stack_name):
    """Reads what the functions have logged so far: `log_messages(filterPattern='"accept"')`."""
    resource = aws("cloudformation").describe_stack_resource(StackName=stack_name, LogicalResourceId="Logs")
    group = resource["StackResourceDetail"]["PhysicalResourceId"]

    def read(**which) -> list[str]:
        pages = aws("logs").get_paginator("filter_log_events").paginate(logGroupName=group, **which)
        return [event["message"] for event in pages.search("events[]")]

    return read


@pytest.fixture(scope="session")
def api_url() -> str:
    """The base URL of the API."""
    return os.environ["API_URL"]


@pytest.fixture(scope="session")
def call(api_url):
    """Sends a request to the API: `call("POST", "/orders", {...}, {"Idempotency-Key": "..."})`; bytes go as such."""

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
