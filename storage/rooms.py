"""Groups the bot has seen."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import case, select
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
