"""Settlements through the deployed stack: jobs that its queues carry, files that are held against the seed's sums."""

import hashlib
import subprocess
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from patience import eventually

PROJECT = Path(__file__).resolve().parent.parent

# Days on which nobody else sells anything.
FIRST, LAST = "2026-01-27", "2026-01-31"
TRANSACTIONS = 5000
HEADER = b"merchant_id,date,gross,fee,net,txn_count\r\n"

UNKNOWN = f"job_{uuid.UUID(int=0)}"


@pytest.fixture(scope="module")
def sums(tmp_path_factory) -> bytes:
    """What the ledger's days come to, as the program says that has filled them."""
    file = tmp_path_factory.mktemp("seed") / "sums.csv"
    which = f"--until {LAST} --days 5 --transactions {TRANSACTIONS} --merchants 10 --products 10".split()
    command = ["cargo", "run", "--quiet", "-p", "seed", "--", *which, "--sums", file]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return file.read_bytes()


@pytest.fixture(scope="session")
def without(aws, functions):
    """Holds the work of a queue up for a while: `with without("SettlementBatch"): …`."""
    functions_api = aws("lambda")

    def switch(function: str, on: bool) -> None:
        mappings = functions_api.list_event_source_mappings(FunctionName=functions[function])["EventSourceMappings"]
        [mapping] = [mapping["UUID"] for mapping in mappings]
        functions_api.update_event_source_mapping(UUID=mapping, Enabled=on)

    @contextmanager
    def held(function: str):
        switch(function, False)
        try:
            yield
        finally:
            switch(function, True)

    return held


@pytest.fixture(scope="session")
def ask(call):
    """Has days settled, and answers the job's id."""

    def post(first: str = FIRST, last: str = LAST, query: str = "") -> str:
        reply = call("POST", f"/jobs/settlement{query}", {"from": first, "to": last})
        assert reply.status == 202, reply.text
        assert reply.headers["Location"] == f"/jobs/{reply.json['job_id']}"
        return reply.json["job_id"]

    return post


@pytest.fixture(scope="module")
def standing(call):
    """Looks at a job; waits until it is in one of some states, if any are given."""

    def get(job: str, *states: str) -> dict:
        def look() -> dict | None:
            found = call("GET", f"/jobs/{job}").json
            return found if not states or found["status"] in states else None

        return eventually(look, f"{job} is not {' or '.join(states)}", 0.2)

    return get


@pytest.fixture(scope="session")
def lost(aws, ask, without, outputs) -> str:
    """A job whose message is lost, of a day without transactions."""
    with without("SettlementPlan"):
        job = ask("2026-01-10", "2026-01-10", "?force=true")
        aws("sqs").purge_queue(QueueUrl=outputs["SettlementPlanQueueUrl"])
    return job


@pytest.fixture(scope="module")
def finished(sums, ask, standing) -> dict:
    """A job that has settled the seed's transactions."""
    return standing(ask(), "COMPLETED")


