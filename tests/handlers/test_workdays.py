"""Working time against counting it minute by minute; holidays, make-up days, ends of months and years."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from handlers.rules import Rules
from handlers.workdays import USUAL, AllTime, Span, TimeCount, WorkingTime, is_working_day, known
from tests.support.street import ZONE

WORK = WorkingTime(ZONE)
MINUTE = timedelta(minutes=1)
# A year that the calendar knows and the one after it.
INSTANTS = st.datetimes(datetime(2025, 12, 20), datetime(2027, 2, 1)).map(  # noqa: DTZ001
    lambda found: found.replace(tzinfo=UTC)
)
MINUTES = st.one_of(
    st.sampled_from((0.0, 1.0, 60.0, 240.0, 480.0, 1440.0, 2400.0)), st.floats(0, 5000, allow_nan=False)
)
COUNTS: st.SearchStrategy[TimeCount] = st.sampled_from(
    (
        WORK,
        AllTime(),
        WorkingTime(ZONE, ((time(0), time(23, 59)),)),
        WorkingTime(ZONE, ((time(8, 30), time(11, 45)), (time(13), time(17)), (time(19), time(20)))),
        WorkingTime(ZoneInfo("Europe/Berlin"), ((time(1), time(5)), (time(22), time(23, 30)))),
    )
)
_PROPERTY = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def at(text: str) -> datetime:
    """2026-07-13 09:00 in the street."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def shown(instant: datetime) -> str:
    return f"{instant.astimezone(ZONE):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "minutes", "wanted"),
    [
        ("2026-07-13 09:00", 60, "2026-07-13 10:00"),
        ("2026-07-13 11:30", 60, "2026-07-13 14:30"),  # over noon
        ("2026-07-13 11:00", 60, "2026-07-13 12:00"),  # the end of a span belongs to it
        ("2026-07-13 12:00", 0, "2026-07-13 12:00"),
        ("2026-07-13 13:00", 0, "2026-07-13 14:00"),
        ("2026-07-13 17:30", 60, "2026-07-14 08:30"),
        ("2026-07-13 23:59", 60, "2026-07-14 09:00"),
        ("2026-07-17 17:00", 120, "2026-07-20 09:00"),  # over a weekend
        ("2026-07-13 10:00", 1440, "2026-07-16 10:00"),
        ("2026-07-13 20:00", 1440, "2026-07-16 18:00"),
        ("2026-07-31 17:00", 120, "2026-08-03 09:00"),  # the end of a month
        ("2026-09-30 17:00", 120, "2026-10-08 09:00"),  # 国庆: from 1 to 7 October
        ("2026-10-09 17:00", 120, "2026-10-10 09:00"),  # a Saturday that makes up for it
        ("2026-09-19 10:00", 60, "2026-09-20 09:00"),  # and a Sunday
        ("2026-02-13 17:00", 120, "2026-02-14 09:00"),  # 春节: a Saturday worked before it ...
        ("2026-02-14 17:00", 120, "2026-02-24 09:00"),  # ... free from 15 to 23 February
        ("2026-02-27 17:00", 120, "2026-02-28 09:00"),  # ... and one after it
        ("2026-12-31 17:00", 120, "2027-01-01 09:00"),  # beyond the calendar: New Year is a Friday
        ("2027-10-01 17:00", 120, "2027-10-04 09:00"),
    ],
)
def test_working_time_goes_on(start: str, minutes: float, wanted: str) -> None:
    assert shown(WORK.add(at(start), minutes)) == wanted


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-07-13 09:00", "2026-07-13 10:00", 60),
        ("2026-07-13 10:00", "2026-07-13 09:00", 0),
        ("2026-07-13 12:00", "2026-07-13 14:00", 0),
        ("2026-07-13 00:00", "2026-07-14 00:00", 480),
        ("2026-10-01 00:00", "2026-10-08 00:00", 0),
        ("2026-02-09 00:00", "2026-02-16 00:00", 6 * 480),
        ("2025-12-31 17:00", "2026-01-04 09:00", 120),  # 4 January 2026 is a worked Sunday
        ("2026-12-31 17:00", "2027-01-01 09:00", 120),
    ],
)
def test_working_time_between(start: str, end: str, minutes: float) -> None:
    assert WORK.between(at(start), at(end)) == minutes


