"""What became of each ticket: how it stood at an instant, and what had happened to it by then.

A ticket's row tells how it stands now. Each event tells what it changed (`data["changed"]`) and which promise
ran before and since (`data["promise"]`); taking those back gives the ticket as it stood at any instant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from handlers.context import Context
from handlers.figures.model import Period
from handlers.lifecycle import Resolution, State
from storage import figures as store
from storage.figures import Happened, Stood

BACK = frozenset({"rework", "reopen", "restore", "redo"})  # it was not done: once more
UNDO = "undo"
# What ended a matter that was none: told apart from what was solved or not.
NO_MATTER = frozenset({Resolution.FALSE_ALARM, Resolution.WITHDRAWN})
# By these nobody who works on it has answered: what its reporters do, and what is not told them.
_NO_ANSWER = frozenset(
    {
        "open", "join", "picture", "withdraw", "report_withdrawn", "satisfied", "reopen", "settled",
        "remark", "review", UNDO,
    }
)  # fmt: skip
_BOTS = frozenset({"bot", "opinion"})
_COLUMNS = frozenset(Stood.__slots__)
_INSTANTS = frozenset({"clock_from", "accepted_at", "closed_at", "deadline_at"})


class Event(Protocol):
    """An event, whether as a row or as columns."""

    @property
    def id(self) -> int: ...
    @property
    def action(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


_Event = TypeVar("_Event", bound=Event)


def held(events: Iterable[_Event]) -> list[_Event]:
    """Without what was taken back by one of them, and without the steps that others imply."""
    events = list(events)
    gone = {id for event in events if event.action == UNDO for id in event.data["undone"]}
    return [event for event in events if event.id not in gone and not event.data.get("implied")]


def stood_at(now: Stood, events: Sequence[Happened], at: datetime) -> Stood:
    """The ticket as it stood just before the instant. events: all since then, in their order."""
    before: dict[str, Any] = {}
    for position in range(len(events) - 1, -1, -1):
        event = events[position]
        if event.at < at:
            break
        before |= _before(event, events[:position])
    return replace(now, **before) if before else now


def _before(event: Happened, earlier: Sequence[Happened]) -> dict[str, Any]:
    """The columns as they were before the event."""
    found: dict[str, Any] = {
        name: _value(name, pair[0])
        for name, pair in event.data.get("changed", {}).items()
        if name in _COLUMNS
    }
    if "promise" in event.data:
        kind, deadline = event.data["promise"][0]
        found |= {"due_kind": kind, "deadline_at": _value("deadline_at", deadline)}
    if "changed" not in event.data and event.from_state and event.from_state != event.to_state:
        # An implied step, whose last one tells all; or an event of the first version, which told states only.
        found |= _told_by_state(event.from_state, earlier)
    return found


def _told_by_state(state: str, earlier: Sequence[Happened]) -> dict[str, Any]:
    if state != State.CLOSED:
        return {"state": state, "closed_at": None, "resolution": None}
    endings = [event for event in earlier if event.to_state == State.CLOSED]
    if not endings:
        return {"state": state}
    last = endings[-1]
    return {"state": state, "closed_at": last.at, "resolution": last.data.get("resolution")}


def _value(name: str, told: Any) -> Any:
    return datetime.fromisoformat(told) if name in _INSTANTS and told else told


@dataclass(frozen=True, slots=True)
class Fact:
    """A ticket as it stood at the period's end, with what had happened to it by then (see `held`).

    within: what of it happened in the period.
    """

    stood: Stood
    events: tuple[Happened, ...]
    within: tuple[Happened, ...]
    opened: bool  # in the period
    closed: bool  # its last closing was in the period, and it was closed at the end

    @property
    def answered(self) -> datetime | None:
        """When a person first answered."""
        return next((e.at for e in self.events if is_answer(e)), None)

    @property
    def real(self) -> bool:
        """No false alarm, nothing withdrawn."""
        return self.stood.resolution not in NO_MATTER

    def had(self, *actions: str) -> bool:
        """Whether one of these ever happened to it."""
        return any(event.action in actions for event in self.events)


def is_answer(event: Happened) -> bool:
    return event.actor not in _BOTS and event.action not in _NO_ANSWER


def is_duplicate(stood: Stood) -> bool:
    """Merged into another, with which its reports count: no matter of its own."""
    return stood.state == State.CLOSED and stood.resolution == Resolution.DUPLICATE


def is_open(stood: Stood) -> bool:
    return stood.state != State.CLOSED


def is_overdue(stood: Stood, at: datetime) -> bool:
    return is_open(stood) and stood.deadline_at is not None and stood.deadline_at < at


def closed_in(stood: Stood, period: Period) -> bool:
    ended = stood.closed_at
    return not is_open(stood) and ended is not None and period.start <= ended < period.end


@dataclass(frozen=True, slots=True)
class History:
    """The tickets that were open or closed at some time since `since`, and what happened to them since."""

    since: datetime
    tickets: Sequence[Stood]  # as they stand now
    events: Mapping[int, Sequence[Happened]]

    def standing(self, at: datetime) -> list[Stood]:
        """Those opened before the instant, as they stood then. `at`: not before `since`."""
        return [
            stood_at(ticket, self.events.get(ticket.id, ()), at)
            for ticket in self.tickets
            if ticket.opened_at < at
        ]


def history(ctx: Context, since: datetime, until: datetime) -> History:
    """Two questions, whatever the street's size."""
    events = store.happened(ctx.session, since, until)
    for of_ticket in events.values():
        of_ticket.sort(key=lambda event: (event.at, event.id))
    return History(since, store.touched(ctx.session, since, until), events)


def facts(ctx: Context, known: History, period: Period) -> list[Fact]:
    """Of each ticket that was opened before the period's end.

    The events from before `known.since` are those of tickets only to which something happened in the period.
    """
    standing = known.standing(period.end)
    busy = {
        ticket.id
        for ticket in standing
        if any(period.start <= event.at < period.end for event in known.events.get(ticket.id, ()))
    }
    older = store.happened_before(ctx.session, busy, known.since)
    return [_fact(stood, older.get(stood.id, []), known, period) for stood in standing]


def _fact(stood: Stood, older: Sequence[Happened], known: History, period: Period) -> Fact:
    since = known.events.get(stood.id, ())
    events = held([*older, *(event for event in since if event.at < period.end)])
    return Fact(
        stood=stood,
        events=tuple(events),
        within=tuple(event for event in events if event.at >= period.start),
        opened=stood.opened_at >= period.start,
        closed=closed_in(stood, period),
    )
