"""Settlements through the deployed stack: their states, and files that equal the seed."""

import hashlib
import json
import os
import subprocess
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import logs
from polling import eventually
from runtime_api import program

PROJECT = Path(__file__).resolve().parent.parent

# Days on which no other test sells anything.
FIRST, LAST = "2026-01-27", "2026-01-31"
TRANSACTIONS = 5000
HEADER = b"merchant_id,date,gross,fee,net,txn_count\r\n"

UNKNOWN = f"job_{uuid.UUID(int=0)}"


@pytest.fixture(scope="module")
def sums(tmp_path_factory) -> bytes:
    """The totals of the seeded days, in the format of a settlement's file."""
    file = tmp_path_factory.mktemp("seed") / "sums.csv"
    plan = f"--until {LAST} --days 5 --transactions {TRANSACTIONS} --merchants 10 --products 10"
    command = [program("once"), "seed", *plan.split(), "--sums", file]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return file.read_bytes()


@pytest.fixture(scope="session")
def suspended(aws, functions):
    """Stops a function from taking messages for a while: `with suspended("SettlementBatch"): …`."""
    functions_api = aws("lambda")

    def enable(function: str, enabled: bool) -> None:
        name = functions[function]
        mappings = functions_api.list_event_source_mappings(FunctionName=name)
        [mapping] = [mapping["UUID"] for mapping in mappings["EventSourceMappings"]]
        functions_api.update_event_source_mapping(UUID=mapping, Enabled=enabled)

    @contextmanager
    def suspend(function: str):
        enable(function, False)
        try:
            yield
        finally:
            enable(function, True)

    return suspend


@pytest.fixture(scope="session")
def settle(call):
    """Requests a settlement of days, and returns its id."""

    def post(first: str = FIRST, last: str = LAST, query: str = "") -> str:
        reply = call("POST", f"/jobs/settlement{query}", {"from": first, "to": last})
        assert reply.status == 202, reply.text
        assert reply.headers["Location"] == f"/jobs/{reply.json['job_id']}"
        return reply.json["job_id"]

    return post


@pytest.fixture(scope="session")
def settlement(call):
    """Returns a settlement; waits until it has one of the given states, if there are any."""

    def get(job: str, *states: str) -> dict:
        def read() -> dict | None:
            found = call("GET", f"/jobs/{job}").json
            return found if not states or found["status"] in states else None

        return eventually(read, f"{job} is not {' or '.join(states)}", 0.1)

    return get


@pytest.fixture(scope="session")
def stalled(aws, settle, suspended, outputs) -> str:
    """A settlement whose message was lost, of a day without transactions."""
    with suspended("SettlementPlan"):
        job = settle("2026-01-10", "2026-01-10", "?force=true")
        aws("sqs").purge_queue(QueueUrl=outputs["SettlementPlanQueueUrl"])
    return job


@pytest.fixture(scope="module")
def completed(sums, settle, settlement) -> dict:
    """A settlement of the seeded transactions."""
    return settlement(settle(), "COMPLETED")


