"""The hot path: storing messages and noting what became of them, many in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, update
from sqlmodel import Session, col

from storage.tables import Message, Reply, Ticket, TicketReport
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


def since(session: Session, instant: datetime, limit: int) -> list[Message]:
    """The last messages received since then, in the order they came."""
    statement = (
        select(Message)
        .where(col(Message.received_at) >= instant)
        .order_by(col(Message.received_at).desc(), col(Message.id).desc())
        .limit(limit)
    )
    return list(session.execute(statement).scalars())[::-1]


def latest_of_sender(count: int) -> Select[int]:
    """Ids of the last messages of :sender in :room of :account; the index gives them without a search."""
    return (
        select(col(Message.id))
        .where(
            col(Message.account) == bindparam("account"),
            col(Message.room) == bindparam("room"),
            col(Message.sender) == bindparam("sender"),
        )
        .order_by(col(Message.id).desc())
        .limit(count)
    )


@dataclass(frozen=True, slots=True)
class Fragment:
    """What somebody said that belongs to no ticket yet; `chance` that it is a report, 0.0 while unknown."""

    id: int
    text: str
    chance: float


# The last messages only, which the index gives at once.
_FRAGMENTS = (
    select(col(Message.id), col(Message.text), col(Message.label), col(Message.confidence))
    .where(
        col(Message.account) == bindparam("account"),
        col(Message.room) == bindparam("room"),
        col(Message.sender) == bindparam("sender"),
        col(Message.id) < bindparam("before"),
        col(Message.received_at) >= bindparam("since"),
        col(Message.kind) == "text",
        col(Message.ticket_id).is_(None),
        # Within a batch a report is noted before its message is marked.
        ~select(col(TicketReport.id)).where(col(TicketReport.message_id) == col(Message.id)).exists(),
        or_(col(Message.outcome).is_(None), col(Message.outcome).in_(["none", "review"])),
    )
    .order_by(col(Message.id).desc())
    .limit(4)
)


def fragments(
    session: Session, *, account: str, room: str, sender: str, before: int, since: datetime
) -> list[Fragment]:
    """The person's last texts in the room before that row and since then, oldest first."""
    asked = {"account": account, "room": room, "sender": sender, "before": before, "since": since}
    rows = session.execute(_FRAGMENTS, asked).all()
    return [Fragment(id, text, _chance(label, confidence)) for id, text, label, confidence in reversed(rows)]


def _chance(label: str | None, confidence: float | None) -> float:
    if label is None or confidence is None:
        return 0.0
    return 1 - confidence if label == "none" else confidence


def said_in(
    session: Session, *, account: str, room: str, person: str, ticket_id: int | None, message_id: int | None
) -> list[str]:
    """What was said in the room, or by the person in private, about the ticket, and in that one message."""
    ways: list[ColumnElement[bool]] = [col(Message.id) == message_id]
    reported: list[str] = []
    if ticket_id is not None:
        ways.append(col(Message.ticket_id) == ticket_id)
        # Within a batch a report is noted before its message is marked.
        told = select(col(TicketReport.text)).where(
            col(TicketReport.ticket_id) == ticket_id,
            col(TicketReport.account) == account,
            col(TicketReport.room) == room,
        )
        if not room:
            told = told.where(col(TicketReport.reporter) == person)
        reported = list(session.execute(told).scalars())
    here = select(col(Message.text)).where(
        col(Message.account) == account, col(Message.room) == room, or_(*ways)
    )
    if not room:
        here = here.where(col(Message.sender) == person)
    return [*reported, *session.execute(here).scalars()]


def last_received(session: Session) -> datetime | None:
    at: datetime | None = session.execute(select(func.max(col(Message.received_at)))).scalar()
    return at


def own_unclaimed(session: Session, account: str, room: str, since: datetime) -> list[tuple[str, str]]:
    """(id, text) of what the network showed as the account's own since then, and no reply is known to be."""
    known = select(col(Reply.id)).where(
        col(Reply.account) == account, col(Reply.external_id) == col(Message.external_id)
    )
    statement = select(col(Message.external_id), col(Message.text)).where(
        col(Message.account) == account,
        col(Message.sender) == account,
        col(Message.room) == room,
        col(Message.received_at) >= since,
        ~known.exists(),
    )
    return [(row[0], row[1]) for row in session.execute(statement.order_by(col(Message.id)))]


def any_ticket(session: Session, before: datetime) -> bool:
    """Whether any ticket was opened by then."""
    statement = select(col(Ticket.id)).where(col(Ticket.opened_at) <= before)
    return session.execute(statement.limit(1)).first() is not None


def wrote_about(session: Session, ticket_id: int, person: str, since: datetime) -> bool:
    """Whether the person wrote something since then that belongs to the ticket."""
    statement = select(col(Message.id)).where(
        col(Message.ticket_id) == ticket_id,
        col(Message.sender) == person,
        col(Message.received_at) >= since,
    )
    return session.execute(statement.limit(1)).first() is not None


def since_said(session: Session, reply: Reply, before: int, limit: int) -> list[str]:
    """Who else's messages came to the room after the bot's message and before this row; their senders."""
    statement = select(col(Message.sender)).where(
        col(Message.account) == reply.account,
        col(Message.room) == reply.room,
        col(Message.id) > reply.id,
        col(Message.id) < before,
        col(Message.received_at) >= reply.sent_at,
        col(Message.sender) != reply.account,
    )
    return list(session.execute(statement.limit(limit)).scalars())
