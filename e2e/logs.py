"""What the functions of a stack logged."""

import os
from pathlib import Path

import boto3


def lines(text: str, start_ms: int = 0) -> list[str]:
    """Returns the lines that contain a text, those since a time where the log is CloudWatch's."""
    if log := os.environ.get("ONCE_LOG"):
        return [line for line in Path(log).read_text().splitlines() if text in line]
    group = boto3.client("cloudformation").describe_stack_resource(
        StackName=os.environ["STACK_NAME"], LogicalResourceId="Logs"
    )
    events = boto3.client("logs").get_paginator("filter_log_events")
    pages = events.paginate(
        logGroupName=group["StackResourceDetail"]["PhysicalResourceId"],
        startTime=start_ms,
        **({"filterPattern": f'"{text}"'} if text else {}),
    )
    return [event["message"] for event in pages.search("events[]")]