def curl(*arguments: str) -> bytes:
    """Returns what curl downloads."""
    command = ["curl", "--silent", "--show-error", "--fail", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def download(*arguments: str) -> bytes:
    """Returns what curl downloads from the API, with the token that may look at everything."""
    return curl("--header", f"Authorization: Bearer {os.environ['ONCE_READ_TOKEN']}", *arguments)


@pytest.mark.begins
def test_a_settlement_whose_message_was_lost_stays_queued(stalled, settlement):
    assert settlement(stalled)["status"] == "QUEUED"


def test_a_completed_settlement_has_processed_all_transactions(completed):
    assert completed["progress"] == 100
    assert (completed["processed"], completed["total"]) == (TRANSACTIONS, TRANSACTIONS)
    assert (completed["from"], completed["to"]) == (FIRST, LAST)
    assert completed["download_url"] == f"/downloads/{completed['job_id']}.csv"
    assert completed["created_at"] == completed["cutoff"] < completed["updated_at"]


def test_the_file_equals_the_sums_of_the_seed(api_url, completed, sums):
    assert sums.startswith(HEADER)
    assert download(api_url + completed["download_url"]) == sums
    assert download("--location", api_url + completed["download_url"]) == sums


def test_the_file_has_a_name_and_its_hash_as_etag(call, completed, sums):
    tag = f'"{hashlib.sha256(sums).hexdigest()}"'
    reply = call("GET", completed["download_url"])
    assert reply.headers["ETag"] == tag
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    name = f"settlement_{FIRST}_{LAST}_{completed['job_id']}.csv"
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    again = call("GET", completed["download_url"], headers={"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    other = call("GET", completed["download_url"], headers={"If-None-Match": '"another"'})
    assert other.status == 200


def test_a_large_file_is_behind_a_link(aws, api_url, settle, outputs, settlement, sums):
    done = settlement(settle(), "COMPLETED")
    # A size above the limit of a function's response, as stored with the settlement.
    aws("dynamodb").update_item(
        TableName=outputs["SettlementsTableName"],
        Key={"pk": {"S": f"JOB#{done['job_id']}"}, "sk": {"S": "JOB"}},
        UpdateExpression="SET #file.#bytes = :bytes",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={"#file": "file", "#bytes": "bytes"},
        ExpressionAttributeValues={":bytes": {"N": "5000000"}},
    )
    url, headers = api_url + done["download_url"], ["--dump-header", "-", "--output", "/dev/null"]
    direct = download(*headers, url).decode()
    assert direct.startswith("HTTP/1.1 302")
    assert f'etag: "{hashlib.sha256(sums).hexdigest()}"' in direct.lower()
    locations = [line for line in direct.splitlines() if line.lower().startswith("location: ")]
    [link] = [line.split(": ", 1)[1] for line in locations]
    assert "X-Amz-Expires=300" in link
    assert curl(link) == download("--location", url) == sums
    followed = download("--location", *headers, url).decode()
    assert f"settlement_{FIRST}_{LAST}_{done['job_id']}.csv" in followed
    # The link is signed for one method and one file.
    with pytest.raises(subprocess.CalledProcessError):
        curl("--request", "PUT", "--data", "x", link)
    with pytest.raises(subprocess.CalledProcessError):
        curl(link.replace("reports/", "parts/"))


def test_a_request_after_the_end_starts_a_new_settlement_with_the_same_file(
    api_url, completed, settle, settlement, sums
):
    job = settle()
    assert job != completed["job_id"]
    assert download(api_url + settlement(job, "COMPLETED")["download_url"]) == sums


def test_a_request_before_the_end_joins_the_settlement(
    api_url, settle, settlement, sums, suspended
):
    with suspended("SettlementBatch"):
        job = settle()
        assert settlement(job, "RUNNING")["total"] == TRANSACTIONS
        assert settle() == job
        forced = settle(query="?force=true")
        assert forced != job
        assert settle() == forced
    for one in (job, forced):
        assert download(api_url + settlement(one, "COMPLETED")["download_url"]) == sums


def test_there_is_no_file_before_the_end(settle, call, settlement, sums, suspended):
    with suspended("SettlementBatch"):
        job = settle()
        running = settlement(job, "RUNNING")
        assert (running["progress"], running["processed"]) == (0, 0)
        assert running["total"] == TRANSACTIONS
        assert "download_url" not in running
        reply = call("GET", f"/downloads/{job}.csv")
        assert (reply.status, reply.json["error"]["code"]) == (409, "JOB_NOT_FINISHED")
    done = settlement(job, "COMPLETED")
    assert call("GET", done["download_url"]).text.encode() == sums


def test_a_cancelled_settlement_stays_cancelled(
    aws, settle, call, outputs, settlement, sums, suspended
):
    with suspended("SettlementBatch"):
        job = settle()
        settlement(job, "RUNNING")
        for _ in range(2):
            reply = call("POST", f"/jobs/{job}/cancel")
            assert (reply.status, reply.json) == (200, {"message": "Job cancellation requested"})
        cancelled = settlement(job)
        assert cancelled["status"] == "CANCELLED"
    queue = outputs["SettlementBatchQueueUrl"]
    eventually(lambda: is_empty(aws, queue), "its batches are still in the queue")
    assert settlement(job) == cancelled
    reply = call("GET", f"/downloads/{job}.csv")
    assert (reply.status, reply.json["error"]["code"]) == (410, "JOB_CANCELLED")
    retried = call("POST", f"/jobs/{job}/retry")
    assert (retried.status, retried.json["error"]["code"]) == (409, "JOB_NOT_FAILED")


def is_empty(aws, queue: str) -> bool:
    """Returns whether a queue has no message, not even one that is in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return all(attributes[name] == "0" for name in names)


def test_a_completed_settlement_cannot_be_cancelled(call, completed, settlement):
    reply = call("POST", f"/jobs/{completed['job_id']}/cancel")
    assert (reply.status, reply.json["error"]["code"]) == (409, "JOB_NOT_CANCELLABLE")
    assert "COMPLETED" in reply.json["error"]["message"]
    assert settlement(completed["job_id"]) == completed


def test_settlements_are_listed_newest_first_page_by_page(
    settle, call, settlement, sums, suspended
):
    with suspended("SettlementPlan"):
        days = ("2026-01-11", "2026-01-12", "2026-01-13")
        requested = [settle(day, day) for day in days]
        # A scheduled job may have started another settlement meanwhile.
        jobs, cursor = [], ""
        while not set(requested) <= {job["job_id"] for job in jobs}:
            page = call("GET", f"/jobs?limit=2{cursor}").json
            assert len(page["jobs"]) == 2
            jobs += page["jobs"]
            cursor = f"&cursor={page['next_cursor']}"
        listed = [job for job in jobs if job["job_id"] in requested]
        assert [job["job_id"] for job in listed] == requested[::-1]
        assert listed == [settlement(job) for job in requested[::-1]]
        created = [job["created_at"] for job in jobs]
        assert created == sorted(created, reverse=True)
    for job in requested:
        settlement(job, "COMPLETED")


def test_the_file_of_days_without_transactions_is_a_header(api_url, settle, settlement):
    done = settlement(settle("2025-02-01", "2025-02-28"), "COMPLETED")
    assert (done["progress"], done["processed"], done["total"]) == (100, 0, 0)
    assert download(api_url + done["download_url"]) == HEADER


def test_a_settlement_fails_after_its_last_attempt_and_can_be_retried(
    aws, settle, api_url, call, outputs, settlement, sums, suspended
):
    with suspended("SettlementBatch"):
        job = settle()
        settlement(job, "RUNNING")

        def failed() -> bool:
            # Like a worker that ends in each of its attempts.
            aws("sqs").receive_message(
                QueueUrl=outputs["SettlementBatchQueueUrl"],
                MaxNumberOfMessages=10,
                VisibilityTimeout=0,
            )
            return settlement(job)["status"] == "FAILED"

        eventually(failed, f"{job} has not failed", 0)
        found = settlement(job)
        assert (found["error"]["code"], found["processed"]) == ("GIVEN_UP", 0)
        assert found["error"]["message"].startswith("batch 2026-01-")
        reply = call("GET", f"/downloads/{job}.csv")
        assert (reply.status, reply.json["error"]["code"]) == (410, "JOB_FAILED")
        reply = call("POST", f"/jobs/{job}/retry")
        assert (reply.status, reply.json) == (202, {"job_id": job, "status": "QUEUED"})
    done = settlement(job, "COMPLETED", "FAILED")
    assert done["status"] == "COMPLETED"
    assert "error" not in done
    assert download(api_url + done["download_url"]) == sums


def test_an_invalid_request_is_refused_with_the_name_of_the_field(call, subtests):
    day = {"from": FIRST, "to": LAST}
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()
    settle, invalid = ("POST", "/jobs/settlement"), (400, "INVALID_REQUEST")
    missing = (404, "JOB_NOT_FOUND")
    for request, body, answer, field in [
        (settle, None, invalid, "body"),
        (settle, b"from 2026-01-27", invalid, "body"),
        (settle, [], invalid, "body"),
        (settle, {"to": LAST}, invalid, "from"),
        (settle, {"from": FIRST}, invalid, "to"),
        (settle, day | {"from": None}, invalid, "from"),
        (settle, day | {"from": 20260127}, invalid, "from"),
        (settle, day | {"from": ""}, invalid, "from"),
        (settle, day | {"from": "27.01.2026"}, invalid, "from"),
        (settle, day | {"from": "2026-01-27T00:00:00Z"}, invalid, "from"),
        (settle, {"from": "2025-02-30", "to": "2025-03-01"}, invalid, "from"),
        (settle, {"from": LAST, "to": FIRST}, invalid, "from"),
        (settle, {"from": "2025-01-30", "to": LAST}, invalid, "to"),
        (settle, day | {"to": tomorrow}, invalid, "to"),
        (settle, day | {"merchant": "merchant_001"}, invalid, "merchant"),
        (("POST", "/jobs/settlement?force=perhaps"), day, invalid, "force"),
        (("GET", "/jobs?limit=0"), None, invalid, "limit"),
        (("GET", "/jobs?limit=101"), None, invalid, "limit"),
        (("GET", "/jobs?cursor=x"), None, invalid, "cursor"),
        (("GET", "/jobs/unknown"), None, invalid, "id"),
        (("GET", f"/jobs/{UNKNOWN}x"), None, invalid, "id"),
        (("POST", "/jobs/unknown/cancel"), None, invalid, "id"),
        (("POST", "/jobs/unknown/retry"), None, invalid, "id"),
        (("GET", f"/jobs/{UNKNOWN}"), None, missing, None),
        (("POST", f"/jobs/{UNKNOWN}/cancel"), None, missing, None),
        (("POST", f"/jobs/{UNKNOWN}/retry"), None, missing, None),
        (("GET", f"/downloads/{UNKNOWN}.csv"), None, missing, None),
    ]:
        with subtests.test(f"{request} {body}"):
            reply = call(*request, body)
            problem = reply.json
            found = (reply.status, problem["error"]["code"], problem.get("field"))
            assert found == (*answer, field)
            assert reply.headers["Content-Type"] == "application/problem+json"


def test_no_file_name_leads_to_another_object(call, completed, subtests):
    job = completed["job_id"]
    for name in [
        "..%2f..%2fetc%2fpasswd",
        "..%2fjobs",
        "%2e%2e",
        f"..%2freports%2f{job}.csv",
        f"reports%2f{job}.csv",
        "job_x.csv",
        "unknown.csv",
        job,
        f"{job}.CSV",
        f"{job}.csv.csv",
        f"{job}.csv%00",
        f"{job}%00.csv",
        f"%00{job}.csv",
        f"{job.upper()}.csv",
        f"{job}.csv%20",
        f"{'x' * 2000}.csv",
    ]:
        with subtests.test(name[:80]):
            reply = call("GET", f"/downloads/{name}")
            assert reply.status in (400, 404)
            assert reply.json["error"]["code"] in ("INVALID_REQUEST", "ROUTE_NOT_FOUND")
            assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.waits
def test_a_stalled_settlement_is_sent_again_once(api_url, settlement, stalled):
    done = settlement(stalled, "COMPLETED")
    assert download(api_url + done["download_url"]) == HEADER
    messages = logs.lines(stalled)
    lines = [json.loads(message) for message in messages if message.startswith("{")]
    resent = [
        line for line in lines if line.get("span", {}).get("function") == "settlement-recover"
    ]
    assert [line["level"] for line in resent] == ["INFO"]
