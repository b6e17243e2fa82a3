"""Reads what a stack stored and sent about one minute of unique ids.

That is its count in the table, on the stream and in the log, and the callbacks that arrived. Only
AWS APIs are used, so a stack on AWS can be read in the same way.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone

import boto3

import logs


class IncompleteError(Exception):
    """Something about the minute is missing, or has another count."""


def begin(minute: str) -> datetime:
    """Returns the moment at which a minute begins."""
    try:
        return datetime.strptime(minute, "%Y-%m-%dT%H:%M:00Z").replace(tzinfo=timezone.utc)
    except ValueError:
        sys.exit(f"{minute!r} is not a minute: write it as 2026-11-20T23:20:00Z")


def trace(minute: str) -> list[str]:
    """Returns what the stack has about a minute, as lines of text."""
    item = published(minute)
    if item is None:
        raise IncompleteError("not published: a minute is closed by the tick after its end + 15 s")
    count = int(item["unique_ids"]["N"])
    ids = list(records(minute))
    require_equal("records in the table", len(ids), count)
    lines = [f"  table      {count} unique ids published, and as many records of ids"]

    streamed = list(stream_counts(minute))
    if not streamed:
        raise IncompleteError("the stream has no record of it")
    for one in streamed:
        require_equal("stream", one, count)
    lines.append(f"  stream     {count} unique ids, {len(streamed)} record(s) with this key")

    logged = log_lines(minute)
    closed = [line for line in logged if line["message"] == "Minute published"]
    if not closed:
        raise IncompleteError('the log has no line "Minute published" about it')
    for line in closed:
        require_equal("log", line["unique_ids"], count)
    lines.append(f"  log        {count} unique ids, {len(closed)} line(s)")

    receiver = f"{os.environ['API_URL']}/test"
    expected = sum(item.get("url", {}).get("S") == receiver for item in ids)
    received = [line for line in logged if line["message"] == "Callback received"]
    valid = [line for line in received if line["signature"] == "valid"]
    webhooks = {line["webhook_id"]: line["unique_ids"] for line in valid}
    if len(webhooks) < expected:
        raise IncompleteError(f"/test got {len(webhooks)} of {expected} correctly signed callbacks")
    for webhook_id, sent in webhooks.items():
        require_equal(f"callback {webhook_id}", sent, count)
    for line in received:
        sent, signature = line["unique_ids"], line["signature"]
        lines.append(f"  callback   {sent} unique ids, signature {signature}, {line['webhook_id']}")
    return lines


def require_equal(where: str, found: int, count: int) -> None:
    """Refuses a number that differs from the published count."""
    if found != count:
        raise IncompleteError(f"{where}: {found} unique ids, but {count} are published")


def published(minute: str) -> dict | None:
    """Returns the item of a published minute."""
    return (
        boto3.client("dynamodb")
        .get_item(
            TableName=os.environ["UNIQUES_TABLE"],
            Key={"pk": {"S": "MINUTE"}, "sk": {"S": minute}},
            ConsistentRead=True,
        )
        .get("Item")
    )


def records(minute: str) -> Iterator[dict]:
    """Returns the records of a minute's ids.

    They come from a scan of the whole table: another way than the one by which the stack counts.
    """
    scan = boto3.client("dynamodb").get_paginator("scan")
    pages = scan.paginate(
        TableName=os.environ["UNIQUES_TABLE"],
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :minute)",
        ExpressionAttributeValues={":minute": {"S": f"{minute}#"}},
    )
    return pages.search("Items[]")


def stream_counts(minute: str) -> Iterator[int]:
    """Returns the counts on the stream that have the minute as their partition key."""
    kinesis = boto3.client("kinesis")
    stream = os.environ["COUNT_STREAM"]
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream,
            ShardId=shard["ShardId"],
            ShardIteratorType="AT_TIMESTAMP",
            Timestamp=begin(minute),
        )["ShardIterator"]
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                if record["PartitionKey"] == minute:
                    yield json.loads(record["Data"])["unique_ids"]
            iterator = page["MillisBehindLatest"] and page.get("NextShardIterator")


def log_lines(minute: str) -> list[dict]:
    """Returns what the functions logged about a minute."""
    since = int(begin(minute).timestamp() * 1000)
    objects = [json.loads(line) for line in logs.lines(minute, since) if line.startswith("{")]
    return [line for line in objects if line.get("minute") == minute]
