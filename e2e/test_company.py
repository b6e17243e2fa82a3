"""Company figures through the deployed stack: computed once for all callers, equal to the seed."""

import csv
import hashlib
import subprocess
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest

from conftest import PROCESS_LOG
from polling import eventually
from runtime_api import program

PROJECT = Path(__file__).resolve().parent.parent

KINDS = ["financials", "sales", "employee"]

# Other tests and `make run`, which has fifty merchants, sell nothing for the last two of these.
MERCHANTS = 60
COMPANY, ANOTHER = "merchant_060", "merchant_059"

# How long figures hold, in seconds, as the template has it.
TTL_S = 60
FAILURE_TTL_S = 5


@pytest.fixture(scope="session")
def sums(tmp_path_factory) -> list[dict]:
    """The totals per merchant and day of a ledger seeded for the last thirty days."""
    file = tmp_path_factory.mktemp("seed") / "sums.csv"
    plan = f"--transactions 3000 --merchants {MERCHANTS} --products {2 * MERCHANTS}".split()
    command = [program("once"), "seed", *plan, "--sums", file]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def get_figures(call):
    """Requests figures of a company: `get_figures("sales", "merchant_001")`."""

    def get(kind: str, company: str, headers: dict[str, str] | None = None):
        return call("GET", f"/api/{kind}?companyId={company}", headers=headers)

    return get


@pytest.fixture
def company(call) -> str:
    """A new company with employees and without a ledger."""
    name = f"company_{uuid.uuid4()}"
    assert (
        call("PUT", f"/companies/{name}", {"name": "Beispiel GmbH", "employees": 12}).status == 200
    )
    return name


def cents(amount: str) -> int:
    """Returns `-12.30` in cents."""
    return int(amount.replace(".", ""))


def fraction(value: dict) -> Fraction:
    """Returns a quotient of the API, which must be in lowest terms."""
    found = Fraction(value["numerator"], value["denominator"])
    assert (found.numerator, found.denominator) == (value["numerator"], value["denominator"])
    return found


def days_of(figures: dict, sums: list[dict], company: str) -> dict[str, dict]:
    """Returns the company's seeded days in the range of its figures: thirty days until today."""
    first, last = (date.fromisoformat(figures[end]) for end in ("from", "to"))
    # Midnight may pass between the request and this line.
    assert datetime.now(timezone.utc).date() - last in (timedelta(0), timedelta(days=1))
    assert last - first == timedelta(days=29)
    lines = [line for line in sums if line["merchant_id"] == company]
    days = {line["date"]: line for line in lines if figures["from"] <= line["date"]}
    assert days
    return days


def total(days: dict[str, dict], column: str) -> int:
    """Returns the sum of a column of amounts."""
    return sum(cents(day[column]) for day in days.values())


def max_age(reply) -> int:
    """Returns the seconds for which a response may be cached."""
    name, seconds = reply.headers["Cache-Control"].split("=")
    assert name == "max-age"
    return int(seconds)


def test_a_company_is_returned_as_it_was_put(call):
    path = f"/companies/company_{uuid.uuid4()}"
    assert call("GET", path).status == 404
    for name, employees in (("Beispiel GmbH", 12), ("Beispiel & Töchter", 0)):
        put = call("PUT", path, {"name": name, "employees": employees})
        assert put.status == 200
        assert put.json.keys() == {"id", "name", "employees", "updated_at"}
        assert (put.json["name"], put.json["employees"]) == (name, employees)
        got = call("GET", path)
        assert (got.status, got.json) == (200, put.json)


def test_financials_equal_the_sums_of_the_seed(get_figures, sums):
    figures = get_figures("financials", COMPANY).json
    days = days_of(figures, sums, COMPANY)
    gross, fee, net = (total(days, column) for column in ("gross", "fee", "net"))
    assert (figures["gross_cents"], figures["fee_cents"], figures["net_cents"]) == (gross, fee, net)
    assert fraction(figures["margin"]) == Fraction(net, gross)
    assert [day["date"] for day in figures["days"]] == [
        (date.fromisoformat(figures["from"]) + timedelta(days=n)).isoformat() for n in range(30)
    ]
    for day in figures["days"]:
        seeded = days.get(day["date"], {"gross": "0", "fee": "0", "net": "0"})
        assert {f"{column}_cents": cents(seeded[column]) for column in ("gross", "fee", "net")} == {
            name: value for name, value in day.items() if name != "date"
        }


