"""Scheduled jobs through the deployed stack: occurrences run at their times, once."""

import time
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

import logs
from polling import eventually

JOBS = "/scheduler/jobs"
UNKNOWN = f"{JOBS}/scheduled_job_{uuid.UUID(int=0)}"

SETTLE = {"name": "Settle yesterday", "action": {"type": "settlement", "range": "yesterday"}}

INTERVAL = timedelta(seconds=10)
SHORT_INTERVAL = timedelta(seconds=2)

# How long a job is watched, at least, that must not run.
QUIET = timedelta(seconds=10)


def moment(text: str) -> datetime:
    """Returns a time of the API."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def now() -> datetime:
    """Returns the current time."""
    return datetime.now(timezone.utc)


def wait_until(time_: datetime) -> None:
    """Waits until a time that usually has passed."""
    time.sleep(max(0, (time_ - now()).total_seconds()))


@contextmanager
def jobs(call):
    """Makes scheduled jobs and returns their paths, `make({…})`; deletes them at the end."""
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
def scheduled_job(call):
    """Makes a scheduled job and returns its path; deletes it after the test."""
    with jobs(call) as make:
        yield make


@pytest.fixture(scope="session")
def lasting_scheduled_job(call):
    """Makes a scheduled job and returns its path; deletes it after all tests."""
    with jobs(call) as make:
        yield make


@pytest.fixture(scope="session")
def schedule(call):
    """Sets the schedule of a job, `schedule(path, {…})`, and returns the job."""

    def put(path: str, body: dict) -> dict:
        reply = call("PUT", f"{path}/schedule", body)
        assert reply.status == 200, reply.text
        return reply.json

    return put


@pytest.fixture(scope="session")
def finished_runs(call):
    """Waits for finished runs of a job, and returns all, the last due first."""

    def get(path: str, count: int) -> list[dict]:
        def read() -> list[dict] | None:
            runs = call("GET", f"{path}/runs").json["runs"]
            finished = [run for run in runs if run["finished_at"]]
            return finished if len(finished) >= count else None

        return eventually(read, f"{path} has not run {count} times")

    return get


@pytest.fixture(scope="session")
def webhook(api_url) -> dict:
    """The body of a job that calls the receiver of the stack itself."""
    action = {"type": "webhook", "url": f"{api_url}/test", "body": {"n": 1}}
    return {"name": "Call", "action": action}


@pytest.fixture(scope="session")
def settling(lasting_scheduled_job, schedule) -> tuple[str, str]:
    """A job that settles yesterday in a minute, perhaps once more; its path and first time."""
    path = lasting_scheduled_job(SETTLE)
    cron = {"type": "cron", "expression": "* * * * *", "timezone": "Europe/Berlin"}
    end = now() + timedelta(seconds=90)
    scheduled = schedule(path, cron | {"end_at": f"{end:%FT%TZ}"})
    return path, scheduled["next_runs"][0]


@pytest.fixture(scope="session")
def ticking(lasting_scheduled_job, schedule, webhook) -> tuple[str, dict, datetime]:
    """A job of every ten seconds for some minutes; its path, its first state, and that time."""
    path = lasting_scheduled_job(webhook)
    fixed = {"type": "fixed", "every_seconds": INTERVAL.seconds}
    end = now() + timedelta(seconds=150)
    return path, schedule(path, fixed | {"end_at": f"{end:%FT%TZ}"}), now()


@pytest.fixture(scope="session")
def paused(call, lasting_scheduled_job, schedule, finished_runs, webhook):
    """A job that was paused after its first run: its path, its state, and the time of the pause."""
    path = lasting_scheduled_job(webhook)
    schedule(path, {"type": "fixed", "every_seconds": SHORT_INTERVAL.seconds})
    finished_runs(path, 1)
    return path, call("POST", f"{path}/pause").json, now()


@pytest.fixture(scope="session")
def requested(call, lasting_scheduled_job, webhook):
    """A job whose run was requested three times with one key: its path, the replies, the time."""
    path = lasting_scheduled_job(webhook)
    key = {"Idempotency-Key": "one"}
    replies = [call("POST", f"{path}/run", headers=key) for _ in range(3)]
    return path, replies, now()


@pytest.mark.begins
def test_a_cron_schedule_is_due_at_the_next_minute(settling):
    _, first = settling
    assert moment(first).second == 0
    assert timedelta(0) < moment(first) - now() <= timedelta(minutes=1)


@pytest.mark.begins
def test_a_fixed_schedule_is_due_after_its_interval(ticking):
    _, scheduled, set_at = ticking
    assert scheduled["state"] == "ACTIVE"
    assert timedelta(0) < moment(scheduled["next_runs"][0]) - set_at <= INTERVAL


@pytest.mark.begins
def test_a_paused_job_has_no_next_run(paused):
    _, state, _ = paused
    assert (state["state"], state["next_runs"]) == ("PAUSED", [])


@pytest.mark.begins
def test_repeated_requests_with_one_key_have_the_same_run(requested):
    _, replies, _ = requested
    assert {reply.status for reply in replies} == {202}
    assert len({reply.json["run_id"] for reply in replies}) == 1


@pytest.mark.timed
def test_a_job_of_every_ten_seconds_runs_at_its_seconds(ticking, finished_runs):
    path, scheduled, set_at = ticking
    first = moment(scheduled["next_runs"][0])
    # What is due until the end of the next minute is sent with the schedule, the rest by ticks.
    horizon = set_at.replace(second=0, microsecond=0) + timedelta(minutes=2)
    runs = finished_runs(path, (horizon - first) // INTERVAL + 3)[::-1]
    due = [moment(run["due_at"]) for run in runs]
    assert due[0] == first
    assert due[-2] >= horizon
    assert {later - earlier for earlier, later in pairwise(due)} == {INTERVAL}
    for run in runs:
        lag = moment(run["started_at"]) - moment(run["due_at"])
        print(f"due {run['due_at']}  lag {lag.total_seconds():.3f} s  {run['state']}")
        assert (run["state"], run["attempts"], run["result"]) == ("COMPLETED", 1, "delivered"), run
        assert timedelta(0) <= lag < INTERVAL
    for run in runs[:3]:
        lines = logs.lines(run["run_id"])
        [received] = [line for line in lines if "Webhook received" in line]
        assert '"valid"' in received


@pytest.mark.waits
def test_a_cron_job_starts_a_settlement(call, settling, finished_runs):
    path, first = settling
    [run] = [run for run in finished_runs(path, 1) if run["due_at"] == first]
    assert run["state"] == "COMPLETED", run
    yesterday = f"{moment(first).date() - timedelta(days=1)}"
    settlement = call("GET", f"/jobs/{run['result']}").json
    assert (settlement["from"], settlement["to"]) == (yesterday, yesterday)


@pytest.mark.waits
def test_a_paused_job_runs_again_after_resume_and_a_deleted_one_is_gone(
    call, paused, finished_runs
):
    path, _, paused_at = paused
    wait_until(paused_at + QUIET)
    before = call("GET", f"{path}/runs?limit=100").json["runs"]
    # A run that was due at the pause may have begun.
    assert max(moment(run["due_at"]) for run in before) <= paused_at + SHORT_INTERVAL
    assert call("POST", f"{path}/resume").json["state"] == "ACTIVE"
    finished_runs(path, len(before) + 1)

    assert call("DELETE", path).status == 204
    for gone in (path, f"{path}/schedule", f"{path}/runs"):
        assert call("GET", gone).json["error"]["code"] == "JOB_NOT_FOUND"


@pytest.mark.waits
def test_repeated_requests_with_one_key_run_a_job_once(call, requested, finished_runs):
    path, replies, requested_at = requested
    finished_runs(path, 1)
    wait_until(requested_at + QUIET)  # Messages of the other requests arrive by then.
    [run] = call("GET", f"{path}/runs").json["runs"]
    run_id = replies[0].json["run_id"]
    assert (run["run_id"], run["state"], run["attempts"]) == (run_id, "COMPLETED", 1)


def test_a_change_with_an_outdated_version_is_refused(call, scheduled_job):
    path = scheduled_job(SETTLE)
    outdated = {"If-Match": call("GET", path).headers["ETag"]}
    daily = {"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"}
    changed = call("PUT", f"{path}/schedule", daily, outdated)
    assert changed.status == 200
    current = call("GET", path)
    assert current.headers["ETag"] == changed.headers["ETag"] != outdated["If-Match"]
    for request in [
        ("PUT", path, SETTLE),
        ("PUT", f"{path}/schedule", daily),
        ("DELETE", f"{path}/schedule", None),
        ("POST", f"{path}/pause", None),
        ("POST", f"{path}/resume", None),
        ("DELETE", path, None),
    ]:
        reply = call(*request, outdated)
        assert (reply.status, reply.json["error"]["code"]) == (412, "VERSION_CHANGED"), request
    assert call("GET", path).text == current.text


def test_a_preview_notes_an_occurrence_that_a_clock_change_moves(call):
    schedule = {"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"}
    request = {"schedule": schedule, "count": 2, "from": "2026-03-28T12:00:00Z"}
    first, second = call("POST", "/scheduler/preview", request).json["times"]
    assert first["local"] == "2026-03-29T03:00:00+02:00"
    assert second["local"] == "2026-03-30T02:30:00+02:00"
    assert "2026-03-29" in first["note"]
    assert not second.get("note")


def test_an_invalid_request_is_refused_with_the_name_of_the_field(call, scheduled_job, subtests):
    path = scheduled_job(SETTLE)
    before = call("GET", path).text
    invalid, missing = (400, "INVALID_REQUEST"), (404, "JOB_NOT_FOUND")
    every = {"type": "fixed", "every_seconds": 10}
    cron = {"type": "cron", "expression": "@daily"}
    today = {"type": "settlement", "range": "today"}
    ftp = {"type": "webhook", "url": "ftp://example.com/"}
    no_zone = {"schedule": cron | {"timezone": "Mars"}}
    requests = [
        (("POST", JOBS), {}, invalid, "name"),
        (("POST", JOBS), b"not json", invalid, "body"),
        (("POST", JOBS), SETTLE | {"name": "x" * 101}, invalid, "name"),
        (("POST", JOBS), SETTLE | {"owner": "me"}, invalid, "owner"),
        (("POST", JOBS), SETTLE | {"action": {"type": "email"}}, invalid, "action.type"),
        (("POST", JOBS), SETTLE | {"action": today}, invalid, "action.range"),
        (("POST", JOBS), SETTLE | {"action": ftp}, invalid, "action.url"),
        (("PUT", path), {"name": "a"}, invalid, "action"),
        (("PUT", f"{path}/schedule"), [], invalid, "body"),
        (("PUT", f"{path}/schedule"), {"type": "daily"}, invalid, "type"),
        (("PUT", f"{path}/schedule"), every | {"every_seconds": 0}, invalid, "every_seconds"),
        (("PUT", f"{path}/schedule"), every | {"every_seconds": 1.5}, invalid, "every_seconds"),
        (
            ("PUT", f"{path}/schedule"),
            every | {"end_at": "2020-01-01T00:00:00Z"},
            invalid,
            "end_at",
        ),
        (("PUT", f"{path}/schedule"), every | {"misfire": "retry"}, invalid, "misfire"),
        (("PUT", f"{path}/schedule"), cron | {"expression": "* * * * * *"}, invalid, "expression"),
        (("PUT", f"{path}/schedule"), cron | {"expression": "0 0 31 2 *"}, invalid, "expression"),
        (("PUT", f"{path}/schedule"), cron | {"timezone": "+01:00"}, invalid, "timezone"),
        (("POST", "/scheduler/preview"), {}, invalid, "schedule"),
        (("POST", "/scheduler/preview"), {"schedule": every, "count": 101}, invalid, "count"),
        (("POST", "/scheduler/preview"), no_zone, invalid, "schedule.timezone"),
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
            found = (reply.status, problem["error"]["code"], problem.get("field"))
            assert found == (*answer, field)
            assert reply.headers["Content-Type"] == "application/problem+json"
    assert call("GET", path).text == before
