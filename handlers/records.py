"""Who did what beside the tickets: one row in the action log for each change."""

from collections.abc import Mapping
from typing import Any

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
    ctx.session.add(
        ActionLog(
            at=ctx.now,
            actor=actor.id,
            actor_name=actor.name,
            action=action,
            subject=subject,
            before=dict(before or {}),
            after=dict(after or {}),
            message_id=message_id or None,
        )
    )