def _by_minutes(spans: tuple[Span, ...], start: datetime, end: datetime) -> int:
    """Counted one by one."""
    counted, instant = 0, start
    while instant < end:
        local = instant.astimezone(ZONE)
        if is_working_day(local.date()):
            counted += any(begin <= local.time() < finish for begin, finish in spans)
        instant += MINUTE
    return counted


@given(INSTANTS, st.integers(0, 6000))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_as_counted_minute_by_minute(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)
    end = start + timedelta(minutes=minutes)
    worked = _by_minutes(USUAL, start, end)
    assert WORK.between(start, end) == worked
    finished = WORK.add(start, worked)
    assert finished <= end or worked == 0
    assert _by_minutes(USUAL, start, finished) == worked


@given(COUNTS, INSTANTS, MINUTES)
@_PROPERTY
def test_there_and_back(count: TimeCount, start: datetime, minutes: float) -> None:
    end = count.add(start, minutes)
    assert end >= start
    assert count.within(end)
    assert count.between(start, end) == pytest.approx(minutes, abs=1e-6)
    begun = count.back(end, minutes)
    assert begun <= end
    assert count.within(begun)
    assert count.between(begun, end) == pytest.approx(minutes, abs=1e-6)
    assert abs((count.add(begun, minutes) - end) / MINUTE) < 1e-6 or not minutes


@given(COUNTS, INSTANTS, INSTANTS, MINUTES)
@_PROPERTY
def test_later_stays_later(count: TimeCount, one: datetime, other: datetime, minutes: float) -> None:
    first, second = sorted((one, other))
    assert count.add(first, minutes) <= count.add(second, minutes)
    assert count.back(first, minutes) <= count.back(second, minutes)
    assert count.add(first, minutes) <= count.add(first, minutes + 1)
    assert count.between(second, first) == 0 or first == second
    assert count.between(first, second) <= (second - first) / MINUTE + 1e-9


@given(COUNTS, INSTANTS, INSTANTS, INSTANTS)
@_PROPERTY
def test_pieces_make_the_whole(count: TimeCount, one: datetime, two: datetime, three: datetime) -> None:
    first, second, third = sorted((one, two, three))
    pieces = count.between(first, second) + count.between(second, third)
    assert pieces == pytest.approx(count.between(first, third), abs=1e-6)


def test_beyond_the_calendar_weekends_only() -> None:
    assert known(2026) and not known(1999) and not known(2099)
    days = [date(2099, 10, 1) + timedelta(days=n) for n in range(14)]
    assert [is_working_day(day) for day in days] == [day.weekday() < 5 for day in days]


def test_a_day_is_as_long_as_its_spans() -> None:
    assert WORK.day_minutes == 480
    assert WorkingTime(ZONE, ((time(9), time(12)), (time(13), time(16, 30)))).day_minutes == 390
    assert shown(WORK.end_of(date(2026, 7, 18))) == "2026-07-18 18:00"


def test_hours_as_settings() -> None:
    rules = Rules.model_validate({"working_hours": ["09:00-12:00", "13:00-17:30"]})
    assert rules.working_hours == ((time(9), time(12)), (time(13), time(17, 30)))
    assert Rules.model_validate(rules.model_dump()) == rules
    assert Rules().working_hours == USUAL


@pytest.mark.parametrize(
    "hours", [[], ["9-12"], ["12:00-08:00"], ["08:00-12:00", "11:00-15:00"], ["08:00-08:00"], ["25:00-26:00"]]
)
def test_hours_that_make_no_sense(hours: list[str]) -> None:
    with pytest.raises(ValidationError):
        Rules.model_validate({"working_hours": hours})
