"""Whatever happens to a ticket, its deadline is what its events make of it, counted minute by minute."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handlers import reports
from handlers.rules import Deadlines
from handlers.workdays import USUAL, is_working_day
from storage import tickets as store
from storage.database import Database
from storage.tables import Ticket, TicketEvent
from tests.support.street import ZONE, Street

_EPOCH = datetime(2026, 6, 25, tzinfo=UTC)
_SPAN = 100 * 24 * 60  # minutes
_MINUTE = timedelta(minutes=1)


def _worked(minute: int) -> bool:
    local = (_EPOCH + minute * _MINUTE).astimezone(ZONE)
    return is_working_day(local.date()) and any(begin <= local.time() < end for begin, end in USUAL)


_WORKED = [_worked(minute) for minute in range(_SPAN)]
_ALWAYS = [True] * _SPAN
_RESTARTS = {"open", "raise", "reopen", "restore", "unmerge"}


def _minute(instant: datetime) -> int:
    return round((instant - _EPOCH) / _MINUTE)


def _slow(events: Sequence[TicketEvent], label: str) -> datetime | None:
    """The deadline by the events alone."""
    state, urgency, extended = "", int(events[0].data.get("urgency", 0)), 0
    accepted = arrived = False
    pieces: list[
        list[int]
    ] = []  # [from, until] of the time that counts; until is -1 for the last, still running
    for event in events:
        changed = event.data.get("changed", {})
        before, state = state, event.to_state or state
        urgency = changed.get("urgency", [0, urgency])[1]
        accepted = accepted or "accepted_at" in changed
        arrived = arrived or "arrived_at" in changed
        runs = state not in {"suspended", "closed"}
        if event.action in _RESTARTS:
            pieces, extended = ([[_minute(event.at), -1]] if runs else []), 0
            began = _minute(event.at)
        elif before == "suspended" and runs:
            pieces.append([_minute(event.at), -1])
            began = _minute(event.at)
        elif before != "suspended" and state == "suspended":
            pieces[-1][1] = _minute(event.at)
        extended += event.data["minutes"] if event.action == "extend" else 0
    if state in {"suspended", "closed"}:
        return None
    limits = Deadlines().of(urgency, label)
    limit = limits.solve + extended
    if not arrived and limits.arrive and state != "pending_check":
        limit = limits.arrive
    if not accepted and state in {"reported", "accepted"}:
        limit = limits.accept
    counts = _WORKED if limits.clock == "working" else _ALWAYS
    left = int(limit) - sum(sum(counts[begin:end]) for begin, end in pieces if end >= 0)
    return _EPOCH + _reached(counts, began, left) * _MINUTE


def _reached(counts: list[bool], minute: int, left: int) -> int:
    """So many counted minutes on, or back; the end of the one that is reached."""
    while left > 0:
        left -= counts[minute]
        minute += 1
    while left < 0:
        minute -= 1
        left += counts[minute]
    while not counts[minute - 1]:
        minute -= 1
    return minute


# What changes something in a state, and a little that must not.
_AT_WORK = (
    "pu #延期 2小时 等料",
    "pu #延期 1天 等料",
    "zhou #延期 半天 等料",
    "pu #延期 同意",
    "raise 2",
    "raise 3",
)
STEPS = {
    "reported": (
        "zhou #接单",
        "zhou #接单",
        "zhou #到场",
        "zhou #派单 何志愿",
        "raise 2",
        "pu #延期 1天 等料",
    ),
    "accepted": ("zhou #到场", "zhou #到场", "zhou #派单 何志愿", "zhou #接单", *_AT_WORK),
    "dispatched": ("zhou #到场", "zhou #到场", "zhou #改类 纠纷", *_AT_WORK),
    "in_progress": (
        *["pu #挂起 等料"] * 5,
        "zhou #办结 好了",
        "zhou #办结 好了",
        "zhou #改类 纠纷",
        *_AT_WORK,
    ),
    "suspended": (*["zhou #恢复"] * 5, "raise 2", "raise 3", "zhou #办结 好了", "pu #延期 同意"),
    "pending_check": ("pu #办结 好了", "pu #退回 没好", "raise 3"),
    "closed": ("tang #不满意 没好", "pu #恢复", "pu #延期 1天 等料"),
}
WAITS = st.one_of(
    st.just(0), st.integers(1, 90), st.integers(90, 1500), st.sampled_from((24 * 60, 3 * 24 * 60))
)


@given(
    st.sampled_from(("门口路灯坏了", "江岸大厦进水了", "两家吵架")),
    st.integers(0, 7 * 24 * 60),
    st.lists(st.tuples(st.integers(0, 59), WAITS), min_size=5, max_size=14),
)
# An extension does not outlive the closing: accepted, arrived, extended, closed, reopened.
@example("门口路灯坏了", 0, [(0, 5), (0, 5), (9, 60), (5, 60), (0, 90)])
# Over a night: suspended in the evening, taken up again before the morning.
@example("门口路灯坏了", 0, [(0, 5), (0, 5), (0, 400), (0, 700), (0, 60)])
@settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_the_deadline_is_what_the_events_make_of_it(
    sqlite_template: Path, text: str, begin: int, steps: list[tuple[int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "schedule.db"
        file.write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite:///{file}", durable=False)
        try:
            _play(Street(database), text, begin, steps)
        finally:
            database.close()


def _play(street: Street, text: str, begin: int, steps: list[tuple[int, int]]) -> None:
    street.clock.move(minutes=begin)
    street.say("river", "tang", text)
    _compare(street)
    for step, wait in steps:
        street.clock.move(minutes=wait)
        street.sweep()
        ways = STEPS[street.tickets()[0].state]
        who, _, words = ways[step % len(ways)].partition(" ")
        if who == "raise":
            _raise(street, int(words))
        else:
            street.say("river", who, words)
        _compare(street)
    assert street.intake.failed == 0


def _raise(street: Street, urgency: int) -> None:
    with street.context() as ctx:
        ticket = store.locked(ctx.session, street.tickets()[0].id)
        if ticket.state != "closed" and ticket.urgency < urgency:
            reports.raise_urgency(ctx, ticket, street.incoming("river", "tang", "更急了"), urgency)


def _compare(street: Street) -> None:
    ticket: Ticket = street.tickets()[0]
    events = street.events(ticket.id)
    if "urgency" not in events[0].data:  # what it was opened with is no change
        later = [e.data["changed"]["urgency"][0] for e in events if "urgency" in e.data.get("changed", {})]
        events[0].data = {**events[0].data, "urgency": later[0] if later else ticket.urgency}
    assert ticket.deadline_at == _slow(events, ticket.label)


@pytest.mark.parametrize("minutes", [0, 30, 300])
def test_a_ticket_is_not_due_before_it_may_be(sqlite_url: str, minutes: int) -> None:
    """What is due next is never later than the deadline, unless the step began too late for it."""
    database = Database(sqlite_url, durable=False)
    street = Street(database)
    street.say("river", "tang", "江岸大厦进水了")
    street.clock.move(minutes=minutes)
    street.say("river", "zhou", "#接单")
    ticket = street.tickets()[0]
    database.close()
    assert ticket.due_at is not None and ticket.deadline_at is not None
    late = street.clock.now + timedelta(minutes=30) > ticket.deadline_at
    assert (ticket.due_at > ticket.deadline_at) == (late and minutes != 30)
    assert ticket.due_at > street.clock.now
