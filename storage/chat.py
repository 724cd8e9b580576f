"""What a page shows of a conversation of the local chat: what was said, and what the bot answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from storage.tables import Message, Reply, ReplyState

SHEET = "sheet?"  # how a table begins that Reply.picture holds, see handlers/attached.py


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation. `room` is empty in private, where `person` is who talks with the bot."""

    id: str
    room: str
    person: str
    author: str
    text: str
    at: datetime
    from_bot: bool = False
    quote: str = ""
    has_picture: bool = False
    has_sheet: bool = False
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quoted:
    text: str
    author: str


def history(
    session: Session, account: str, room: str, person: str, *, limit: int, before: datetime | None = None
) -> tuple[list[Line], bool]:
    """The last lines, oldest first, and whether there are older ones. `person` counts in private only."""
    lines = [
        *_said(session, account, room, person, limit + 1, before),
        *_answered(session, account, room, person, limit + 1, before),
    ]
    lines.sort(key=lambda line: line.at)
    return lines[-limit:], len(lines) > limit


def _said(
    session: Session, account: str, room: str, person: str, limit: int, before: datetime | None
) -> list[Line]:
    query = select(Message).where(col(Message.account) == account, col(Message.room) == room)
    if not room:
        query = query.where(col(Message.sender) == person)
    if before is not None:
        query = query.where(col(Message.sent_at) < before)
    rows = session.exec(query.order_by(col(Message.id).desc()).limit(limit)).all()
    return [
        Line(
            id=row.external_id,
            room=row.room,
            person=row.sender,
            author=row.sender_name or row.sender,
            text=row.text,
            at=row.sent_at,
            quote=row.quoted_text or "",
            has_picture=row.kind == "image",
            mentions=tuple(row.mentions),
        )
        for row in reversed(rows)
    ]


def _answered(
    session: Session, account: str, room: str, person: str, limit: int, before: datetime | None
) -> list[Line]:
    query = select(Reply).where(
        col(Reply.state) == ReplyState.SENT, col(Reply.account) == account, col(Reply.room) == room
    )
    if not room:
        query = query.where(col(Reply.person) == person)
    if before is not None:
        query = query.where(col(Reply.sent_at) < before)
    rows = session.exec(query.order_by(col(Reply.id).desc()).limit(limit)).all()
    return _as_said(list(reversed(rows)))


def _as_said(rows: Sequence[Reply]) -> list[Line]:
    """Replies that went as one message share its id and are one line."""
    together: dict[str, list[Reply]] = {}
    for row in rows:
        together.setdefault(row.external_id or row.key, []).append(row)
    return [
        Line(
            id=said_as,
            room=first.room,
            person=first.person,
            author="",
            text="\n".join(row.text for row in parts),
            at=first.sent_at or first.created_at,
            from_bot=True,
            has_picture=any(row.picture and not row.picture.startswith(SHEET) for row in parts),
            has_sheet=any((row.picture or "").startswith(SHEET) for row in parts),
            mentions=tuple(mention["id"] for row in parts for mention in row.mentions),
        )
        for said_as, parts in together.items()
        for first in parts[:1]
    ]


def quoted(session: Session, account: str, message_id: str) -> Quoted | None:
    """What is answered: somebody's message or one of the bot's. None where there is no such message."""
    message = session.exec(
        select(Message).where(col(Message.account) == account, col(Message.external_id) == message_id)
    ).first()
    if message is not None:
        return Quoted(message.text, message.sender_name or message.sender)
    replies = session.exec(
        select(Reply)
        .where(col(Reply.external_id) == message_id, col(Reply.account) == account)
        .order_by(col(Reply.id))
    ).all()
    return Quoted(_as_said(replies)[0].text, "") if replies else None


def last_said(session: Session, account: str) -> dict[str, datetime]:
    """When each group last heard something, by room."""
    said = session.exec(
        select(Message.room, func.max(Message.sent_at))
        .where(col(Message.account) == account, col(Message.room) != "")
        .group_by(col(Message.room))
    ).all()
    answered = session.exec(
        select(Reply.room, func.max(Reply.sent_at))
        .where(
            and_(col(Reply.state) == ReplyState.SENT, col(Reply.account) == account, col(Reply.room) != "")
        )
        .group_by(col(Reply.room))
    ).all()
    latest: dict[str, datetime] = {}
    for room, at in [*said, *answered]:
        if at is not None and (room not in latest or at > latest[room]):
            latest[room] = at
    return latest
