"""The outbox's rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, bindparam, func, or_, select, update
from sqlmodel import Session, col

from storage import messages
from storage.tables import Reply, ReplyState


def due(
    session: Session,
    account: str,
    now: datetime,
    *,
    resting: Sequence[str] = (),
    urgent_only: bool = False,
    limit: int = 200,
) -> list[Reply]:
    """Replies to be said now, the most urgent first, then in the order they were written.

    resting: rooms and people to whom only what is urgent is said.
    """
    statement = select(Reply).where(
        col(Reply.account) == account, col(Reply.state) == ReplyState.WAITING, col(Reply.due_at) <= now
    )
    if urgent_only:
        statement = statement.where(col(Reply.urgency) >= 3)
    elif resting:
        place = func.coalesce(func.nullif(col(Reply.room), ""), col(Reply.person))
        statement = statement.where(or_(col(Reply.urgency) >= 3, place.not_in(resting)))
    statement = statement.order_by(col(Reply.urgency).desc(), col(Reply.id)).limit(limit)
    return list(session.execute(statement).scalars())


def due_along(session: Session, head: Reply, now: datetime, limit: int = 20) -> list[Reply]:
    """What is due to the same room or person, `head` among it, in the same order."""
    statement = select(Reply).where(
        col(Reply.account) == head.account,
        col(Reply.state) == ReplyState.WAITING,
        col(Reply.due_at) <= now,
        col(Reply.room) == head.room,
        col(Reply.person) == head.person,
    )
    statement = statement.order_by(col(Reply.urgency).desc(), col(Reply.id)).limit(limit)
    return list(session.execute(statement).scalars())


def claim(session: Session, ids: Sequence[int], now: datetime, lease: timedelta) -> bool:
    """Marks replies as being said. False, and nothing marked, where another process was quicker.

    lease: how long saying them may take before somebody asks what became of them.
    """
    wanted = (
        select(col(Reply.id))
        .where(col(Reply.id).in_(ids), col(Reply.state) == ReplyState.WAITING)
        .with_for_update(skip_locked=True)
    )
    free = list(session.execute(wanted).scalars())
    if len(free) != len(ids):
        return False
    session.execute(
        update(Reply)
        .where(col(Reply.id).in_(ids))
        .values(state=ReplyState.SENDING, attempts=col(Reply.attempts) + 1, sent_at=now, due_at=now + lease)
    )
    return True


def mark_sent(session: Session, ids: Sequence[int], external_id: str | None, now: datetime) -> None:
    session.execute(
        update(Reply)
        .where(col(Reply.id).in_(ids))
        .values(state=ReplyState.SENT, external_id=external_id, sent_at=now, error=None)
    )


def put_back(session: Session, ids: Sequence[int], due_at: datetime, error: str | None) -> None:
    """To be said again, from `due_at` on."""
    session.execute(
        update(Reply)
        .where(col(Reply.id).in_(ids))
        .values(state=ReplyState.WAITING, due_at=due_at, error=error, sent_at=None)
    )


def give_up(session: Session, ids: Sequence[int], error: str) -> None:
    session.execute(
        update(Reply).where(col(Reply.id).in_(ids)).values(state=ReplyState.FAILED, error=error, sent_at=None)
    )


def any_sending(session: Session, account: str, now: datetime) -> bool:
    statement = select(col(Reply.id)).where(
        col(Reply.account) == account, col(Reply.state) == ReplyState.SENDING, col(Reply.due_at) <= now
    )
    return session.execute(statement.limit(1)).first() is not None


def uncertain(session: Session, account: str, now: datetime) -> list[Reply]:
    """Replies of which it is not known whether they were said, and whose time to find out has come."""
    statement = select(Reply).where(
        col(Reply.account) == account, col(Reply.state) == ReplyState.SENDING, col(Reply.due_at) <= now
    )
    return list(session.execute(statement.order_by(col(Reply.id)).with_for_update()).scalars())


def leave_uncertain(session: Session, ids: Sequence[int], look_at: datetime, error: str) -> None:
    """Perhaps said: looked at again from `look_at` on."""
    session.execute(update(Reply).where(col(Reply.id).in_(ids)).values(due_at=look_at, error=error))


def retry(session: Session, reply_id: int, now: datetime) -> bool:
    """A person asks to try a given-up reply again."""
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Reply)
        .where(col(Reply.id) == reply_id, col(Reply.state) == ReplyState.FAILED)
        .values(state=ReplyState.WAITING, due_at=now, attempts=0, error=None)
    )
    return result.rowcount == 1


def drop(session: Session, reply_id: int) -> bool:
    """A person decides that a waiting or given-up reply is not to be said."""
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Reply)
        .where(col(Reply.id) == reply_id, col(Reply.state).in_((ReplyState.WAITING, ReplyState.FAILED)))
        .values(state=ReplyState.DROPPED, sent_at=None)
    )
    return result.rowcount == 1


def state_of(session: Session, reply_id: int) -> str | None:
    """None where there is no such reply."""
    state: str | None = session.execute(select(col(Reply.state)).where(col(Reply.id) == reply_id)).scalar()
    return state


def unsay(session: Session, message_id: int) -> list[tuple[str, str, str]]:
    """Drops what answers the message and still waits; (account, room, person) where others were said."""
    mine = col(Reply.message_id) == message_id
    session.execute(
        update(Reply)
        .where(mine, col(Reply.state) == ReplyState.WAITING, col(Reply.external_id).is_(None))
        .values(state=ReplyState.DROPPED)
    )
    said = select(col(Reply.account), col(Reply.room), col(Reply.person)).where(
        mine, col(Reply.state).in_((ReplyState.WAITING, ReplyState.SENDING, ReplyState.SENT))
    )
    rows = session.execute(said.order_by(col(Reply.id)))
    return list(dict.fromkeys((row[0], row[1], row[2]) for row in rows))


_COUNT_TO = (
    select(func.count())
    .select_from(Reply)
    .where(
        col(Reply.message_id).in_(messages.latest_of_sender(100)),
        col(Reply.created_at) >= bindparam("since"),
    )
)


def count_to(session: Session, account: str, room: str, sender: str, since: datetime) -> int:
    """How many replies since then answered the last hundred messages of this sender in the room."""
    asked = {"account": account, "room": room, "sender": sender, "since": since}
    count: int = session.execute(_COUNT_TO, asked).scalar_one()
    return count


def last_ticket(session: Session, account: str, room: str) -> int | None:
    """The ticket that the bot spoke of last in the group."""
    statement = (
        select(col(Reply.ticket_id))
        .where(col(Reply.account) == account, col(Reply.room) == room, col(Reply.ticket_id).is_not(None))
        .order_by(col(Reply.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def said_lately(session: Session, ticket_id: int, room: str, key_part: str, since: datetime) -> bool:
    """Whether a reply of that kind (part of its key) went to the group since then."""
    statement = select(col(Reply.id)).where(
        col(Reply.ticket_id) == ticket_id,
        col(Reply.room) == room,
        col(Reply.key).contains(key_part, autoescape=True),
        col(Reply.created_at) >= since,
    )
    return session.execute(statement.limit(1)).first() is not None


def move_held(session: Session, account: str, room: str, held_until: datetime, due: datetime) -> None:
    """What was held back in the group until then is said at another time."""
    session.execute(
        update(Reply)
        .where(
            col(Reply.account) == account,
            col(Reply.room) == room,
            col(Reply.state) == ReplyState.WAITING,
            col(Reply.due_at) == held_until,
        )
        .values(due_at=due)
    )


_SAID = (ReplyState.SENT, ReplyState.SENDING)  # what is being handed over may be read and answered already


def last_said(session: Session, account: str, room: str, person: str, before: datetime) -> list[Reply]:
    """The last message of the bot's there by then: its replies, in the order they were written."""
    there = (col(Reply.account) == account, col(Reply.room) == room, col(Reply.person) == person)
    statement = select(Reply).where(*there, col(Reply.state).in_(_SAID), col(Reply.sent_at) <= before)
    newest = statement.order_by(col(Reply.sent_at).desc(), col(Reply.id).desc()).limit(1)
    last = session.execute(newest).scalars().first()
    if last is None or last.external_id is None:
        return [last] if last else []
    return said_as(session, account, last.external_id, room, person)


def said_as(session: Session, account: str, external_id: str, room: str, person: str) -> list[Reply]:
    """The replies that went there as this one message."""
    statement = select(Reply).where(
        col(Reply.account) == account,
        col(Reply.external_id) == external_id,
        col(Reply.room) == room,
        col(Reply.person) == person,
    )
    return list(session.execute(statement.order_by(col(Reply.id))).scalars())
