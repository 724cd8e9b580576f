"""What is too old goes, in steps of some hundred rows: each a transaction, so that nobody waits long.

A step may be repeated and may be left out: what it did not reach is there for the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Date, and_, delete, func, or_, select, update
from sqlmodel import Session, SQLModel, col

from storage.tables import (
    ActionLog,
    Attachment,
    CareVisit,
    Correction,
    Digest,
    Duty,
    Extension,
    GatewayGap,
    Joining,
    JoiningMiss,
    Message,
    Offer,
    OpinionDay,
    Purge,
    Reply,
    ReplyState,
    Review,
    ReviewState,
    SignIn,
    Ticket,
    TicketEvent,
    TicketReport,
    TicketUnit,
    WebSession,
)

STEP = 250  # rows of the table in question; what hangs on them comes on top
_TICKETS = 20
_UNSENT = (ReplyState.WAITING, ReplyState.SENDING)


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is older goes."""

    now: datetime
    chatter: datetime
    tickets: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    messages: int = 0
    tickets: int = 0
    pictures: int = 0
    others: int = 0

    def __add__(self, more: "Counts") -> "Counts":
        return Counts(
            self.messages + more.messages,
            self.tickets + more.tickets,
            self.pictures + more.pictures,
            self.others + more.others,
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that goes with its row. `path`: below the media folder, None where it never was fetched."""

    account: str
    external_id: str
    path: str | None


Cursor = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Found:
    """Messages to be removed, and where to look on; no cursor where that was all."""

    ids: tuple[int, ...]
    pictures: tuple[Picture, ...]
    cursor: Cursor | None


def _is_chatter(before: datetime) -> ColumnElement[bool]:
    """Old, handled, of no ticket, decided on, and everything that answers it is said."""

    def none(table: type[SQLModel], *where: ColumnElement[bool]) -> ColumnElement[bool]:
        mine = col(table.message_id) == col(Message.id)  # type: ignore[attr-defined]
        return ~select(table.message_id).where(mine, *where).exists()  # type: ignore[attr-defined]

    return and_(
        col(Message.received_at) < before,
        col(Message.handled_at).is_not(None),
        # Not "IS NULL": SQLite would take the index of that column, which finds nearly the whole table.
        func.coalesce(col(Message.ticket_id), 0) == 0,
        none(TicketReport),
        none(TicketEvent),
        none(Attachment),
        none(Review, col(Review.state) == ReviewState.WAITING),
        none(Reply, col(Reply.state).in_(_UNSENT)),
    )


def chatter(session: Session, cutoffs: Cutoffs, after: Cursor | None) -> Found:
    """The next messages that are too old, locked."""
    statement = select(Message).where(_is_chatter(cutoffs.chatter))
    if after is not None:
        at, last = after
        later = and_(col(Message.received_at) == at, col(Message.id) > last)
        statement = statement.where(col(Message.received_at) >= at, or_(col(Message.received_at) > at, later))
    statement = statement.order_by(col(Message.received_at), col(Message.id)).limit(STEP)
    rows = list(session.execute(statement.with_for_update(skip_locked=True)).scalars())
    shown = tuple(Picture(row.account, row.external_id, None) for row in rows if row.kind == "image")
    end = rows[-1] if rows else None
    cursor = (end.received_at, end.id) if end is not None else None
    for row in rows:
        session.expunge(row)
    return Found(tuple(row.id for row in rows), shown, cursor)


def remove_messages(session: Session, ids: Sequence[int]) -> Counts:
    """The messages with the answers to them; lessons that were learned from them stay."""
    if not ids:
        return Counts()
    of_these = col(Reply.message_id).in_(ids)
    replies = _run(session, delete(Reply).where(of_these, col(Reply.ticket_id).is_(None)))
    _run(session, update(Reply).where(of_these).values(message_id=None))
    reviews = _run(session, delete(Review).where(col(Review.message_id).in_(ids)))
    _let_go_of_corrections(session, ids)
    messages = _run(session, delete(Message).where(col(Message.id).in_(ids)))
    return Counts(messages=messages, others=replies + reviews)


def _let_go_of_corrections(session: Session, ids: Sequence[int]) -> None:
    """Of several words on a message the last one counts; without the message that would be lost."""
    rows = session.execute(
        select(col(Correction.id), col(Correction.message_id), col(Correction.kind))
        .where(col(Correction.message_id).in_(ids))
        .order_by(col(Correction.at).desc(), col(Correction.id).desc())
    ).all()
    seen: set[int | None] = set()
    outdated = []
    for id, message_id, kind in rows:
        if kind in ("merge", "split"):
            continue
        if message_id in seen:
            outdated.append(id)
        seen.add(message_id)
    _run(session, delete(Correction).where(col(Correction.id).in_(outdated)))
    _run(session, update(Correction).where(col(Correction.message_id).in_(ids)).values(message_id=None))


def _is_over(before: datetime) -> ColumnElement[bool]:
    return and_(col(Ticket.state) == "closed", col(Ticket.closed_at) < before)


def tickets(session: Session, cutoffs: Cutoffs) -> tuple[int, ...]:
    """Tickets closed too long ago, the oldest first, locked."""
    statement = select(col(Ticket.id)).where(_is_over(cutoffs.tickets)).order_by(col(Ticket.closed_at))
    return tuple(session.execute(statement.limit(_TICKETS).with_for_update(skip_locked=True)).scalars())


# What belongs to one ticket alone, in the order in which it can go.
_OF_TICKET: tuple[tuple[type[SQLModel], Any, Any], ...] = (
    (Reply, col(Reply.id), col(Reply.ticket_id)),
    (TicketUnit, col(TicketUnit.id), col(TicketUnit.ticket_id)),
    (Offer, col(Offer.id), col(Offer.ticket_id)),
    (Extension, col(Extension.id), col(Extension.ticket_id)),
    (Attachment, col(Attachment.message_id), col(Attachment.ticket_id)),
    (Review, col(Review.message_id), col(Review.ticket_id)),
    (TicketReport, col(TicketReport.id), col(TicketReport.ticket_id)),
    (TicketEvent, col(TicketEvent.id), col(TicketEvent.ticket_id)),
)


def pictures_of(session: Session, ids: Sequence[int]) -> tuple[Picture, ...]:
    """The pictures that go with these tickets in the next step."""
    statement = (
        select(col(Message.account), col(Message.external_id), col(Attachment.path))
        .join(Message, col(Message.id) == col(Attachment.message_id))
        .where(col(Attachment.ticket_id).in_(ids))
        .order_by(col(Attachment.message_id))
        .limit(STEP)
    )
    return tuple(Picture(*row) for row in session.execute(statement))


def remove_tickets(session: Session, ids: Sequence[int]) -> Counts:
    """As much of the tickets as fits into one step; the tickets themselves when nothing else is left.

    A message that another ticket refers to, because it was merged or split, goes over to that one.
    """
    for table, key, ticket_id in _OF_TICKET:
        statement = select(key).where(ticket_id.in_(ids)).order_by(key)
        if found := list(session.execute(statement.limit(STEP)).scalars()):
            removed = _run(session, delete(table).where(key.in_(found)))
            return Counts(pictures=removed) if table is Attachment else Counts(others=removed)
    statement = select(col(Message.id)).where(col(Message.ticket_id).in_(ids))
    if messages := list(session.execute(statement.limit(STEP)).scalars()):
        kept = _handed_over(session, messages)
        return remove_messages(session, [id for id in messages if id not in kept])
    _run(session, update(Ticket).where(col(Ticket.merged_into).in_(ids)).values(merged_into=None))
    return Counts(tickets=_run(session, delete(Ticket).where(col(Ticket.id).in_(ids))))


def _handed_over(session: Session, messages: Sequence[int]) -> set[int]:
    """Those that belong to another ticket as well, which now has them alone."""
    others: dict[int, int] = {}
    for message_id, ticket_id in (
        (col(TicketEvent.message_id), col(TicketEvent.ticket_id)),
        (col(TicketReport.message_id), col(TicketReport.ticket_id)),
        (col(Attachment.message_id), col(Attachment.ticket_id)),
    ):
        statement = select(message_id, ticket_id).where(message_id.in_(messages))
        others |= {row[0]: row[1] for row in session.execute(statement)}
    for message, ticket in others.items():
        _run(session, update(Message).where(col(Message.id) == message).values(ticket_id=ticket))
    return set(others)


def _old(cutoffs: Cutoffs) -> Mapping[type[SQLModel], tuple[Any, ColumnElement[bool]]]:
    """Of the other tables: the key, and which rows go."""
    said = and_(
        col(Reply.ticket_id).is_(None), col(Reply.message_id).is_(None), ~col(Reply.state).in_(_UNSENT)
    )
    instants: dict[type[SQLModel], tuple[Any, Any, datetime]] = {
        JoiningMiss: (col(JoiningMiss.id), col(JoiningMiss.at), cutoffs.chatter),
        Joining: (col(Joining.code_hash), col(Joining.expires_at), cutoffs.chatter),
        SignIn: (col(SignIn.token_hash), col(SignIn.expires_at), cutoffs.now),
        WebSession: (col(WebSession.token_hash), col(WebSession.expires_at), cutoffs.now),
        Duty: (col(Duty.id), col(Duty.until), cutoffs.tickets),
        CareVisit: (col(CareVisit.id), col(CareVisit.day), cutoffs.tickets),
        ActionLog: (col(ActionLog.id), col(ActionLog.at), cutoffs.tickets),
        Digest: (col(Digest.id), col(Digest.made_at), cutoffs.tickets),
        OpinionDay: (col(OpinionDay.day), col(OpinionDay.day), cutoffs.tickets),
        GatewayGap: (col(GatewayGap.id), col(GatewayGap.began_at), cutoffs.tickets),
        Purge: (col(Purge.id), col(Purge.at), cutoffs.tickets),
    }
    old = {
        table: (key, column < (before.date() if isinstance(column.type, Date) else before))
        for table, (key, column, before) in instants.items()
    }
    return {Reply: (col(Reply.id), and_(said, col(Reply.created_at) < cutoffs.chatter)), **old}


def remove_others(session: Session, cutoffs: Cutoffs) -> Counts:
    """One step of what belongs to no message and no ticket; nothing where nothing is left."""
    for table, (key, where) in _old(cutoffs).items():
        if found := list(session.execute(select(key).where(where).limit(STEP)).scalars()):
            return Counts(others=_run(session, delete(table).where(key.in_(found))))
    return Counts()


def count(session: Session, cutoffs: Cutoffs) -> Counts:
    """What would go, without its hangers-on: answers and reviews of the messages, rows of the tickets."""

    def number(table: Any, where: ColumnElement[bool]) -> int:
        found: int = session.execute(select(func.count()).select_from(table).where(where)).scalar_one()
        return found

    over = select(col(Ticket.id)).where(_is_over(cutoffs.tickets))
    others = sum(number(table, where) for table, (_, where) in _old(cutoffs).items())
    chat, own = (
        number(Message, _is_chatter(cutoffs.chatter)),
        number(Message, col(Message.ticket_id).in_(over)),
    )
    return Counts(
        messages=chat + own,
        tickets=number(Ticket, _is_over(cutoffs.tickets)),
        pictures=number(Attachment, col(Attachment.ticket_id).in_(over)),
        others=others,
    )


def begin(session: Session, now: datetime) -> int:
    """Notes that a run begins; the row's id."""
    row = Purge(at=now)
    session.add(row)
    session.flush()
    return row.id


def note(session: Session, purge: int, counts: Counts) -> None:
    """Adds to what the run has removed so far."""
    values = {
        "messages": col(Purge.messages) + counts.messages,
        "tickets": col(Purge.tickets) + counts.tickets,
        "pictures": col(Purge.pictures) + counts.pictures,
        "others": col(Purge.others) + counts.others,
    }
    _run(session, update(Purge).where(col(Purge.id) == purge).values(values))


def last(session: Session) -> datetime | None:
    """When a run last began."""
    at: datetime | None = session.execute(select(func.max(col(Purge.at)))).scalar()
    return at


def _run(session: Session, statement: Any) -> int:
    done: CursorResult[Any] = session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[assignment]
    return done.rowcount