def curl(*arguments: str) -> bytes:
    """What curl downloads."""
    command = ["curl", "--silent", "--show-error", "--fail", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


@pytest.mark.begins
def test_a_job_whose_message_was_lost_waits(lost, standing):
    assert standing(lost)["status"] == "QUEUED"


def test_a_finished_job_is_all_done(finished):
    assert (finished["progress"], finished["processed"], finished["total"]) == (100, TRANSACTIONS, TRANSACTIONS)
    assert (finished["from"], finished["to"]) == (FIRST, LAST)
    assert finished["download_url"] == f"/downloads/{finished['job_id']}.csv"
    assert finished["created_at"] == finished["cutoff"] < finished["updated_at"]


def test_its_file_says_what_the_seed_says(api_url, finished, sums):
    assert sums.startswith(HEADER)
    assert curl(api_url + finished["download_url"]) == sums
    assert curl("--location", api_url + finished["download_url"]) == sums


def test_its_file_is_named_and_known_by_its_hash(call, finished, sums):
    tag = f'"{hashlib.sha256(sums).hexdigest()}"'
    reply = call("GET", finished["download_url"])
    assert reply.headers["ETag"] == tag
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    name = f"settlement_{FIRST}_{LAST}_{finished['job_id']}.csv"
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    again = call("GET", finished["download_url"], headers={"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert call("GET", finished["download_url"], headers={"If-None-Match": '"another"'}).status == 200


def test_a_large_file_is_behind_a_link(aws, api_url, ask, outputs, standing, sums):
    done = standing(ask(), "COMPLETED")
    # More than a function may answer, as far as the job knows.
    aws("dynamodb").update_item(
        TableName=outputs["SettlementsTableName"],
        Key={"pk": {"S": f"JOB#{done['job_id']}"}, "sk": {"S": "JOB"}},
        UpdateExpression="SET #file.#bytes = :bytes",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={"#file": "file", "#bytes": "bytes"},
        ExpressionAttributeValues={":bytes": {"N": "5000000"}},
    )
    url, headers = api_url + done["download_url"], ["--dump-header", "-", "--output", "/dev/null"]
    direct = curl(*headers, url).decode()
    assert direct.startswith("HTTP/1.1 302")
    assert f'etag: "{hashlib.sha256(sums).hexdigest()}"' in direct.lower()
    [link] = [line.split(": ", 1)[1] for line in direct.splitlines() if line.lower().startswith("location: ")]
    assert "X-Amz-Expires=300" in link
    assert curl(link) == curl("--location", url) == sums
    followed = curl("--location", *headers, url).decode()
    assert f"settlement_{FIRST}_{LAST}_{done['job_id']}.csv" in followed
    # What it is signed for is all that it is good for.
    with pytest.raises(subprocess.CalledProcessError):
        curl("--request", "PUT", "--data", "x", link)
    with pytest.raises(subprocess.CalledProcessError):
        curl(link.replace("reports/", "parts/"))


def test_asking_again_after_the_end_makes_a_new_job_with_the_same_file(api_url, finished, ask, standing, sums):
    job = ask()
    assert job != finished["job_id"]
    assert curl(api_url + standing(job, "COMPLETED")["download_url"]) == sums


def test_asking_again_before_the_end_joins_the_job(api_url, ask, call, standing, sums, without):
    with without("SettlementBatch"):
        job = ask()
        assert standing(job, "RUNNING")["total"] == TRANSACTIONS
        assert ask() == job
        forced = ask(query="?force=true")
        assert forced != job
        assert ask() == forced
    for one in (job, forced):
        assert curl(api_url + standing(one, "COMPLETED")["download_url"]) == sums


def test_there_is_no_file_before_the_end(ask, call, standing, sums, without):
    with without("SettlementBatch"):
        job = ask()
        running = standing(job, "RUNNING")
        assert (running["progress"], running["processed"], running["total"]) == (0, 0, TRANSACTIONS)
        assert "download_url" not in running
        reply = call("GET", f"/downloads/{job}.csv")
        assert (reply.status, reply.json["error"]["code"]) == (409, "JOB_NOT_FINISHED")
    assert call("GET", standing(job, "COMPLETED")["download_url"]).text.encode() == sums


def test_a_cancelled_job_stays_cancelled(aws, ask, call, outputs, standing, sums, without):
    with without("SettlementBatch"):
        job = ask()
        standing(job, "RUNNING")
        for _ in range(2):
            reply = call("POST", f"/jobs/{job}/cancel")
            assert (reply.status, reply.json) == (200, {"message": "Job cancellation requested"})
        cancelled = standing(job)
        assert cancelled["status"] == "CANCELLED"
    eventually(lambda: is_empty(aws, outputs["SettlementBatchQueueUrl"]), "its batches are still there")
    assert standing(job) == cancelled
    reply = call("GET", f"/downloads/{job}.csv")
    assert (reply.status, reply.json["error"]["code"]) == (410, "JOB_CANCELLED")
    retried = call("POST", f"/jobs/{job}/retry")
    assert (retried.status, retried.json["error"]["code"]) == (409, "JOB_NOT_FAILED")


def is_empty(aws, queue: str) -> bool:
    """No message of the queue is waiting or under way."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return all(counts[name] == "0" for name in names)


def test_a_completed_job_cannot_be_cancelled(call, finished, standing):
    reply = call("POST", f"/jobs/{finished['job_id']}/cancel")
    assert (reply.status, reply.json["error"]["code"]) == (409, "JOB_NOT_CANCELLABLE")
    assert "COMPLETED" in reply.json["error"]["message"]
    assert standing(finished["job_id"]) == finished


def test_jobs_are_listed_newest_first_page_by_page(ask, call, standing, without):
    with without("SettlementPlan"):
        asked = [ask(day, day) for day in ("2026-01-11", "2026-01-12", "2026-01-13")]
        first = call("GET", "/jobs?limit=2").json
        second = call("GET", f"/jobs?limit=1&cursor={first['next_cursor']}").json
        listed = first["jobs"] + second["jobs"]
        assert [job["job_id"] for job in listed] == asked[::-1]
        assert listed == [standing(job) for job in asked[::-1]]
    for job in asked:
        standing(job, "COMPLETED")


def test_days_without_transactions_come_to_a_header(api_url, ask, standing):
    done = standing(ask("2025-02-01", "2025-02-28"), "COMPLETED")
    assert (done["progress"], done["processed"], done["total"]) == (100, 0, 0)
    assert curl(api_url + done["download_url"]) == HEADER


def test_a_job_that_is_tried_too_often_fails_and_can_be_tried_again(
    aws, ask, api_url, call, outputs, standing, sums, without
):
    with without("SettlementBatch"):
        job = ask()
        standing(job, "RUNNING")

        def failed() -> bool:
            # As a worker that dies at each of its tries.
            aws("sqs").receive_message(
                QueueUrl=outputs["SettlementBatchQueueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            return standing(job)["status"] == "FAILED"

        eventually(failed, f"{job} has not failed", 0)
        found = standing(job)
        assert (found["error"]["code"], found["processed"]) == ("GIVEN_UP", 0)
        assert found["error"]["message"].startswith("batch 2026-01-")
        reply = call("GET", f"/downloads/{job}.csv")
        assert (reply.status, reply.json["error"]["code"]) == (410, "JOB_FAILED")
        reply = call("POST", f"/jobs/{job}/retry")
        assert (reply.status, reply.json) == (202, {"job_id": job, "status": "QUEUED"})
    done = standing(job, "COMPLETED", "FAILED")
    assert done["status"] == "COMPLETED"
    assert "error" not in done
    assert curl(api_url + done["download_url"]) == sums


def test_bad_requests_are_refused_by_name(call, subtests):
    day = {"from": FIRST, "to": LAST}
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()
    settle, invalid = ("POST", "/jobs/settlement"), (400, "INVALID_REQUEST")
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
        (("GET", f"/jobs/{UNKNOWN}"), None, (404, "JOB_NOT_FOUND"), None),
        (("POST", f"/jobs/{UNKNOWN}/cancel"), None, (404, "JOB_NOT_FOUND"), None),
        (("POST", f"/jobs/{UNKNOWN}/retry"), None, (404, "JOB_NOT_FOUND"), None),
        (("GET", f"/downloads/{UNKNOWN}.csv"), None, (404, "JOB_NOT_FOUND"), None),
    ]:
        with subtests.test(f"{request} {body}"):
            reply = call(*request, body)
            problem = reply.json
            assert (reply.status, problem["error"]["code"], problem.get("field")) == (*answer, field)
            assert reply.headers["Content-Type"] == "application/problem+json"


def test_no_name_of_a_file_leads_anywhere_else(call, finished, subtests):
    job = finished["job_id"]
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
def test_a_job_whose_message_was_lost_is_asked_for_again(api_url, log_messages, lost, standing):
    done = standing(lost, "COMPLETED")
    assert curl(api_url + done["download_url"]) == HEADER
    lines = [line for line in log_messages(filterPattern=f'"{lost}"') if "its work was asked for again" in line]
    assert len(lines) == 1
