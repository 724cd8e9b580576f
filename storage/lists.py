"""What the lists, ledgers and exports read: in batches after the last id, so that no result is held whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session, col

from storage.tables import ActionLog, Digest, Ticket, TicketEvent, TicketReport

NO_MATTER = ("duplicate", "false_alarm", "withdrawn")  # what was no matter of its own


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tickets: those that were open at some time in [start, end), as far as can be told from their row.

    areas: None is everywhere. labels: empty is any. state: "", "open", "closed" or "explained" (closed
    without being solved). matters: without what was no matter of its own.
    """

    start: datetime | None = None
    end: datetime | None = None
    areas: frozenset[str] | None = None
    labels: tuple[str, ...] = ()
    state: str = ""
    matters: bool = False


@dataclass(frozen=True, slots=True)
class Matter:
    """What the lists group of a ticket."""

    id: int
    number: str
    label: str
    state: str
    resolution: str | None
    area: str
    place: str
    summary: str
    opened_at: datetime
    recurring: bool


@dataclass(frozen=True, slots=True)
class Told:
    """How often a ticket was reported, by how many people, and when last."""

    reports: int = 0
    people: int = 0
    last: datetime | None = None


_MATTER = tuple(getattr(Ticket, name) for name in Matter.__slots__)


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.end is not None:
        found.append(col(Ticket.opened_at) < wanted.end)
    if wanted.start is not None:
        found.append(or_(col(Ticket.closed_at).is_(None), col(Ticket.closed_at) >= wanted.start))
    if wanted.areas is not None:
        found.append(col(Ticket.area).in_(sorted(wanted.areas)))
    if wanted.labels:
        found.append(col(Ticket.label).in_(wanted.labels))
    if wanted.state == "open":
        found.append(col(Ticket.state) != "closed")
    elif wanted.state:
        found.append(col(Ticket.state) == "closed")
    if wanted.state == "explained":
        found.append(col(Ticket.resolution) == "explained")
    if wanted.matters:
        found.append(func.coalesce(col(Ticket.resolution), "").not_in(NO_MATTER))
    return found


def count(session: Session, wanted: Wanted) -> int:
    """How many tickets are wanted."""
    statement = select(func.count()).select_from(Ticket).where(*conditions(wanted))
    found: int = session.execute(statement).scalar_one()
    return found


def matters(session: Session, wanted: Wanted, after: int, limit: int) -> list[Matter]:
    """The next ones after that id."""
    statement = select(*_MATTER).where(*conditions(wanted), col(Ticket.id) > after)
    rows = session.execute(statement.order_by(col(Ticket.id)).limit(limit))
    return [Matter(*row) for row in rows]


def tickets(session: Session, wanted: Wanted, after: int, limit: int) -> list[Ticket]:
    """The same as whole tickets."""
    statement = select(Ticket).where(*conditions(wanted), col(Ticket.id) > after)
    return list(session.execute(statement.order_by(col(Ticket.id)).limit(limit)).scalars())


def told(session: Session, ids: Sequence[int]) -> dict[int, Told]:
    """By ticket; what nobody told in words is missing."""
    statement = (
        select(
            col(TicketReport.ticket_id),
            func.count(),
            func.count(func.distinct(col(TicketReport.reporter))),
            func.max(col(TicketReport.at)),
        )
        .where(col(TicketReport.ticket_id).in_(ids))
        .group_by(col(TicketReport.ticket_id))
    )
    return {row[0]: Told(*row[1:]) for row in session.execute(statement)}


def events(session: Session, ids: Sequence[int]) -> dict[int, list[TicketEvent]]:
    """Of these tickets, in their order."""
    found: dict[int, list[TicketEvent]] = {id: [] for id in ids}
    statement = select(TicketEvent).where(col(TicketEvent.ticket_id).in_(ids)).order_by(col(TicketEvent.id))
    for event in session.execute(statement).scalars():
        found[event.ticket_id].append(event)
    return found


def numbers(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Of tickets by id."""
    statement = select(col(Ticket.id), col(Ticket.number)).where(col(Ticket.id).in_(sorted(ids)))
    return {row[0]: row[1] for row in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing somebody did. `number` and `area` are those of the ticket, "" where it belongs to none."""

    id: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    number: str = ""
    area: str = ""
    subject: str = ""
    note: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def _within(at: Any, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [at >= wanted.start] if wanted.start is not None else []
    return [*found, at < wanted.end] if wanted.end is not None else found


def _of_tickets(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = _within(col(TicketEvent.at), wanted)
    if wanted.areas is not None:
        found.append(col(Ticket.area).in_(sorted(wanted.areas)))
    return [*found, col(Ticket.label).in_(wanted.labels)] if wanted.labels else found


def count_deeds(session: Session, wanted: Wanted) -> int:
    joined = (
        select(func.count())
        .select_from(TicketEvent)
        .join(Ticket, col(Ticket.id) == col(TicketEvent.ticket_id))
    )
    found: int = session.execute(joined.where(*_of_tickets(wanted))).scalar_one()
    if wanted.areas is None and not wanted.labels:
        others = select(func.count()).select_from(ActionLog).where(*_within(col(ActionLog.at), wanted))
        found += session.execute(others).scalar_one()
    return found


def deeds(session: Session, wanted: Wanted, after: int, limit: int) -> list[Deed]:
    """The next ones after that id: events of tickets and, where no area or label is named, the action log."""
    statement = (
        select(TicketEvent, col(Ticket.number), col(Ticket.area))
        .join(Ticket, col(Ticket.id) == col(TicketEvent.ticket_id))
        .where(*_of_tickets(wanted), col(TicketEvent.id) > after)
        .order_by(col(TicketEvent.id))
        .limit(limit)
    )
    found = [_deed(event, number, area) for event, number, area in session.execute(statement)]
    if wanted.areas is None and not wanted.labels:
        others = select(ActionLog).where(*_within(col(ActionLog.at), wanted), col(ActionLog.id) > after)
        for row in session.execute(others.order_by(col(ActionLog.id)).limit(limit)).scalars():
            told = {"subject": row.subject, "before": row.before, "after": row.after}
            found.append(Deed(row.id, row.at, row.actor, row.actor_name, row.action, **told))
        found.sort(key=lambda deed: deed.id)
    return found[:limit]


def _deed(event: TicketEvent, number: str, area: str) -> Deed:
    pairs = dict(event.data.get("changed", {}))
    if not pairs and event.to_state:
        pairs["state"] = [event.from_state, event.to_state]
    return Deed(
        event.id,
        event.at,
        event.actor,
        event.actor_name,
        event.action,
        number,
        area,
        note=event.note,
        before={name: pair[0] for name, pair in pairs.items()},
        after={name: pair[1] for name, pair in pairs.items()},
    )


def _of_days(start: date | None, end: date | None) -> list[ColumnElement[bool]]:
    found = [col(Digest.text) != ""]  # the others only note that something was done
    found += [col(Digest.day) >= start] if start is not None else []
    return [*found, col(Digest.day) <= end] if end is not None else found


def count_digests(session: Session, start: date | None, end: date | None) -> int:
    found: int = session.execute(
        select(func.count()).select_from(Digest).where(*_of_days(start, end))
    ).scalar_one()
    return found


def digests(session: Session, start: date | None, end: date | None, after: int, limit: int) -> list[Digest]:
    """The next ones after that id, of the days from `start` to `end`, both counted in."""
    statement = select(Digest).where(*_of_days(start, end), col(Digest.id) > after)
    return list(session.execute(statement.order_by(col(Digest.id)).limit(limit)).scalars())