def test_sales_equal_the_sums_of_the_seed(get_figures, sums):
    figures = get_figures("sales", COMPANY).json
    days = days_of(figures, sums, COMPANY)
    gross = {day: cents(line["gross"]) for day, line in days.items()}
    count = sum(int(line["txn_count"]) for line in days.values())
    assert figures["gross_cents"] == sum(gross.values())
    assert figures["sales"] + figures["reversals"] == count
    assert fraction(figures["average_ticket_cents"]) * figures["sales"] >= figures["gross_cents"]
    best = max(sorted(gross), key=gross.get)
    assert figures["best_day"] == {"date": best, "gross_cents": gross[best]}
    half = (date.fromisoformat(figures["from"]) + timedelta(days=15)).isoformat()
    earlier = sum(cents for day, cents in gross.items() if day < half)
    later = sum(cents for day, cents in gross.items() if day >= half)
    trend = figures["trend"]
    assert (trend["earlier_gross_cents"], trend["later_gross_cents"]) == (earlier, later)
    assert fraction(trend["change"]) == Fraction(later - earlier, earlier)


def test_employee_figures_divide_the_sums_of_the_seed(get_figures, call, sums):
    employees = call("GET", f"/companies/{COMPANY}").json["employees"]
    assert 1 <= employees <= 250
    figures = get_figures("employee", COMPANY).json
    assert figures["employees"] == employees
    days = days_of(figures, sums, COMPANY)
    revenue = Fraction(total(days, "net"), employees)
    assert fraction(figures["revenue_per_employee_cents"]) == revenue
    sales = get_figures("sales", COMPANY).json["sales"]
    assert fraction(figures["sales_per_employee"]) == Fraction(sales, employees)


def test_figures_are_computed_once_for_twenty_concurrent_callers(
    get_figures, aws, company, outputs, subtests
):
    for kind in KINDS:
        with subtests.test(kind), ThreadPoolExecutor(20) as callers:
            replies = list(callers.map(lambda _, kind=kind: get_figures(kind, company), range(20)))
            assert {reply.status for reply in replies} == {200}
            assert len({(reply.text, reply.headers["ETag"]) for reply in replies}) == 1
            cache_status = Counter(reply.headers["X-Once"] for reply in replies)
            assert cache_status["computed"] == 1
            assert cache_status.keys() <= {"computed", "joined", "cached"}
            assert get_figures(kind, company).headers["X-Once"] == "cached"
    key = {"pk": {"S": f"COMPANY#{company}"}, "sk": {"S": "BASE"}}
    base = aws("dynamodb").get_item(TableName=outputs["CompaniesTableName"], Key=key)["Item"]
    assert (base["state"]["S"], base["fence"]["N"]) == ("DONE", "1")


def test_figures_have_their_age_and_how_long_they_hold(get_figures, company):
    first = get_figures("financials", company)
    assert (first.status, first.headers["X-Once"]) == (200, "computed")
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["ETag"] == f'"{hashlib.sha256(first.text.encode()).hexdigest()}"'
    assert max_age(first) == TTL_S
    time.sleep(1)
    second = get_figures("financials", company)
    assert (second.text, second.headers["X-Once"]) == (first.text, "cached")
    assert int(second.headers["Age"]) >= int(first.headers["Age"]) + 1
    assert max_age(second) == TTL_S


