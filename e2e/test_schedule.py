"""Scheduled jobs through the deployed stack: occurrences that come at their times, and inputs that are refused."""

import time
import uuid
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError

from patience import eventually

JOBS = "/scheduler/jobs"
UNKNOWN = f"{JOBS}/task_{uuid.UUID(int=0)}"

SETTLE = {"name": "Settle yesterday", "action": {"type": "settlement", "range": "yesterday"}}
EVERY_S = 10


def moment(text: str) -> datetime:
    """A time of the API."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def job(call):
    """Makes a job, and answers its path; deletes it at the end: `job({...})`."""
    made = []

    def post(body: dict) -> str:
        reply = call("POST", JOBS, body)
        assert reply.status == 201, reply.text
        assert reply.headers["Location"] == f"{JOBS}/{reply.json['id']}"
        made.append(reply.headers["Location"])
        return made[-1]

    yield post
    for path in made:
        call("DELETE", path)


@pytest.fixture(scope="module")
def runs(call):
    """The runs of a job, the last due first, once there are so many that have ended: `runs(path, 3)`."""

    def get(path: str, count: int) -> list[dict]:
        def look() -> list[dict] | None:
            ended = [run for run in call("GET", f"{path}/runs").json["runs"] if run["finished_at"]]
            return ended if len(ended) >= count else None

        return eventually(look, f"{path} has not run {count} times")

    return get


@pytest.fixture(scope="module")
def webhook(api_url) -> dict:
    """A job that calls the receiver of the stack itself."""
    return {"name": "Call", "action": {"type": "webhook", "url": f"{api_url}/test", "body": {"n": 1}}}


def test_a_job_of_every_ten_seconds_runs_at_its_seconds(call, job, runs, webhook, log_messages):
    path = job(webhook)
    schedule = {"type": "fixed", "every_seconds": EVERY_S}
    scheduled = call("PUT", f"{path}/schedule", schedule).json
    assert scheduled["state"] == "ACTIVE"
    # Over a minute: the first are sent with the schedule, the others by ticks.
    ended = runs(path, 14)[::-1]
    due = [moment(run["due_at"]) for run in ended]
    assert due[0] == moment(scheduled["next_runs"][0])
    assert {later - earlier for earlier, later in pairwise(due)} == {timedelta(seconds=EVERY_S)}
    for run in ended:
        lag = moment(run["started_at"]) - moment(run["due_at"])
        print(f"due {run['due_at']}  lag {lag.total_seconds():.3f} s  {run['state']}  {run['result']}")
        assert (run["state"], run["attempts"], run["result"]) == ("COMPLETED", 1, "delivered"), run
        assert timedelta(0) <= lag < timedelta(seconds=EVERY_S)
    received = [line for run in ended[:3] for line in log_messages(filterPattern=f'"{run["run_id"]}"')]
    received = [line for line in received if "Received webhook" in line]
    assert len(received) == 3
    assert all('"valid"' in line for line in received)


def test_a_job_of_every_minute_begins_a_settlement(call, job, runs):
    path = job(SETTLE)
    schedule = {"type": "cron", "expression": "* * * * *", "timezone": "Europe/Berlin"}
    first = call("PUT", f"{path}/schedule", schedule).json["next_runs"][0]
    [run] = [run for run in runs(path, 1) if run["due_at"] == first]
    assert run["state"] == "COMPLETED", run
    yesterday = f"{moment(first).date() - timedelta(days=1)}"
    [settlement] = [found for found in call("GET", "/jobs?limit=100").json["jobs"] if found["job_id"] == run["result"]]
    assert (settlement["from"], settlement["to"]) == (yesterday, yesterday)


def test_a_paused_job_stops_and_a_deleted_one_is_gone(call, job, runs, webhook):
    path = job(webhook)
    call("PUT", f"{path}/schedule", {"type": "fixed", "every_seconds": 2})
    runs(path, 1)
    paused = call("POST", f"{path}/pause").json
    assert (paused["state"], paused["next_runs"]) == ("PAUSED", [])
    time.sleep(3)  # What had begun ends.
    before = call("GET", f"{path}/runs?limit=100").json["runs"]
    time.sleep(10)
    assert call("GET", f"{path}/runs?limit=100").json["runs"] == before
    assert call("POST", f"{path}/resume").json["state"] == "ACTIVE"
    runs(path, len(before) + 1)

    assert call("DELETE", path).status == 204
    for gone in (path, f"{path}/schedule", f"{path}/runs"):
        assert call("GET", gone).json["error"]["code"] == "JOB_NOT_FOUND"


def test_a_second_click_runs_a_job_once(call, job, runs, webhook):
    path = job(webhook)
    clicks = [call("POST", f"{path}/run", headers={"Idempotency-Key": "click"}) for _ in range(3)]
    assert {click.status for click in clicks} == {202}
    [run_id] = {click.json["run_id"] for click in clicks}
    runs(path, 1)
    time.sleep(5)  # The other messages come, too.
    [run] = call("GET", f"{path}/runs").json["runs"]
    assert (run["run_id"], run["state"], run["attempts"]) == (run_id, "COMPLETED", 1)


def test_who_has_seen_an_old_version_changes_nothing(call, job):
    path = job(SETTLE)
    seen = {"If-Match": call("GET", path).headers["ETag"]}
    daily = {"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"}
    changed = call("PUT", f"{path}/schedule", daily, seen)
    assert changed.status == 200
    stands = call("GET", path)
    assert stands.headers["ETag"] == changed.headers["ETag"] != seen["If-Match"]
    for request in [
        ("PUT", path, SETTLE),
        ("PUT", f"{path}/schedule", daily),
        ("DELETE", f"{path}/schedule", None),
        ("POST", f"{path}/pause", None),
        ("POST", f"{path}/resume", None),
        ("DELETE", path, None),
    ]:
        reply = call(*request, seen)
        assert (reply.status, reply.json["error"]["code"]) == (412, "VERSION_CHANGED"), request
    assert call("GET", path).text == stands.text


def test_a_preview_tells_what_a_change_of_the_clock_does(call):
    schedule = {"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"}
    question = {"schedule": schedule, "count": 2, "from": "2026-03-28T12:00:00Z"}
    first, second = call("POST", "/scheduler/preview", question).json["times"]
    assert (first["local"], second["local"]) == ("2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00")
    assert "does not exist on 2026-03-29" in first["note"]


def test_wrong_input_is_refused_by_name(call, job, subtests):
    path = job(SETTLE)
    stands = call("GET", path).text
    invalid, missing = (400, "INVALID_REQUEST"), (404, "JOB_NOT_FOUND")
    every = {"type": "fixed", "every_seconds": 10}
    cron = {"type": "cron", "expression": "@daily"}
    requests = [
        (("POST", JOBS), {}, invalid, "name"),
        (("POST", JOBS), b"not json", invalid, "body"),
        (("POST", JOBS), SETTLE | {"name": "x" * 101}, invalid, "name"),
        (("POST", JOBS), SETTLE | {"owner": "me"}, invalid, "owner"),
        (("POST", JOBS), SETTLE | {"action": {"type": "email"}}, invalid, "action.type"),
        (("POST", JOBS), SETTLE | {"action": {"type": "settlement", "range": "today"}}, invalid, "action.range"),
        (("POST", JOBS), SETTLE | {"action": {"type": "webhook", "url": "ftp://example.com/"}}, invalid, "action.url"),
        (("PUT", path), {"name": "a"}, invalid, "action"),
        (("PUT", f"{path}/schedule"), [], invalid, "body"),
        (("PUT", f"{path}/schedule"), {"type": "daily"}, invalid, "type"),
        (("PUT", f"{path}/schedule"), every | {"every_seconds": 0}, invalid, "every_seconds"),
        (("PUT", f"{path}/schedule"), every | {"every_seconds": 1.5}, invalid, "every_seconds"),
        (("PUT", f"{path}/schedule"), every | {"end_at": "2020-01-01T00:00:00Z"}, invalid, "end_at"),
        (("PUT", f"{path}/schedule"), every | {"misfire": "retry"}, invalid, "misfire"),
        (("PUT", f"{path}/schedule"), cron | {"expression": "* * * * * *"}, invalid, "expression"),
        (("PUT", f"{path}/schedule"), cron | {"expression": "0 0 31 2 *"}, invalid, "expression"),
        (("PUT", f"{path}/schedule"), cron | {"timezone": "+01:00"}, invalid, "timezone"),
        (("POST", "/scheduler/preview"), {}, invalid, "schedule"),
        (("POST", "/scheduler/preview"), {"schedule": every, "count": 101}, invalid, "count"),
        (("POST", "/scheduler/preview"), {"schedule": cron | {"timezone": "Mars"}}, invalid, "schedule.timezone"),
        (("GET", f"{JOBS}?limit=0"), None, invalid, "limit"),
        (("GET", f"{JOBS}?cursor=x"), None, invalid, "cursor"),
        (("GET", f"{path}/runs?cursor=x"), None, invalid, "cursor"),
        (("GET", f"{path}/schedule"), None, (404, "SCHEDULE_NOT_FOUND"), None),
        (("GET", f"{JOBS}/7"), None, invalid, "id"),
        (("DELETE", f"{JOBS}/job_{uuid.UUID(int=0)}"), None, invalid, "id"),
        (("GET", UNKNOWN), None, missing, None),
        (("PUT", UNKNOWN), SETTLE, missing, None),
        (("DELETE", UNKNOWN), None, missing, None),
        (("PUT", f"{UNKNOWN}/schedule"), every, missing, None),
        (("GET", f"{UNKNOWN}/runs"), None, missing, None),
        (("POST", f"{UNKNOWN}/run"), None, missing, None),
        (("POST", f"{UNKNOWN}/pause"), None, missing, None),
        (("PATCH", path), {}, (405, "METHOD_NOT_ALLOWED"), None),
    ]
    for request, body, answer, field in requests:
        with subtests.test(f"{request} {body}"):
            reply = call(*request, body)
            problem = reply.json
            assert (reply.status, problem["error"]["code"], problem.get("field")) == (*answer, field)
            assert reply.headers["Content-Type"] == "application/problem+json"
    assert call("GET", path).text == stands


def test_each_function_may_do_its_own_part_only(as_function, outputs, subtests):
    key = {"pk": {"S": "TASK#unknown"}, "sk": {"S": "TASK"}}
    tables = ("Schedules", "Settlements", "Companies", "Ledger")
    jobs, settlements, companies, ledger = ({"TableName": outputs[f"{table}TableName"]} for table in tables)
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": key["pk"]}}
    recent, due = (
        {
            "IndexName": index,
            "KeyConditionExpression": f"{index}_pk = :pk",
            "ExpressionAttributeValues": {":pk": key["pk"]},
        }
        for index in ("recent", "due")
    )
    queue, plan = ({"QueueUrl": outputs[f"{queue}QueueUrl"]} for queue in ("Schedule", "SettlementPlan"))
    dead, text = {"QueueUrl": outputs["ScheduleDeadLetterQueueUrl"]}, {"MessageBody": "x"}
    for function, service, operation, arguments in [
        ("TaskCreate", "dynamodb", "update_item", jobs | {"Key": key}),
        ("TaskCreate", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("TaskCreate", "sqs", "send_message", queue | text),
        ("TaskList", "dynamodb", "put_item", jobs | {"Item": key}),
        ("TaskList", "dynamodb", "query", jobs | query),
        ("TaskList", "dynamodb", "query", jobs | due),
        ("TaskGet", "dynamodb", "put_item", jobs | {"Item": key}),
        ("TaskGet", "dynamodb", "update_item", jobs | {"Key": key}),
        ("TaskGet", "dynamodb", "query", jobs | query),
        ("TaskPut", "dynamodb", "put_item", jobs | {"Item": key}),
        ("TaskPut", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("TaskPut", "sqs", "send_message", queue | text),
        ("TaskDelete", "dynamodb", "put_item", jobs | {"Item": key}),
        ("TaskDelete", "dynamodb", "update_item", jobs | {"Key": key}),
        ("TaskDelete", "sqs", "send_message", queue | text),
        ("TaskPause", "dynamodb", "put_item", jobs | {"Item": key}),
        ("TaskPause", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("TaskPause", "sqs", "send_message", queue | text),
        ("TaskResume", "dynamodb", "put_item", jobs | {"Item": key}),
        ("TaskResume", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("TaskResume", "sqs", "receive_message", queue),
        ("TaskRun", "dynamodb", "update_item", jobs | {"Key": key}),
        ("TaskRun", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("TaskRun", "dynamodb", "put_item", settlements | {"Item": key}),
        ("TaskRun", "sqs", "receive_message", queue),
        ("TaskRun", "sqs", "send_message", plan | text),
        ("RunList", "dynamodb", "put_item", jobs | {"Item": key}),
        ("RunList", "dynamodb", "update_item", jobs | {"Key": key}),
        ("RunList", "dynamodb", "query", jobs | recent),
        ("ScheduleGet", "dynamodb", "put_item", jobs | {"Item": key}),
        ("ScheduleGet", "dynamodb", "update_item", jobs | {"Key": key}),
        ("ScheduleGet", "dynamodb", "query", jobs | query),
        ("SchedulePut", "dynamodb", "put_item", jobs | {"Item": key}),
        ("SchedulePut", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("SchedulePut", "sqs", "receive_message", queue),
        ("ScheduleDelete", "dynamodb", "put_item", jobs | {"Item": key}),
        ("ScheduleDelete", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("ScheduleDelete", "sqs", "send_message", queue | text),
        ("SchedulePreview", "dynamodb", "get_item", jobs | {"Key": key}),
        ("SchedulePreview", "dynamodb", "put_item", jobs | {"Item": key}),
        ("SchedulePreview", "sqs", "send_message", queue | text),
        ("ScheduleTick", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("ScheduleTick", "dynamodb", "query", jobs | query),
        ("ScheduleTick", "dynamodb", "query", jobs | recent),
        ("ScheduleTick", "dynamodb", "get_item", settlements | {"Key": key}),
        ("ScheduleTick", "sqs", "receive_message", queue),
        ("ScheduleRun", "dynamodb", "delete_item", jobs | {"Key": key}),
        ("ScheduleRun", "dynamodb", "query", jobs | due),
        ("ScheduleRun", "dynamodb", "update_item", settlements | {"Key": key}),
        ("ScheduleRun", "dynamodb", "put_item", companies | {"Item": key}),
        ("ScheduleRun", "dynamodb", "put_item", ledger | {"Item": key}),
        ("ScheduleRun", "sqs", "send_message", dead | text),
        ("ScheduleRun", "sqs", "delete_queue", plan),
    ]:
        with subtests.test(f"{function} {operation}"), pytest.raises(ClientError, match="AccessDenied"):
            getattr(as_function(function, service), operation)(**arguments)
