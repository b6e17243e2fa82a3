"""Health, metrics, alarms and the dashboard of the deployed stack."""

import json
import re
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from patience import eventually

PROJECT = Path(__file__).resolve().parent.parent

SERIES = re.compile(r'(?P<name>[a-z_:][a-z0-9_:]*)(\{(?P<labels>(?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (?P<value>\S+)')

SOURCES = ["orders", "uniques", "settlements", "schedules", "queues", "cloudwatch", "functions"]

WORK_QUEUES = ["callback", "company", "settlement-plan", "settlement-batch", "settlement-finish", "schedule"]

DEAD_LETTER_QUEUES = ["callback", "company", "settlement", "schedule"]


@pytest.fixture(scope="module")
def scrape(api_url):
    """The metrics as they are now, by name and labels: `scrape()["once_source_up", "orders"]`."""

    def get() -> dict[tuple[str, ...], float]:
        with urllib.request.urlopen(f"{api_url}/metrics", timeout=30) as reply:
            assert reply.status == 200
            assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert reply.headers["Cache-Control"] == "no-store"
            text = reply.read().decode()
        found = {}
        typed = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert kind == "gauge"
                typed.add(name)
            elif not line.startswith("# HELP "):
                series = SERIES.fullmatch(line)
                assert series and series["name"] in typed, line
                labels = re.findall(r'="((?:[^"\\]|\\.)*)"', series["labels"] or "")
                found[(series["name"], *labels)] = float(series["value"])
        return found

    return get


def healthy(reply):
    """The answer, if it says that all is well."""
    return reply if reply.json["status"] == "healthy" else None


def test_all_is_healthy_with_the_version_of_the_workspace(call):
    # A second may be too short for a busy machine.
    reply = eventually(lambda: healthy(call("GET", "/health")), "it is not healthy")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    health = reply.json
    assert health.keys() == {"status", "version", "checks", "uptime", "timestamp"}
    checks = dict.fromkeys(("database", "queues", "files", "webhook_secret"), "healthy")
    assert (health["status"], health["checks"]) == ("healthy", checks)
    assert re.fullmatch(r"\d+\.\d+\.\d+", health["version"])
    assert re.fullmatch(r"(\d+h)?(\d+m)?\d+s", health["uptime"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", health["timestamp"])
    told = datetime.fromisoformat(health["timestamp"].replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - told) < timedelta(seconds=30)


def test_every_source_of_metrics_is_read(scrape):
    metrics = scrape()
    assert {key[1:]: value for key, value in metrics.items() if key[0] == "once_source_up"} == {
        (source,): 1.0 for source in SOURCES
    }
    states = ("visible", "in_flight", "delayed")
    queues = {key[1:] for key in metrics if key[0] == "once_queue_messages"}
    assert queues == {(queue, state) for queue in WORK_QUEUES for state in states}
    assert {key[1] for key in metrics if key[0] == "once_dead_letters"} == set(DEAD_LETTER_QUEUES)
    # The local cloud makes no metrics of log lines, as CloudWatch does: nothing was counted.
    assert metrics[("once_orders_placed_5m",)] >= 0
    assert metrics[("once_api_requests_5m",)] >= 0


def test_stock_is_told_as_it_is_sold(call, scrape):
    product = {"name": "Metered", "price": 100, "stock": 9, "merchant_id": "merchant_001", "lanes": 2}
    made = call("POST", "/products", product).json["id"]
    key = ("once_stock_units", str(made))
    # The list of products is a moment behind.
    assert eventually(lambda: scrape().get(key), "the product is not told of") == 9
    assert call("POST", "/orders", {"product_id": made, "quantity": 2, "buyer_id": "metered"}).status == 201
    assert scrape()[key] == 7


def test_a_function_is_told_of_by_its_route(aws, functions, reconfigure, scrape):
    # It takes minutes until a window has what is called now: so it was called in each of the last minutes.
    called = {"MetricName": "Invocations", "Dimensions": [{"Name": "FunctionName", "Value": functions["TaskResume"]}]}
    now = datetime.now(timezone.utc)
    minutes = [called | {"Timestamp": now - timedelta(minutes=n), "Value": 7, "Unit": "Count"} for n in range(13)]
    aws("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=minutes)
    reconfigure("MetricsGet", LOG_LEVEL="debug")  # an instance that remembers nothing
    key = ("once_function_invocations_5m", "task-resume", "POST /scheduler/jobs/{id}/resume")
    assert eventually(lambda: scrape().get(key), "the function is not told of") >= 5 * 7


def test_a_message_is_told_as_it_waits_in_its_dead_letter_queue(aws, outputs, scrape):
    sqs, queue = aws("sqs"), outputs["CompanyDeadLetterQueueUrl"]
    before = scrape()[("once_dead_letters", "company")]
    sqs.send_message(QueueUrl=queue, MessageBody="nobody can read this")
    try:
        assert scrape()[("once_dead_letters", "company")] == before + 1
    finally:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            if message["Body"] == "nobody can read this":
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_every_alarm_and_the_dashboard_are_deployed(aws, stack_name):
    pages = aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    resources = list(pages.search("StackResourceSummaries[]"))
    deployed = {r["LogicalResourceId"]: r for r in resources}
    template = aws("cloudformation").get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"):
        wanted = {name for name, resource in template["Resources"].items() if resource["Type"] == kind}
        assert wanted
        assert wanted == {name for name, resource in deployed.items() if resource["ResourceType"] == kind}
    alarm = deployed["ScheduleLag"]["PhysicalResourceId"]
    [described] = aws("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert (described["Namespace"], described["MetricName"]) == ("Once", "ScheduleLagMs")
    assert described["Dimensions"] == [{"Name": "Function", "Value": "schedule-run"}]
    assert (described["ExtendedStatistic"], described["Threshold"]) == ("p99", 30000)
    assert described["AlarmActions"] == []
    # Whoever names no topic is told nothing, and every queue that is watched exists.
    queues = {url.rsplit("/", 1)[1] for url in aws("sqs").list_queues()["QueueUrls"]}
    pages = aws("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    watched = [a["Dimensions"][0]["Value"] for a in pages.search("MetricAlarms[?Namespace=='AWS/SQS']")]
    assert len(watched) == len(WORK_QUEUES) + len(DEAD_LETTER_QUEUES)
    assert set(watched) <= queues


def test_other_methods_are_refused(call, subtests):
    for path in ("/health", "/metrics"):
        with subtests.test(path):
            reply = call("POST", path, {})
            assert (reply.status, reply.headers["Allow"]) == (405, "GET")


def test_grafana_asks_for_names_that_a_stack_tells(scrape):
    dashboard = json.loads((PROJECT / "dashboards" / "grafana.json").read_text())
    asked = set(re.findall(r"once_\w+", json.dumps([panel.get("targets", []) for panel in dashboard["panels"]])))
    told = {key[0] for key in scrape()}
    # What was never measured is absent: latencies, and the last minute before the first is published.
    assert all(re.search("_seconds_5m$|_concurrency_5m$|_last_minute", name) for name in asked - told)
