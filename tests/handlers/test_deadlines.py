"""Steps and their limits, the night's quiet, what is overdue."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers import deadlines, reminders
from handlers.context import Context
from handlers.rules import Deadlines, Limits, Reminders, Rules
from storage.database import Database
from storage.tables import Ticket
from tests.support.street import ZONE, Street, make_world

NOW = datetime(2026, 7, 13, 2, 0, tzinfo=UTC)
_WORLD = make_world()
LIMITS = Limits(accept=15, arrive=60, solve=600)


def _context(rules: Rules, now: datetime = NOW) -> Context:
    return Context(None, now, replace(_WORLD, rules=rules))  # type: ignore[arg-type]  no database is asked


def _ticket(state: str = "reported", **more: object) -> Ticket:
    return Ticket(**{"state": state, "urgency": 2, "clock_from": NOW, "reminders": 0} | more)


@pytest.mark.parametrize(
    ("ticket", "wanted"),
    [
        (_ticket(), ("accept", 15)),
        (_ticket("accepted"), ("accept", 15)),  # by the bot, not yet by a person
        (_ticket("accepted", accepted_at=NOW), ("arrive", 60)),
        (_ticket("dispatched", accepted_at=NOW), ("arrive", 60)),
        (_ticket("in_progress", accepted_at=NOW, arrived_at=NOW), ("solve", 600)),
        (_ticket("pending_check", accepted_at=NOW), ("solve", 600)),
        (_ticket("suspended"), None),
        (_ticket("closed"), None),
    ],
)
def test_steps(ticket: Ticket, wanted: tuple[str, float] | None) -> None:
    assert deadlines.step_of(ticket, LIMITS) == wanted


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        (Limits(accept=0, arrive=60, solve=600), ("arrive", 60)),
        (Limits(accept=0, arrive=0, solve=600), ("solve", 600)),
        (Limits(accept=0, arrive=0, solve=0), None),
    ],
)
def test_a_limit_of_nothing_is_passed_over(limits: Limits, wanted: tuple[str, float] | None) -> None:
    assert deadlines.step_of(_ticket(), limits) == wanted


def test_defaults_are_those_of_the_design() -> None:
    limits = Deadlines()
    assert limits.of(3) == Limits(accept=3, arrive=30, solve=120)
    assert limits.of(2) == Limits(accept=15, arrive=60, solve=24 * 60)
    routine = Limits(clock="working", accept=60, arrive=0, solve=3 * 8 * 60)
    assert limits.of(1) == limits.of(0) == limits.of(1, "service", "residents") == routine
    assert limits.of(1, "dispute").solve == 5 * 8 * 60
    assert limits.of(2, "dispute") == limits.of(2)


def test_a_step_that_begins_late_is_not_late_at_once() -> None:
    ticket = _ticket("accepted", accepted_at=NOW)
    late = _context(Rules(), NOW + timedelta(hours=5))
    deadlines.schedule(late, ticket)
    assert ticket.deadline_at == NOW + timedelta(minutes=60)
    assert ticket.due_at == late.now + timedelta(minutes=30)


def test_reminders_stay_while_the_step_does() -> None:
    ticket = _ticket()
    deadlines.schedule(_context(Rules()), ticket)
    ticket.reminders, ticket.due_at = 2, NOW + timedelta(hours=9)
    deadlines.schedule(_context(Rules(), NOW + timedelta(hours=1)), ticket)
    assert (ticket.reminders, ticket.due_at) == (2, NOW + timedelta(hours=9))
    ticket.state, ticket.accepted_at = "accepted", NOW
    deadlines.schedule(_context(Rules(), NOW + timedelta(hours=1)), ticket)
    assert (ticket.due_kind, ticket.reminders) == ("arrive", 0)


QUIET = [
    ("22:00", "07:00", "21:59", None),
    ("22:00", "07:00", "22:00", "14 07:00"),
    ("22:00", "07:00", "23:59", "14 07:00"),
    ("22:00", "07:00", "00:00", "13 07:00"),
    ("22:00", "07:00", "06:59", "13 07:00"),
    ("22:00", "07:00", "07:00", None),
    ("12:30", "14:00", "13:00", "13 14:00"),
    ("12:30", "14:00", "14:00", None),
    ("00:00", "06:00", "05:00", "13 06:00"),
    ("08:00", "08:00", "08:00", None),  # never quiet
]


@pytest.mark.parametrize(("start", "end", "now", "wanted"), QUIET)
def test_quiet_hours(start: str, end: str, now: str, wanted: str | None) -> None:
    quiet = Reminders(quiet_from=time.fromisoformat(start), quiet_until=time.fromisoformat(end))
    local = datetime.combine(datetime(2026, 7, 13, tzinfo=ZONE), time.fromisoformat(now), tzinfo=ZONE)
    found = deadlines.quiet_end(_context(Rules(reminders=quiet), local.astimezone(UTC)))
    assert (found.strftime("%d %H:%M") if found else None) == wanted


@given(st.times(), st.times(), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_quiet_ends_within_a_day_and_then_it_is_not_quiet(start: time, end: time, at: datetime) -> None:
    rules = Rules(reminders=Reminders(quiet_from=start, quiet_until=end))
    now = at.replace(tzinfo=UTC)
    found = deadlines.quiet_end(_context(rules, now))
    if found is not None:
        assert now < found <= now + timedelta(days=1)
        assert deadlines.quiet_end(_context(rules, found)) is None


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def test_the_clock_stands_still_while_suspended(street: Street) -> None:
    street.say("river", "tang", "江岸大厦进水了")
    street.say("river", "zhou", "#到场")
    before = street.tickets()[0].deadline_at
    street.clock.move(minutes=10)
    street.say("river", "pu", "#挂起 等水退")
    assert street.tickets()[0].due_at is None
    street.clock.move(hours=30)
    street.say("river", "zhou", "#恢复")
    ticket = street.tickets()[0]
    assert before is not None
    assert ticket.deadline_at == before + timedelta(hours=30)


def test_danger_during_a_suspension_counts_from_then(street: Street) -> None:
    street.say("river", "tang", "江岸大厦进水了")
    street.say("river", "zhou", "#到场")
    street.say("river", "pu", "#挂起 等水退")
    street.clock.move(hours=5)
    street.say("river", "tang", "江岸大厦有人被困")
    ticket = street.tickets()[0]
    assert ticket.deadline_at == street.clock.now + timedelta(minutes=120)


def test_reopened_counts_anew(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结 换了")
    street.clock.move(hours=50)
    street.say("river", "tang", "#不满意 又黑了")
    ticket = street.tickets()[0]
    # Wednesday noon: three working days are over on Monday noon.
    assert ticket.deadline_at == street.clock.now + timedelta(days=5)
    assert (ticket.closed_at, ticket.resolution, ticket.satisfied) == (None, None, False)
    street.say("river", "zhou", "#办结 换了新的")
    assert street.tickets()[0].satisfied is None


def test_a_sweep_looks_at_no_more_than_asked(street: Street) -> None:
    for number in ("3", "5"):
        street.say("stairs", "peng", f"石梯坎{number}号水管爆了")
    street.clock.move(hours=2)
    with street.context() as ctx:
        assert reminders.sweep(ctx, limit=1) == 1
        assert reminders.sweep(ctx, limit=5) == 1
        assert reminders.sweep(ctx, limit=5) == 0
