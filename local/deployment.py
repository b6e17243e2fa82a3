"""Deploys the project's template to a running local cloud, as `sam deploy` does to AWS."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import boto3

import routes
from environments import PROJECT, programs
from home import Home, adopt, client_environment, endpoint, write_exports, write_private
from package import package
from server import running_port

# As in samconfig.toml.
STACK = "once"

# Callbacks may reach this machine. 16 shards, because the local cloud's one interpreter would take
# seconds to query 256.
PARAMETERS = {"CallbackAllowPrivate": "true", "UniqueShards": "16"}


def deploy(home: Home) -> None:
    """Builds and deploys what changed; then writes how to call the API, and its settings."""
    port = running_port(home)
    adopt(client_environment(port))
    template = package(home)
    print("Deploying", flush=True)
    token, read_token = _token(home.token), _token(home.read_token)
    hashes = {"AdminTokenSha256": _hash(token), "ReadTokenSha256": _hash(read_token)}
    _sam_deploy(template, PARAMETERS | hashes)
    _fix_event_sources()
    _fix_policies()
    url = f"{endpoint(port)}{routes.publish(STACK)}"
    home.api_url.write_text(f"{url}\n")
    tokens = {"ONCE_TOKEN": token, "ONCE_READ_TOKEN": read_token}
    stack = {"STACK_NAME": STACK, "API_URL": url, **tokens}
    write_exports(home.env, {**client_environment(port), **_settings(), **stack})
    print(f"The API is at {url}")


def _token(file: Path) -> str:
    """Returns the token of a file, a new one if there is no file."""
    if not file.exists():
        write_private(file, f"{secrets.token_urlsafe(32)}\n")
    return file.read_text().strip()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _sam_deploy(template: Path, parameters: dict[str, str]) -> None:
    config = ["--config-file", PROJECT / "samconfig.toml", "--config-env", "local"]
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    command = [programs("tools") / "sam", "deploy", *config, "--template-file", template]
    command += ["--parameter-overrides", *overrides]
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2"}
    # sam prints the whole template and its own progress bars: shown only if it fails.
    output = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    result = subprocess.run(command, cwd=PROJECT, env=environment, **output)
    if result.returncode:
        sys.exit(f"{result.stdout}\nsam deploy failed")


def _fix_event_sources() -> None:
    """Sets the concurrency of event sources as a number.

    A parameter of the template reaches the local cloud as a string, and its poller of queues fails
    on a string.
    """
    functions = boto3.client("lambda")
    mappings = functions.get_paginator("list_event_source_mappings").paginate()
    for mapping in mappings.search("EventSourceMappings[?ScalingConfig]"):
        scaling = {"MaximumConcurrency": int(mapping["ScalingConfig"]["MaximumConcurrency"])}
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)


def _fix_policies() -> None:
    """Allows each role that may send a message to send ten at once.

    On AWS one permission covers both; the local cloud has two.
    """
    iam = boto3.client("iam")
    for role in iam.get_paginator("list_roles").paginate().search("Roles[].RoleName"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in policy["Statement"]:
                actions = statement["Action"]
                if "sqs:SendMessage" in actions and "sqs:SendMessageBatch" not in actions:
                    statement["Action"] = [*actions, "sqs:SendMessageBatch"]
                    document = json.dumps(policy)
                    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)


def _settings() -> dict[str, str]:
    """Returns the environment variables of all functions of the stack."""
    settings = {}
    for page in boto3.client("lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            settings |= function.get("Environment", {}).get("Variables", {})
    return settings
