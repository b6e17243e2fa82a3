"""Shows what became of one minute: its count in the table, on the stream and in the log, and the callbacks received.

It asks AWS APIs only, and would find the same in a stack on AWS.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import boto3

# The log comes after the invocation, and callbacks after the queue.
PATIENCE_S = 60


class IncompleteError(Exception):
    """Something of the minute is not there, or says another number."""


def show(minutes: list[str]) -> None:
    """Prints each minute as soon as all of it is there; ends the program if some of it never comes."""
    for minute in minutes:
        begin(minute)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                print("\n".join([minute, *trace(minute)]), flush=True)
                break
            except IncompleteError as error:
                if time.monotonic() > deadline:
                    sys.exit(f"{minute}: {error}")
                time.sleep(1)


def begin(minute: str) -> datetime:
    """When it begins."""
    try:
        return datetime.strptime(minute, "%Y-%m-%dT%H:%M:00Z").replace(tzinfo=timezone.utc)
    except ValueError:
        sys.exit(f"{minute!r} is no minute: write it as 2026-11-20T23:20:00Z")


def trace(minute: str) -> list[str]:
    """What the stack knows of a minute, one line each."""
    item = published(minute)
    if item is None:
        raise IncompleteError("it is not published: a minute is closed 15 s after its end, by the next tick")
    count = int(item["unique_ids"]["N"])
    ids = list(records(minute))
    agree("records in the table", len(ids), count)
    lines = [f"  table      {count} unique ids published, and as many records of ids"]

    streamed = list(stream_counts(minute))
    if not streamed:
        raise IncompleteError("the stream has no record of it")
    for one in streamed:
        agree("stream", one, count)
    lines.append(f"  stream     {count} unique ids, {len(streamed)} record(s) with this partition key")

    logged = log_lines(minute)
    said = [line for line in logged if line["message"] == "Published minute"]
    if not said:
        raise IncompleteError('the log has no line "Published minute" of it')
    for line in said:
        agree("log", line["unique_ids"], count)
    lines.append(f"  log        {count} unique ids, {len(said)} line(s)")

    expected = sum(item.get("url", {}).get("S") == f"{os.environ['API_URL']}/test" for item in ids)
    received = [line for line in logged if line["message"] == "Received callback"]
    genuine = {line["webhook_id"]: line["unique_ids"] for line in received if line["signature"] == "valid"}
    if len(genuine) < expected:
        raise IncompleteError(f"{len(genuine)} of {expected} callbacks have come to /test with a valid signature")
    for webhook_id, told in genuine.items():
        agree(f"callback {webhook_id}", told, count)
    for line in received:
        told, signature = line["unique_ids"], line["signature"]
        lines.append(f"  callback   {told} unique ids, signature {signature}, {line['webhook_id']}")
    return lines


def agree(where: str, found: int, count: int) -> None:
    """Refuses a number that is not the published one."""
    if found != count:
        raise IncompleteError(f"{where}: {found} unique ids, where {count} are published")


def published(minute: str) -> dict | None:
    """The item of the published minute."""
    key = {"pk": {"S": "MINUTE"}, "sk": {"S": minute}}
    reply = boto3.client("dynamodb").get_item(TableName=os.environ["UNIQUES_TABLE"], Key=key, ConsistentRead=True)
    return reply.get("Item")


def records(minute: str) -> Iterator[dict]:
    """The records of the minute's ids, found by reading the whole table: not as the stack itself counts them."""
    scan = boto3.client("dynamodb").get_paginator("scan")
    pages = scan.paginate(
        TableName=os.environ["UNIQUES_TABLE"],
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :minute)",
        ExpressionAttributeValues={":minute": {"S": f"{minute}#"}},
    )
    return pages.search("Items[]")


def stream_counts(minute: str) -> Iterator[int]:
    """The counts on the stream whose partition key is the minute."""
    kinesis = boto3.client("kinesis")
    stream = os.environ["COUNT_STREAM"]
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="AT_TIMESTAMP", Timestamp=begin(minute)
        )["ShardIterator"]
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                if record["PartitionKey"] == minute:
                    yield json.loads(record["Data"])["unique_ids"]
            iterator = page["MillisBehindLatest"] and page.get("NextShardIterator")


def log_lines(minute: str) -> list[dict]:
    """What the functions logged about the minute."""
    cloudformation = boto3.client("cloudformation")
    group = cloudformation.describe_stack_resource(StackName=os.environ["STACK_NAME"], LogicalResourceId="Logs")
    events = boto3.client("logs").get_paginator("filter_log_events")
    pages = events.paginate(
        logGroupName=group["StackResourceDetail"]["PhysicalResourceId"],
        startTime=int(begin(minute).timestamp() * 1000),
        filterPattern=f'"{minute}"',
    )
    lines = [event["message"] for event in pages.search("events[]")]
    objects = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in objects if line.get("minute") == minute]
