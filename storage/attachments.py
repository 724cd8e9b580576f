"""Pictures of reports: wanted, kept, or failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from storage.tables import Attachment, AttachmentState, Message


@dataclass(frozen=True, slots=True)
class Wanted:
    message_id: int
    account: str
    external_id: str
    attempts: int


def wanted(session: Session, now: datetime, limit: int = 20) -> list[Wanted]:
    """Pictures to be fetched now, longest wanted first."""
    statement = (
        select(
            col(Attachment.message_id),
            col(Message.account),
            col(Message.external_id),
            col(Attachment.attempts),
        )
        .join(Message, col(Message.id) == col(Attachment.message_id))
        .where(col(Attachment.state) == AttachmentState.WANTED, col(Attachment.due_at) <= now)
        .order_by(col(Attachment.due_at))
        .limit(limit)
    )
    return [Wanted(*row) for row in session.execute(statement)]


def kept(session: Session, message_id: int, path: str, size: int) -> None:
    session.execute(
        update(Attachment)
        .where(col(Attachment.message_id) == message_id)
        .values(state=AttachmentState.KEPT, path=path, size=size, error=None)
    )


def failed(session: Session, message_id: int, error: str, retry_at: datetime | None) -> None:
    """Not fetched: wanted again from `retry_at` on, or given up where that is None."""
    state = AttachmentState.WANTED if retry_at else AttachmentState.FAILED
    values: dict[str, Any] = {"state": state, "error": error, "attempts": col(Attachment.attempts) + 1}
    if retry_at:
        values["due_at"] = retry_at
    session.execute(update(Attachment).where(col(Attachment.message_id) == message_id).values(**values))


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 ... minutes."""
    return timedelta(minutes=2**attempts)
