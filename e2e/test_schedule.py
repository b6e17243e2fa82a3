"""Scheduled jobs through the deployed stack: occurrences that come at their times, and inputs that are refused."""

import time
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

from patience import eventually

JOBS = "/scheduler/jobs"
UNKNOWN = f"{JOBS}/task_{uuid.UUID(int=0)}"

SETTLE = {"name": "Settle yesterday", "action": {"type": "settlement", "range": "yesterday"}}
EVERY_S = 10


def moment(text: str) -> datetime:
    """A time of the API."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@contextmanager
def jobs(call):
    """Makes jobs, and answers their paths; deletes them at the end: `make({...})`."""
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


@pytest.fixture
def job(call):
    """Makes a job, and answers its path; deletes it at the end: `job({...})`."""
    with jobs(call) as make:
        yield make


@pytest.fixture(scope="session")
def settling(call):
    """A job that settles yesterday in a minute, and perhaps in the one after it: its path, and when it is due first."""
    with jobs(call) as make:
        path = make(SETTLE)
        end = datetime.now(timezone.utc) + timedelta(seconds=90)
        schedule = {"type": "cron", "expression": "* * * * *", "timezone": "Europe/Berlin", "end_at": f"{end:%FT%TZ}"}
        scheduled = call("PUT", f"{path}/schedule", schedule)
        assert scheduled.status == 200, scheduled.text
        yield path, scheduled.json["next_runs"][0]


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


@pytest.mark.begins
def test_a_cron_schedule_comes_at_the_next_minute(settling):
    _, first = settling
    assert moment(first).second == 0
    assert timedelta(0) < moment(first) - datetime.now(timezone.utc) <= timedelta(minutes=1)


@pytest.mark.waits
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


@pytest.mark.waits
def test_a_cron_job_begins_a_settlement(call, settling, runs):
    path, first = settling
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