def test_a_caller_that_has_the_figures_gets_no_body(get_figures, company):
    first = get_figures("sales", company)
    tag = first.headers["ETag"]
    again = get_figures("sales", company, {"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert int(again.headers["Age"]) >= 0
    assert max_age(again) == TTL_S
    other = get_figures("sales", company, {"If-None-Match": '"another"'})
    assert (other.status, other.text) == (200, first.text)


def test_a_quotient_with_a_zero_denominator_is_null(get_figures, call):
    name = f"company_{uuid.uuid4()}"
    call("PUT", f"/companies/{name}", {"name": "Empty", "employees": 0})
    financials, sales, employee = (get_figures(kind, name).json for kind in KINDS)
    assert (financials["gross_cents"], financials["margin"]) == (0, None)
    assert (sales["sales"], sales["average_ticket_cents"], sales["best_day"]) == (0, None, None)
    assert sales["trend"] == {"earlier_gross_cents": 0, "later_gross_cents": 0, "change": None}
    quotients = employee["revenue_per_employee_cents"], employee["sales_per_employee"]
    assert (employee["employees"], *quotients) == (0, None, None)


def test_figures_of_an_invalid_ledger_fail_until_it_is_corrected(
    get_figures, aws, company, outputs
):
    table, day = aws("dynamodb"), (datetime.now(timezone.utc) - timedelta(days=3)).date()
    key = {"pk": {"S": f"{day}#0"}, "sk": {"S": f"{company}#{uuid.uuid4()}"}}
    table.put_item(TableName=outputs["LedgerTableName"], Item=key | {"order_id": {"S": "?"}})
    try:
        replies = [get_figures(kind, company) for kind in KINDS]
    finally:
        table.delete_item(TableName=outputs["LedgerTableName"], Key=key)
    for reply in replies:
        assert (reply.status, reply.json["error"]["code"]) == (502, "COMPUTATION_FAILED")
        assert reply.json["error"]["message"].startswith("LEDGER_UNREADABLE: ")
        assert key["sk"]["S"] in reply.json["error"]["message"]
    # The failure is cached twice: with the base of the figures, and with the figures themselves.
    eventually(
        lambda: get_figures("financials", company).status == 200,
        "the figures still fail",
        timeout_s=2 * FAILURE_TTL_S,
    )


def test_an_invalid_request_is_refused_with_the_name_of_the_field(call, subtests):
    valid = {"name": "x", "employees": 1}
    invalid, missing = (400, "INVALID_REQUEST"), (404, "COMPANY_NOT_FOUND")
    requests = [
        (("PUT", "/companies/x"), None, invalid, "body"),
        (("PUT", "/companies/x"), b"name=x", invalid, "body"),
        (("PUT", "/companies/x"), [], invalid, "body"),
        (("PUT", "/companies/x"), {"name": "x"}, invalid, "employees"),
        (("PUT", "/companies/x"), {"employees": 1}, invalid, "name"),
        (("PUT", "/companies/x"), valid | {"name": ""}, invalid, "name"),
        (("PUT", "/companies/x"), valid | {"name": "x" * 201}, invalid, "name"),
        (("PUT", "/companies/x"), valid | {"employees": -1}, invalid, "employees"),
        (("PUT", "/companies/x"), valid | {"employees": 10_000_001}, invalid, "employees"),
        (("PUT", "/companies/x"), valid | {"employees": "1"}, invalid, "employees"),
        (("PUT", "/companies/x"), valid | {"id": "y"}, invalid, "id"),
        (("PUT", "/companies/a%23b"), valid, invalid, "id"),
        (("PUT", f"/companies/{'x' * 65}"), valid, invalid, "id"),
        (("GET", "/companies/a%20b"), None, invalid, "id"),
        (("GET", "/companies/unknown"), None, missing, None),
    ]
    for kind in KINDS:
        requests += [
            (("GET", f"/api/{kind}"), None, invalid, "companyId"),
            (("GET", f"/api/{kind}?companyId="), None, invalid, "companyId"),
            (("GET", f"/api/{kind}?companyId=x&companyId=y"), None, invalid, "companyId"),
            (("GET", f"/api/{kind}?companyId=a%23b"), None, invalid, "companyId"),
            (("GET", f"/api/{kind}?companyId={'x' * 65}"), None, invalid, "companyId"),
            (("GET", f"/api/{kind}?companyId=x&days=7"), None, invalid, "days"),
            (("GET", f"/api/{kind}?companyId=unknown"), None, missing, None),
            (("POST", f"/api/{kind}?companyId=x"), {}, (405, "METHOD_NOT_ALLOWED"), None),
        ]
    for request, body, answer, field in requests:
        with subtests.test(f"{request} {body}"):
            reply = call(*request, body)
            problem = reply.json
            found = (reply.status, problem["error"]["code"], problem.get("field"))
            assert found == (*answer, field)
            assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
def callers() -> int:
    """Callers at once. One interpreter serves all calls of a local cloud: more would time out."""
    return 100 if PROCESS_LOG else 20


@pytest.mark.loads
def test_concurrent_callers_get_the_same_figures(api_url, sums, callers):
    command = [program("once"), "load", "figures", "--url", api_url, "--callers", str(callers)]
    result = subprocess.run(
        [*command, "--company", ANOTHER],
        cwd=PROJECT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(result.stdout)
    assert result.returncode == 0
    assert "same figures" in result.stdout
