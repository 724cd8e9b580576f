"""The review list: messages that wait for a person's decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, Select, case, func, literal, select, union_all, update
from sqlmodel import Session, col

from storage.board import Page, topics_of
from storage.tables import Message, Review, ReviewState, Ticket

_EARLIER = timedelta(hours=1)
_NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list: the message, and what was said there just before, oldest first."""

    review: Review
    message: Message
    before: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Waiting:
    page: Page[Listed]
    topics: Mapping[tuple[str, str], str]  # names of the groups, by account and room


Rooms = frozenset[str] | None  # ids of groups; None for all, and what was said in private


def count_waiting(session: Session, rooms: Rooms = None) -> int:
    statement = select(func.count()).select_from(Review).where(*_waits(rooms))
    found: int = session.execute(statement).scalar_one()
    return found


def _waits(rooms: Rooms) -> list[ColumnElement[bool]]:
    waits = [col(Review.state) == ReviewState.WAITING]
    return waits if rooms is None else [*waits, col(Review.room).in_(sorted(rooms))]


def waiting(session: Session, *, number: int, size: int, before: int = 3, rooms: Rooms = None) -> Waiting:
    """Four queries, however many wait: danger first, then what most likely is a report.

    Where a second opinion says that it is none, it comes last; where it is graver, that counts.
    """
    dismissed = case((col(Review.opinion_label) == _NOTHING, 1), else_=0)
    told = func.coalesce(col(Review.opinion_urgency), 0)
    graver = case((told > col(Review.urgency), told), else_=col(Review.urgency))
    statement = (
        select(Review, Message)
        .join(Message, col(Message.id) == col(Review.message_id))
        .where(*_waits(rooms))
        .order_by(dismissed, graver.desc(), col(Review.chance).desc(), col(Review.message_id))
        .offset((number - 1) * size)
        .limit(size)
    )
    rows = [(row[0], row[1]) for row in session.execute(statement)]
    around = _around(session, [message for _, message in rows], before)
    listed = [Listed(review, message, around.get(message.id, [])) for review, message in rows]
    topics = topics_of(session, {(review.account, review.room) for review, _ in rows})
    return Waiting(Page(listed, number, size, count_waiting(session, rooms)), topics)


def before(session: Session, message: Message, count: int) -> list[Message]:
    """What was said in the same conversation within the hour before, oldest first."""
    return _around(session, [message], count).get(message.id, [])


def _around(session: Session, messages: Sequence[Message], count: int) -> dict[int, list[Message]]:
    """For each message by its id, in one query."""
    if not messages:
        return {}
    wanted = union_all(*(_just_before(message, count) for message in messages)).subquery()
    statement = select(wanted.c.of, Message).join(Message, col(Message.id) == wanted.c.id)
    found: dict[int, list[Message]] = {}
    for of, message in session.execute(statement.order_by(col(Message.id))):
        found.setdefault(of, []).append(message)
    return found


def _just_before(message: Message, count: int) -> Select[int, int]:
    statement = select(col(Message.id)).where(
        col(Message.account) == message.account,
        col(Message.room) == message.room,
        col(Message.id) < message.id,
        col(Message.received_at) >= message.received_at - _EARLIER,
    )
    if not message.room:
        statement = statement.where(col(Message.sender) == message.sender)
    last = statement.order_by(col(Message.id).desc()).limit(count).subquery()
    return select(last.c.id, literal(message.id).label("of"))


def locked(session: Session, message_id: int) -> Review | None:
    """The row as it is now, locked against another decision until the transaction ends."""
    statement = select(Review).where(col(Review.message_id) == message_id).with_for_update()
    review: Review | None = session.execute(
        statement.execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return review


def decided(session: Session, message_id: int) -> tuple[Review, str] | None:
    """A row and the number of its ticket, "" for none."""
    statement = (
        select(Review, col(Ticket.number))
        .outerjoin(Ticket, col(Ticket.id) == col(Review.ticket_id))
        .where(col(Review.message_id) == message_id)
    )
    row = session.execute(statement).first()
    return (row[0], row[1] or "") if row else None


def expire(session: Session, now: datetime) -> int:
    """Takes from the list what waited too long; how many."""
    done: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(Review)
        .where(col(Review.state) == ReviewState.WAITING, col(Review.expires_at) <= now)
        .values(state=ReviewState.EXPIRED, decided_at=now)
    )
    return done.rowcount
