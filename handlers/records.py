"""Who did what beside the tickets: one row in the action log for each change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from handlers.context import Context
from handlers.permissions import Actor
from storage.tables import ActionLog


def note(
    ctx: Context,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    message_id: int = 0,
) -> None:
    """Appends one row. subject: "group:river", "person:zhou"; before, after: values of JSON's types."""
    noted(ctx.session, ctx.now, actor, action, subject, before=before, after=after, message_id=message_id)


def noted(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    message_id: int = 0,
) -> None:
    """The same for who has no world at hand, such as the command line."""
    session.add(
        ActionLog(
            at=now,
            actor=actor.id,
            actor_name=actor.name,
            action=action,
            subject=subject,
            before=dict(before or {}),
            after=dict(after or {}),
            message_id=message_id or None,
        )
    )
