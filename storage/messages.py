"""The hot path: storing messages and noting what became of them, many in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlmodel import Session, col

from storage.tables import Message, Ticket
from storage.upsert import insert_into

_TABLE = Message.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Handling:
    """What became of one message."""

    id: int
    outcome: str
    label: str
    urgency: int
    confidence: float
    place: str
    evidence: list[str]
    ticket_id: int | None
    reference: str | None = None


def store(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts messages; those already there (same account and message id) are left as they are."""
    statement = insert_into(session, Message).on_conflict_do_nothing(
        index_elements=["account", "external_id"]
    )
    session.connection().execute(statement, rows)


def claim(session: Session, ids: Sequence[int]) -> set[int]:
    """Of these messages those that are stored and not handled, locked against another process."""
    statement = (
        select(col(Message.id))
        .where(col(Message.id).in_(ids), col(Message.handled_at).is_(None))
        .with_for_update(skip_locked=True)
    )
    return set(session.execute(statement).scalars())


_MARK = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row_id"))
    .values(
        handled_at=bindparam("at"),
        outcome=bindparam("outcome"),
        label=bindparam("label"),
        urgency=bindparam("urgency"),
        confidence=bindparam("confidence"),
        place=bindparam("place"),
        evidence=bindparam("evidence"),
        # A picture may have been given to a ticket by a later message of the same batch.
        ticket_id=func.coalesce(_TABLE.c.ticket_id, bindparam("ticket", type_=_TABLE.c.ticket_id.type)),
        reference=bindparam("reference"),
    )
)


def mark_handled(session: Session, handlings: Sequence[Handling], at: datetime) -> None:
    rows = [
        {
            "row_id": handling.id,
            "at": at,
            "outcome": handling.outcome,
            "label": handling.label,
            "urgency": handling.urgency,
            "confidence": handling.confidence,
            "place": handling.place,
            "evidence": handling.evidence,
            "ticket": handling.ticket_id,
            "reference": handling.reference,
        }
        for handling in handlings
    ]
    session.connection().execute(_MARK, rows)


def unhandled(session: Session, before: datetime, last_id: int, limit: int) -> list[Message]:
    """Stored until `before` but not handled, in the order they came, those after `last_id`."""
    statement = (
        select(Message)
        .where(
            col(Message.handled_at).is_(None),
            col(Message.received_at) <= before,
            col(Message.id) > last_id,
        )
        .order_by(col(Message.id))
        .limit(limit)
    )
    return list(session.execute(statement).scalars())


def last_received(session: Session) -> datetime | None:
    at: datetime | None = session.execute(select(func.max(col(Message.received_at)))).scalar()
    return at


def came_back(session: Session, account: str, room: str, text: str, since: datetime) -> str | None:
    """The id of the account's own message of that text in that room, if the network showed it since."""
    statement = select(col(Message.external_id)).where(
        col(Message.account) == account,
        col(Message.sender) == account,
        col(Message.room) == room,
        col(Message.text) == text,
        col(Message.received_at) >= since,
    )
    return session.execute(statement.order_by(col(Message.id)).limit(1)).scalars().first()


def any_ticket(session: Session) -> bool:
    return session.execute(select(col(Ticket.id)).limit(1)).first() is not None
