"""The stack is deployed as the template says, reachable from this machine only, and kept to its policies."""

import json
import os
import re
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from routes import routes

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def template_routes(aws, stack_name) -> dict[str, str]:
    """Every route of the template, with the function that serves it."""
    template = aws("cloudformation").get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    return routes(template["Resources"]["Api"]["Properties"]["Body"])


def request_of(route: str) -> tuple[str, str]:
    """A method and a path that the route matches."""
    method, path = ("GET", "/no/such/path") if route == "$default" else route.split(" ")
    return method, re.sub(r"\{\w+\}", "unknown", path)


def test_every_function_answers_its_sample_event(aws, functions, subtests):
    for function, name in functions.items():
        with subtests.test(function):
            sample = (PROJECT / "events" / f"{kebab(function)}.json").read_text()
            answer = aws("lambda").invoke(FunctionName=name, Payload=sample)
            assert "FunctionError" not in answer
            event, reply = json.loads(sample), json.load(answer["Payload"])
            if "routeKey" in event:
                assert reply["statusCode"] < 500
                assert reply["headers"]["x-request-id"] == f"sample-{kebab(function)}"
            elif "Records" in event:
                # A callback that nobody takes comes again; what is asked of a job that does not exist is nobody's.
                again = [{"itemIdentifier": event["Records"][0]["messageId"]}] if function == "CallbackSend" else []
                assert reply == {"batchItemFailures": again}


def test_the_api_has_exactly_the_routes_of_the_template(aws, outputs, functions, template_routes):
    gateway = aws("apigatewayv2")
    integrations = gateway.get_integrations(ApiId=outputs["ApiId"])["Items"]
    names = {f"integrations/{i['IntegrationId']}": i["IntegrationUri"].split(":")[-1] for i in integrations}
    deployed = {r["RouteKey"]: names[r["Target"]] for r in gateway.get_routes(ApiId=outputs["ApiId"])["Items"]}
    assert deployed == {route: functions[function] for route, function in template_routes.items()}


def test_every_route_is_answered_by_a_function(call, template_routes, subtests):
    # The gateway's own answers, where no function is behind a path, have no request id.
    for route in template_routes:
        with subtests.test(route):
            method, path = request_of(route)
            reply = call(method, path, {} if method == "POST" else None)
            assert reply.status < 500
            assert reply.headers["X-Request-Id"]


def test_a_browser_of_an_allowed_origin_may_call(call):
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    reply = call("OPTIONS", "/orders", headers=origin)
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]
    assert "idempotency-key" in reply.headers["Access-Control-Allow-Headers"]


def test_the_router_of_make_watch_has_the_routes_of_the_template(template_routes):
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout)
    router = metadata["metadata"]["lambda"]["watch"]["router"]
    default = router.pop("/{*path}")
    watched = {f"{entry['method']} {path}": entry["function"] for path, entries in router.items() for entry in entries}
    watched["$default"] = default
    assert watched == {route: kebab(function) for route, function in template_routes.items()}


def kebab(name: str) -> str:
    """`OrderCreate` in the template is the program `order-create`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def test_no_function_carries_the_test_support(functions):
    packages = [f"--package={kebab(function)}" for function in functions]
    command = ["cargo", "tree", "--edges", "normal,build", "--prefix", "none", *packages]
    crates = subprocess.run(command, cwd=PROJECT, check=True, text=True, stdout=subprocess.PIPE).stdout
    assert "aws-sdk-dynamodb" in crates
    assert "dynoxide" not in crates


def test_unknown_credentials_are_refused(aws):
    stranger = aws("dynamodb", aws_access_key_id="AKIASTRANGER", aws_secret_access_key="unknown")
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        stranger.list_tables()


def test_the_functions_write_to_the_stacks_log_group(call, log_messages):
    call("GET", "/orders")
    assert log_messages(filterPattern="REPORT")


def test_only_loopback_is_listened_on(call):
    call("GET", "/orders")  # so that a function runs, too
    addresses = listening_addresses(os.environ["AWS_ENDPOINT_URL"])
    assert addresses == {"127.0.0.1"}


def listening_addresses(endpoint: str) -> set[str]:
    """The addresses at which the processes of the cloud with this endpoint listen (Linux's /proc)."""
    mark = f"\0GATEWAY_PORT={urlsplit(endpoint).port}\0".encode()
    inodes = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It has ended meanwhile, or belongs to somebody else.
            if mark in b"\0" + (process / "environ").read_bytes():
                for descriptor in (process / "fd").iterdir():
                    with suppress(OSError):  # It was closed meanwhile: a busy process does that all the time.
                        inodes.add(str(descriptor.readlink()))
    addresses = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in inodes:
                # Each 32-bit word of the address is written in the machine's byte order.
                words = re.findall("." * 8, local.split(":")[0])
                addresses.add(socket.inet_ntop(family, b"".join(bytes.fromhex(word)[::-1] for word in words)))
    return addresses
