"""Gives the deployed HTTP API its routes and its CORS settings.

SAM writes both into the API's OpenAPI body, which AWS imports and the local cloud ignores. They are
read from that same body, so that the template stays the only place that names a route.
"""

import re

import boto3

API = "Api"
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
CORS = "x-amazon-apigateway-cors"


def publish(stack: str) -> str:
    """Gives the API the routes of the stack's template; returns the path that reaches the API."""
    cloudformation = boto3.client("cloudformation")
    processed = cloudformation.get_template(StackName=stack, TemplateStage="Processed")
    body = processed["TemplateBody"]["Resources"][API]["Properties"]["Body"]
    resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources.search("StackResourceSummaries[]")
    }

    _reconcile(names[API], {key: names[function] for key, function in routes(body).items()})
    if CORS in body:
        cors = {_capitalized(key): _as_list(value) for key, value in body[CORS].items()}
        boto3.client("apigatewayv2").update_api(ApiId=names[API], CorsConfiguration=cors)
    # The address of an API without a host name of its own.
    return f"/_aws/execute-api/{names[API]}"


def routes(body: dict) -> dict[str, str]:
    """Returns each route key of an API's body, `POST /orders`, with its function's logical id."""
    found = {}
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            verb = "ANY" if method == ANY_METHOD else method.upper()
            key = path if path == "$default" else f"{verb} {path}"
            uri = operation[INTEGRATION]["uri"]["Fn::Sub"]
            found[key] = re.search(r"/functions/\$\{(\w+)\.Arn\}/", uri)[1]
    return found


def _reconcile(api: str, wanted: dict[str, str]) -> None:
    """Creates, updates and deletes routes until the API has exactly the wanted ones."""
    gateway = boto3.client("apigatewayv2")
    functions = boto3.client("lambda")

    def items(operation: str) -> list[dict]:
        return list(gateway.get_paginator(operation).paginate(ApiId=api).search("Items[]"))

    targets = {
        integration["IntegrationUri"]: f"integrations/{integration['IntegrationId']}"
        for integration in items("get_integrations")
    }
    existing = {route["RouteKey"]: route for route in items("get_routes")}

    for key, function in wanted.items():
        arn = functions.get_function_configuration(FunctionName=function)["FunctionArn"]
        if arn not in targets:
            created = gateway.create_integration(
                ApiId=api,
                IntegrationType="AWS_PROXY",
                IntegrationUri=arn,
                PayloadFormatVersion="2.0",
            )
            targets[arn] = f"integrations/{created['IntegrationId']}"
        route = existing.pop(key, None)
        if route is None:
            gateway.create_route(ApiId=api, RouteKey=key, Target=targets[arn])
        elif route["Target"] != targets[arn]:
            gateway.update_route(ApiId=api, RouteId=route["RouteId"], Target=targets[arn])
    for route in existing.values():
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])


def _capitalized(key: str) -> str:
    """Returns `allowOrigins` of the OpenAPI body as `AllowOrigins`, its name in the API."""
    return key[0].upper() + key[1:]


def _as_list(value):
    """Splits a CommaDelimitedList, which arrives here as one string; AWS passes a list."""
    return value.split(",") if isinstance(value, str) else value
