"""Fixtures of all end-to-end tests: a stack, described by the environment.

There are two: the template as it is deployed to a local cloud, and Once in one process (`once
serve`). `make test` runs the tests against both, each started for them. To use the one of `make
run`: `. .local/once/env && .local/venv/cloud/bin/pytest`.
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


# The log of the process; a local cloud has none of its own.
PROCESS_LOG = os.environ.get("ONCE_LOG")

# What the process does not have, by the fixture that a test needs it for.
CLOUD_ONLY = {
    "stack_name": "it is not deployed by CloudFormation",
    "functions": "its functions are no deployments of their own",
    "as_function": "it has no IAM: its functions trust each other",
    "reconfigure": "its functions share the settings of the process",
    "suspended": "its event sources cannot be disabled",
}

# The settings of the process that are outputs of the stack.
OUTPUTS = {
    "CallbackDeadLetterQueueUrl": "CALLBACK_DEAD_LETTER_QUEUE_URL",
    "CompanyDeadLetterQueueUrl": "COMPANY_DEAD_LETTER_QUEUE_URL",
    "CallbackQueueUrl": "CALLBACK_QUEUE_URL",
    "CompaniesTableName": "COMPANIES_TABLE",
    "LedgerTableName": "LEDGER_TABLE",
    "OrderSecretArn": "ORDER_SECRET_ID",
    "SettlementPlanQueueUrl": "SETTLEMENT_PLAN_QUEUE_URL",
    "SettlementsTableName": "SETTLEMENTS_TABLE",
    "WebhookSecretArn": "WEBHOOK_SECRET_ID",
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
    config.addinivalue_line("markers", "cloud_only(reason): Once in one process does not have it")
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
    for item in items if PROCESS_LOG else ():
        marked = [marker.args[0] for marker in item.iter_markers("cloud_only")]
        needed = [reason for name, reason in CLOUD_ONLY.items() if name in item.fixturenames]
        for reason in [*marked, *needed][:1]:
            item.add_marker(pytest.mark.skip(reason=f"not in one process: {reason}"))


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
def outputs(aws) -> dict[str, str]:
    """The outputs of the stack."""
    if PROCESS_LOG:
        return {name: os.environ[variable] for name, variable in OUTPUTS.items()}
    name = os.environ["STACK_NAME"]
    stack = aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
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
def api_url() -> str:
    """The base URL of the API."""
    return os.environ["API_URL"]


@dataclass(frozen=True)
class Tokens:
    """The bearer tokens of operators, by role."""

    admin: str
    read: str


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    """The tokens of the stack."""
    return Tokens(os.environ["ONCE_TOKEN"], os.environ["ONCE_READ_TOKEN"])


@pytest.fixture(scope="session")
def call(api_url, tokens):
    """Sends a request to the API: `call("POST", "/orders", {…}, {"Idempotency-Key": "…"})`.

    A body of bytes is sent as it is, any other as JSON. The request has the token of admins,
    another one (`token="…"`) or none (`token=None`).
    """

    def send(
        method: str,
        path: str,
        body=None,
        headers: dict[str, str] | None = None,
        token: str | None = tokens.admin,
    ) -> Reply:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        headers = {"Content-Type": "application/json"} | bearer | (headers or {})
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
