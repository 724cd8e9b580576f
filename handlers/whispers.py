"""Words for one person's eyes: sealed in the outbox until they are sent: no page and no backup shows them.

There is no room to name: what the care register holds cannot be said in a group by this way.
"""

from handlers.context import Context
from handlers.incoming import Incoming
from storage.tables import Reply, Ticket


def whisper(
    ctx: Context,
    account: str,
    person: str,
    text: str,
    *,
    key: str,
    ticket: Ticket | None = None,
    message_id: int | None = None,
    urgency: int = 1,
) -> None:
    """Puts one private message into the outbox. `key` is unique, as for `say`."""
    vault = ctx.care.vault
    assert vault is not None, "nothing of the register is known without its key"
    ctx.session.add(
        Reply(
            key=f"{key}:@{person}",
            account=account,
            person=person,
            text=ctx.texts("care.stand_in", number=ticket.number if ticket else ""),
            sealed=vault.seal(text),
            urgency=urgency,
            ticket_id=ticket.id if ticket else None,
            message_id=message_id or None,
            created_at=ctx.now,
            due_at=ctx.now,
        )
    )


def whisper_back(ctx: Context, incoming: Incoming, text: str) -> None:
    """Answers somebody who wrote in private."""
    assert incoming.is_private
    whisper(
        ctx,
        incoming.account,
        incoming.sender,
        text,
        key=f"m{incoming.row_id}:answer",
        message_id=incoming.row_id,
    )
