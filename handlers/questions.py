"""Asking one person, once, for what a command lacked: how it was done, what is wrong with it.

The next plain thing that the same person says there is the answer (handlers/answers.py).
"""

from datetime import timedelta

from handlers.context import Context
from handlers.incoming import Incoming
from handlers.replies import answer
from handlers.wording import facts
from storage import questions as store
from storage.questions import Where
from storage.tables import Question, Ticket

_PATIENCE = timedelta(minutes=30)  # later words are about something else


def where(incoming: Incoming) -> Where:
    return incoming.account, incoming.room, incoming.sender


def ask(ctx: Context, incoming: Incoming, ticket: Ticket, command: str, argument: str, text: str) -> bool:
    """Asks, and waits for the answer; False, and nothing said, where just that was asked before.

    text: the key of the sentence. argument: what was said of it so far.
    """
    before = store.of(ctx.session, where(incoming), ctx.now)
    if before is not None and (before.ticket_id, before.command) == (ticket.id, command):
        return False
    question = Question(
        account=incoming.account,
        room=incoming.room,
        person=incoming.sender,
        ticket_id=ticket.id,
        number=ticket.number,
        message_id=incoming.row_id,
        command=command,
        argument=argument[:200],
        expires_at=ctx.now + _PATIENCE,
    )
    store.put(ctx.session, question)
    answer(ctx, incoming, ctx.texts(text, **facts(ctx, ticket)), ticket=ticket)
    return True


def settle(ctx: Context, incoming: Incoming, command: str) -> None:
    """The command was given with all that it needs: nothing is waited for any more."""
    before = store.of(ctx.session, where(incoming), ctx.now)
    if before is not None and before.command == command:
        store.forget(ctx.session, where(incoming))
