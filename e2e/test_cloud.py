"""The deployed stack: it is what the template says, reachable from this machine only."""

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

import logs

PROJECT = Path(__file__).resolve().parent.parent


def request_of(route: str) -> tuple[str, str]:
    """Returns a method and a path that a route matches."""
    method, path = ("GET", "/no/such/path") if route == "$default" else route.split(" ")
    return method, re.sub(r"\{\w+\}", "unknown", path)


def test_each_function_handles_its_sample_event(aws, functions, tokens, subtests):
    for function, name in functions.items():
        with subtests.test(function):
            sample = (PROJECT / "events" / f"{kebab(function)}.json").read_text()
            sample = sample.replace("Bearer token", f"Bearer {tokens.admin}")
            answer = aws("lambda").invoke(FunctionName=name, Payload=sample)
            assert "FunctionError" not in answer
            event, reply = json.loads(sample), json.load(answer["Payload"])
            if "routeKey" in event:
                assert reply["statusCode"] < 500
                assert reply["statusCode"] not in (401, 403)
                assert reply["headers"]["x-request-id"] == f"sample-{kebab(function)}"
            elif "Records" in event:
                # The sample callback cannot be delivered, so its message is to come again. Work
                # for a job that does not exist is done.
                message = {"itemIdentifier": event["Records"][0]["messageId"]}
                failures = [message] if function == "CallbackSend" else []
                assert reply == {"batchItemFailures": failures}


def test_the_api_has_exactly_the_routes_of_the_template(aws, outputs, functions, template_routes):
    gateway = aws("apigatewayv2")
    names = {
        f"integrations/{integration['IntegrationId']}": integration["IntegrationUri"].split(":")[-1]
        for integration in gateway.get_integrations(ApiId=outputs["ApiId"])["Items"]
    }
    deployed = {
        route["RouteKey"]: names[route["Target"]]
        for route in gateway.get_routes(ApiId=outputs["ApiId"])["Items"]
    }
    assert deployed == {route: functions[function] for route, function in template_routes.items()}


def test_a_function_answers_on_each_route(call, template_routes, subtests):
    # The gateway's own answers, where a path has no function, have no request id.
    for route in template_routes:
        with subtests.test(route):
            method, path = request_of(route)
            reply = call(method, path, {} if method == "POST" else None)
            assert reply.status < 500
            assert reply.headers["X-Request-Id"]


def test_a_page_of_an_allowed_origin_may_call_the_api(call):
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    reply = call("OPTIONS", "/orders", headers=origin)
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]
    allowed = reply.headers["Access-Control-Allow-Headers"]
    assert all(name in allowed for name in ("authorization", "idempotency-key", "order-token"))


def test_the_router_of_make_watch_has_the_routes_of_the_template(template_routes):
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    output = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout
    router = json.loads(output)["metadata"]["lambda"]["watch"]["router"]
    default = router.pop("/{*path}")
    watched = {
        f"{entry['method']} {path}": entry["function"]
        for path, entries in router.items()
        for entry in entries
    }
    watched["$default"] = default
    assert watched == {route: kebab(function) for route, function in template_routes.items()}


def kebab(name: str) -> str:
    """Returns the program of a logical id: `OrderCreate` is `order-create`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def test_no_function_carries_the_test_support():
    command = ["cargo", "tree", "--edges", "normal,build", "--prefix", "none"]
    tree = subprocess.run(
        [*command, "--package", "functions"],
        cwd=PROJECT,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    assert "aws-sdk-dynamodb" in tree.stdout
    assert "dynoxide" not in tree.stdout


def test_unknown_credentials_are_refused(aws):
    unknown = {"aws_access_key_id": "AKIAUNKNOWN", "aws_secret_access_key": "unknown"}
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        aws("dynamodb", **unknown).list_tables()


def test_the_functions_write_to_the_log_group_of_the_stack(call, stack_name):
    call("GET", "/orders")
    assert logs.lines("REPORT")


@pytest.mark.cloud_only("it is one process, whose address is an option")
def test_only_loopback_is_listened_on(call):
    call("GET", "/orders")  # so that an instance of a function runs
    addresses = listening_addresses(os.environ["AWS_ENDPOINT_URL"])
    assert addresses == {"127.0.0.1"}


def listening_addresses(endpoint: str) -> set[str]:
    """Returns the addresses on which the processes of a local cloud listen (Linux's /proc)."""
    mark = f"\0GATEWAY_PORT={urlsplit(endpoint).port}\0".encode()
    inodes = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It has ended, or belongs to another user.
            if mark in b"\0" + (process / "environ").read_bytes():
                for descriptor in (process / "fd").iterdir():
                    with suppress(OSError):  # A busy process closes descriptors all the time.
                        inodes.add(str(descriptor.readlink()))
    addresses = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in inodes:
                # Each 32-bit word of the address is in the byte order of the machine.
                words = re.findall("." * 8, local.split(":")[0])
                packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
                addresses.add(socket.inet_ntop(family, packed))
    return addresses
