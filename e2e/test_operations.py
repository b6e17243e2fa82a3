"""Health, metrics, alarms and the dashboard of the deployed stack."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from polling import eventually

PROJECT = Path(__file__).resolve().parent.parent

SERIES = re.compile(
    r'(?P<name>[a-z_:][a-z0-9_:]*)(\{(?P<labels>(?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (?P<value>\S+)'
)

SOURCES = ["orders", "uniques", "settlements", "schedules", "queues", "cloudwatch", "functions"]

WORK_QUEUES = [
    "callback",
    "company",
    "settlement-plan",
    "settlement-batch",
    "settlement-finish",
    "schedule",
]

NO_CLOUDWATCH = "it has no CloudWatch, which counts what functions log"

DEAD_LETTER_QUEUES = ["callback", "company", "settlement", "schedule"]


@pytest.fixture(scope="module")
def scrape(call, tokens):
    """Reads the metrics, by name and labels: `scrape()["once_source_up", "orders"]`."""

    def get() -> dict[tuple[str, ...], float]:
        reply = call("GET", "/metrics", token=tokens.read)
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert reply.headers["Cache-Control"] == "no-store"
        found = {}
        typed = set()
        for line in reply.text.splitlines():
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


def test_the_deployment_is_healthy_and_has_its_version(call):
    def healthy():
        reply = call("GET", "/health")
        return reply if reply.json["status"] == "healthy" else None

    # On a busy machine a check may exceed its timeout of a second.
    reply = eventually(healthy, "it is not healthy")
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
    time = datetime.fromisoformat(health["timestamp"].replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - time) < timedelta(seconds=30)


def test_each_source_of_metrics_is_read(scrape):
    metrics = scrape()
    assert {key[1:]: value for key, value in metrics.items() if key[0] == "once_source_up"} == {
        (source,): 1.0 for source in SOURCES
    }
    states = ("visible", "in_flight", "delayed")
    queues = {key[1:] for key in metrics if key[0] == "once_queue_messages"}
    assert queues == {(queue, state) for queue in WORK_QUEUES for state in states}
    assert {key[1] for key in metrics if key[0] == "once_dead_letters"} == set(DEAD_LETTER_QUEUES)


@pytest.mark.cloud_only(NO_CLOUDWATCH)
def test_metrics_of_cloudwatch_are_read(scrape):
    metrics = scrape()
    # CloudWatch derives metrics from log lines, the local cloud does not: they are 0 here.
    assert metrics[("once_orders_placed_5m",)] >= 0
    assert metrics[("once_api_requests_5m",)] >= 0


def test_the_stock_of_a_product_is_a_metric(call, scrape):
    body = {"name": "Metered", "price": 1, "stock": 9, "merchant_id": "merchant_001", "lanes": 2}
    product = call("POST", "/products", body).json["id"]
    key = ("once_stock_units", str(product))
    # The list of products is eventually consistent.
    assert eventually(lambda: scrape().get(key), "the product has no metric") == 9
    order = {"product_id": product, "quantity": 2, "buyer_id": "metered"}
    assert call("POST", "/orders", order).status == 201
    assert scrape()[key] == 7


def test_the_metrics_of_a_function_have_its_route(aws, functions, reconfigure, scrape):
    # The window ends some minutes ago: with data of all the last minutes it need not be waited for.
    dimension = {"Name": "FunctionName", "Value": functions["ScheduledJobResume"]}
    invocations = {"MetricName": "Invocations", "Dimensions": [dimension], "Unit": "Count"}
    now = datetime.now(timezone.utc)
    data = [invocations | {"Timestamp": now - timedelta(minutes=n), "Value": 7} for n in range(13)]
    aws("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=data)
    reconfigure("MetricsGet", LOG_LEVEL="debug")  # an instance with an empty cache
    route = "POST /scheduler/jobs/{id}/resume"
    key = ("once_function_invocations_5m", "scheduled-job-resume", route)
    assert eventually(lambda: scrape().get(key), "the function has no metric") >= 5 * 7


def test_the_number_of_dead_letters_is_a_metric(aws, outputs, scrape):
    sqs, queue = aws("sqs"), outputs["CompanyDeadLetterQueueUrl"]
    before = scrape()[("once_dead_letters", "company")]
    sqs.send_message(QueueUrl=queue, MessageBody="unreadable")
    try:
        assert scrape()[("once_dead_letters", "company")] == before + 1
    finally:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in received.get("Messages", []):
            if message["Body"] == "unreadable":
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_each_alarm_and_the_dashboard_are_deployed(aws, stack_name):
    cloudformation = aws("cloudformation")
    paginator = cloudformation.get_paginator("list_stack_resources")
    resources = paginator.paginate(StackName=stack_name).search("StackResourceSummaries[]")
    deployed = {resource["LogicalResourceId"]: resource for resource in resources}
    processed = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")
    declared = processed["TemplateBody"]["Resources"]
    for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"):
        wanted = {name for name, resource in declared.items() if resource["Type"] == kind}
        assert wanted
        assert wanted == {
            name for name, resource in deployed.items() if resource["ResourceType"] == kind
        }
    alarm = deployed["ScheduleLag"]["PhysicalResourceId"]
    [described] = aws("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert (described["Namespace"], described["MetricName"]) == ("Once", "ScheduleLagMs")
    assert described["Dimensions"] == [{"Name": "Function", "Value": "schedule-run"}]
    assert (described["ExtendedStatistic"], described["Threshold"]) == ("p99", 30000)
    assert described["AlarmActions"] == []
    # Without a topic an alarm notifies no one. Each queue that an alarm watches exists.
    queues = {url.rsplit("/", 1)[1] for url in aws("sqs").list_queues()["QueueUrls"]}
    pages = aws("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    alarms = pages.search("MetricAlarms[?Namespace=='AWS/SQS']")
    watched = [alarm["Dimensions"][0]["Value"] for alarm in alarms]
    assert len(watched) == len(WORK_QUEUES) + len(DEAD_LETTER_QUEUES)
    assert set(watched) <= queues


def test_other_methods_are_refused(call, subtests):
    for path in ("/health", "/metrics"):
        with subtests.test(path):
            reply = call("POST", path, {})
            assert (reply.status, reply.headers["Allow"]) == (405, "GET")


@pytest.mark.cloud_only(NO_CLOUDWATCH)
def test_the_grafana_dashboard_draws_existing_metrics(scrape):
    dashboard = json.loads((PROJECT / "dashboards" / "grafana.json").read_text())
    targets = [panel.get("targets", []) for panel in dashboard["panels"]]
    drawn = set(re.findall(r"once_\w+", json.dumps(targets)))
    existing = {key[0] for key in scrape()}
    # Absent until something is measured: latencies, and the last minute before one is published.
    absent = re.compile("_seconds_5m$|_concurrency_5m$|_last_minute")
    assert all(absent.search(name) for name in drawn - existing)
