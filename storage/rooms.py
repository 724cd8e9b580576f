"""Groups the bot has seen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, case, select, update
from sqlmodel import Session, col

from storage.tables import Room
from storage.upsert import insert_into


def seen(session: Session, rooms: Iterable[tuple[str, str, str, datetime]]) -> None:
    """Notes (account, room, topic, last message at), one row a room; an empty topic changes none."""
    rows = [
        {
            "account": account,
            "id": room,
            "topic": topic,
            "present": True,
            "first_seen_at": at,
            "last_message_at": at,
        }
        for account, room, topic, at in rooms
    ]
    if not rows:
        return
    statement = insert_into(session, Room)
    fresh = statement.excluded
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["account", "id"],
            set_={
                "last_message_at": fresh.last_message_at,
                "present": True,
                "topic": _either(fresh.topic),
            },
        ),
        rows,
    )


def _either(topic: object) -> object:
    return case((topic == "", col(Room.topic)), else_=topic)  # type: ignore[arg-type]


def changed(
    session: Session, account: str, room: str, at: datetime, *, topic: str = "", present: bool = True
) -> None:
    """The bot entered or left a group, or the group was renamed."""
    left_at = None if present else at
    statement = insert_into(session, Room).values(
        account=account, id=room, topic=topic, present=present, first_seen_at=at, left_at=left_at
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "id"],
            set_={"topic": _either(statement.excluded.topic), "present": present, "left_at": left_at},
        )
    )


def by_topic(session: Session, account: str, topic: str) -> str | None:
    """The id of the group with that name, the one the bot is in and saw last."""
    statement = (
        select(col(Room.id))
        .where(col(Room.account) == account, col(Room.topic) == topic)
        .order_by(col(Room.present).desc(), col(Room.first_seen_at).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def rename(session: Session, account: str, room: str, topic: str, at: datetime) -> str:
    """Notes that the group is called `topic` now; what it was called before, "" where it is no new name."""
    row = session.execute(_one(account, room).with_for_update()).scalar_one_or_none()
    if row is None or not row.topic or row.topic == topic:
        return ""
    former: str = row.topic
    row.former_topic, row.renamed_at, row.topic = former, at, topic
    session.flush()
    return former


def greet(session: Session, account: str, room: str, at: datetime) -> bool:
    """Whether this is the first time; of two who ask at once one is."""
    ungreeted = (col(Room.account) == account, col(Room.id) == room, col(Room.greeted_at).is_(None))
    statement = update(Room).where(*ungreeted).values(greeted_at=at)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def owner_left(session: Session, account: str, room: str, at: datetime | None) -> None:
    """Notes when one of those who answer for the group left it; None: one of them is there."""
    here = [col(Room.account) == account, col(Room.id) == room]
    if at is None:
        here.append(col(Room.owner_left_at).is_not(None))
    session.execute(update(Room).where(*here).values(owner_left_at=at))


def silence(session: Session, account: str, room: str, until: datetime | None) -> datetime | None:
    """Sets until when the group is left in peace; until when it had been before."""
    row = session.execute(_one(account, room).with_for_update()).scalar_one_or_none()
    if row is None:
        return None
    before: datetime | None = row.silent_until
    row.silent_until = until
    session.flush()
    return before


def silent_until(session: Session, account: str, room: str) -> datetime | None:
    row = session.get(Room, (account, room))
    return row.silent_until if row else None


def _one(account: str, room: str) -> Any:
    return select(Room).where(col(Room.account) == account, col(Room.id) == room)


def names(session: Session) -> list[tuple[str, str]]:
    """(id, topic) of every group that was ever seen."""
    rows = session.execute(select(col(Room.id), col(Room.topic)))
    return [(id, topic) for id, topic in rows]
