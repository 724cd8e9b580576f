"""What the figures of a period are counted from: the tickets that it touches, and what happened to them.

Columns, not objects: a street of 10,000 open tickets is read in a second.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session, col

from storage.tables import Correction, Message, Room, Ticket, TicketEvent, TicketReport

_CHUNK = 500  # ids in one question


@dataclass(frozen=True, slots=True)
class Stood:
    """A ticket as it stood at some instant; the columns are the table's."""

    id: int
    number: str
    label: str
    urgency: int
    state: str
    resolution: str | None
    level: str
    account: str
    room: str
    area: str
    place: str
    summary: str
    reporter: str
    owner: str | None
    handler: str | None
    handler_name: str
    opened_at: datetime
    clock_from: datetime
    accepted_at: datetime | None
    closed_at: datetime | None
    due_kind: str | None
    deadline_at: datetime | None
    recurring: bool
    extensions: int
    extended_minutes: int


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a ticket."""

    id: int
    ticket_id: int
    at: datetime
    actor: str
    action: str
    note: str
    from_state: str | None
    to_state: str | None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A report of a ticket."""

    ticket_id: int
    message_id: int
    room: str
    reporter: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Corrected:
    """What somebody put right; `area` is that of the message's ticket, None where it has none."""

    kind: str
    room: str
    topic: str
    area: str | None


_STOOD = tuple(getattr(Ticket, name) for name in Stood.__slots__)
_HAPPENED = tuple(getattr(TicketEvent, name) for name in Happened.__slots__)
_TOLD = tuple(getattr(TicketReport, name) for name in Told.__slots__)


def open_now() -> ColumnElement[bool]:
    """What counts as open; the board's lists ask by the same."""
    return col(Ticket.state) != "closed"


def overdue_now(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What counts as overdue: open, and its promise has passed. While suspended none runs."""
    return open_now(), col(Ticket.deadline_at) < now


def _touched(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Open at some time in [start, end), or closed in it: indexed by both instants."""
    return col(Ticket.opened_at) < end, or_(col(Ticket.closed_at).is_(None), col(Ticket.closed_at) >= start)


def touched(session: Session, start: datetime, end: datetime) -> list[Stood]:
    """As they stand now, the oldest first."""
    statement = select(*_STOOD).where(*_touched(start, end))
    rows = session.execute(statement.order_by(col(Ticket.opened_at), col(Ticket.id)))
    return [Stood(*row) for row in rows]


def happened(session: Session, start: datetime, end: datetime) -> dict[int, list[Happened]]:
    """What happened since `start`, until now, to the tickets that [start, end) touches, in its order."""
    of_touched = select(col(Ticket.id)).where(*_touched(start, end))
    statement = select(*_HAPPENED).where(
        col(TicketEvent.at) >= start, col(TicketEvent.ticket_id).in_(of_touched)
    )
    return _by_ticket(Happened(*row) for row in session.execute(statement.order_by(col(TicketEvent.id))))


def happened_before(session: Session, ids: Iterable[int], before: datetime) -> dict[int, list[Happened]]:
    """What had happened to these tickets before."""
    found: list[Happened] = []
    for some in _chunks(ids):
        statement = select(*_HAPPENED).where(
            col(TicketEvent.ticket_id).in_(some), col(TicketEvent.at) < before
        )
        found += [Happened(*row) for row in session.execute(statement.order_by(col(TicketEvent.id)))]
    return _by_ticket(found)


def _by_ticket(events: Iterable[Happened]) -> dict[int, list[Happened]]:
    found: dict[int, list[Happened]] = {}
    for event in events:
        found.setdefault(event.ticket_id, []).append(event)
    return found


def told(session: Session, start: datetime, end: datetime) -> list[Told]:
    """Who reported within [start, end), by the tickets that the reports are with now."""
    of_touched = select(col(Ticket.id)).where(*_touched(start, end))
    statement = select(*_TOLD).where(
        col(TicketReport.at) >= start,
        col(TicketReport.at) < end,
        col(TicketReport.ticket_id).in_(of_touched),
    )
    return [Told(*row) for row in session.execute(statement.order_by(col(TicketReport.id)))]


def _chunks(ids: Iterable[int]) -> Iterator[Sequence[int]]:
    rest = iter(sorted(ids))
    while some := list(islice(rest, _CHUNK)):
        yield some


def corrected(session: Session, start: datetime, end: datetime) -> list[Corrected]:
    """What people put right within [start, end)."""
    statement = (
        select(
            col(Correction.kind),
            func.coalesce(col(Message.room), ""),
            func.coalesce(col(Message.room_topic), ""),
            col(Ticket.area),
        )
        .outerjoin(Message, col(Message.id) == col(Correction.message_id))
        .outerjoin(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(col(Correction.at) >= start, col(Correction.at) < end)
    )
    return [Corrected(*row) for row in session.execute(statement.order_by(col(Correction.id)))]


def rooms(session: Session) -> list[Room]:
    """Every group that was ever seen."""
    return list(session.execute(select(Room).order_by(col(Room.account), col(Room.id))).scalars())


def began(session: Session) -> datetime | None:
    """Since when the bot is at work: its first group or its first ticket; None where it never was."""
    room = session.execute(select(func.min(col(Room.first_seen_at)))).scalar_one()
    ticket = session.execute(select(func.min(col(Ticket.opened_at)))).scalar_one()
    return min((at for at in (room, ticket) if at is not None), default=None)
