"""Who did what: the events of tickets and the action log, read together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from storage.tables import ActionLog, Ticket, TicketEvent


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done. `subject`: a ticket's number, or as in the action log: "group:river"."""

    id: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str = ""
    of_ticket: bool = False
    undone: tuple[int, ...] = field(default=())


def of_ticket(session: Session, number: str) -> list[Act]:
    """Of every ticket of that number: one of another year looks the same."""
    return list(_events(session, col(Ticket.number) == number))


def of_person(session: Session, person: str) -> list[Act]:
    """What the person of that id or name did, and what was done to the person beside the tickets."""
    by = or_(col(TicketEvent.actor) == person, col(TicketEvent.actor_name) == person)
    about = or_(
        col(ActionLog.actor) == person,
        col(ActionLog.actor_name) == person,
        col(ActionLog.subject) == f"person:{person}",
    )
    return _merged(_events(session, by), _actions(session, about))


def between(session: Session, start: datetime, end: datetime) -> list[Act]:
    """What was done from `start` on, before `end`."""
    return _merged(
        _events(session, col(TicketEvent.at) >= start, col(TicketEvent.at) < end),
        _actions(session, col(ActionLog.at) >= start, col(ActionLog.at) < end),
    )


def _merged(*found: Iterator[Act]) -> list[Act]:
    return sorted((act for some in found for act in some), key=lambda act: (act.at, act.id))


def _events(session: Session, *where: ColumnElement[bool]) -> Iterator[Act]:
    statement = (
        select(TicketEvent, col(Ticket.number))
        .join(Ticket, col(Ticket.id) == col(TicketEvent.ticket_id))
        .where(*where)
        .order_by(col(TicketEvent.at), col(TicketEvent.id))
    )
    for event, number in session.execute(statement):
        before, after = _changed(event)
        yield Act(
            id=event.id,
            at=event.at,
            actor=event.actor,
            actor_name=event.actor_name,
            action=event.action,
            subject=number,
            before=before,
            after=after,
            note=event.note,
            of_ticket=True,
            undone=tuple(event.data.get("undone", ())),
        )


def _changed(event: TicketEvent) -> tuple[dict[str, Any], dict[str, Any]]:
    """By column, that of a row beside the ticket as "ticket_unit.<id>.<column>"."""
    pairs: dict[str, tuple[Any, Any]] = {
        name: tuple(pair) for name, pair in event.data.get("changed", {}).items()
    }
    if not pairs and event.to_state:
        pairs["state"] = event.from_state, event.to_state
    for table, row_id, was, now in event.data.get("rows", ()):
        for name in {**(was or {}), **(now or {})}:
            old, new = (was or {}).get(name), (now or {}).get(name)
            if old != new and name not in ("id", "ticket_id"):
                pairs[f"{table}.{row_id}.{name}"] = old, new
    return {name: pair[0] for name, pair in pairs.items()}, {name: pair[1] for name, pair in pairs.items()}


def _actions(session: Session, *where: ColumnElement[bool]) -> Iterator[Act]:
    statement = select(ActionLog).where(*where).order_by(col(ActionLog.at), col(ActionLog.id))
    for row in session.execute(statement).scalars():
        yield Act(row.id, row.at, row.actor, row.actor_name, row.action, row.subject, row.before, row.after)
