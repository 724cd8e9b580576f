"""Commands in chat: `parse` finds one in a text, `run` does it. One module per family of commands."""

from dataclasses import replace

from handlers import questions
from handlers.commands import (
    asking,
    duty,
    extension,
    handover,
    information,
    joining,
    joint,
    ladder,
    oversight,
    own_data,
    quiet,
    reporter,
    roster,
    signin,
    tracks,
    undo,
    visits,
    work,
    wrong_joins,
)
from handlers.commands.joining import BINDING
from handlers.commands.parsing import Parsed, parse
from handlers.commands.registry import GOES_ON, Call, NoteMissing, UsageError, all_commands
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.permissions import Permission, could
from handlers.replies import answer
from handlers.tickets import actor_of
from storage import tickets as store
from storage.tables import Ticket

__all__ = [
    "BINDING",
    "Parsed",
    "all_commands",
    "asking",
    "duty",
    "extension",
    "handover",
    "information",
    "joining",
    "joint",
    "ladder",
    "oversight",
    "own_data",
    "parse",
    "quiet",
    "reporter",
    "roster",
    "run",
    "signin",
    "tracks",
    "undo",
    "visits",
    "work",
    "wrong_joins",
]


def run(ctx: Context, incoming: Incoming, parsed: Parsed) -> Ticket | None:
    """Does the command and answers it; the ticket it spoke of, if any."""
    ctx = replace(ctx, commanded=(incoming.account, incoming.room))
    actor = actor_of(ctx, incoming)
    call = Call(parsed.command, incoming, actor, parsed.number, parsed.argument, parsed.word)
    if not could(parsed.command.permission, actor) and not _was_asked(ctx, call):
        answer(ctx, incoming, ctx.texts(f"permission.{parsed.command.permission}"))
        return None
    try:
        ticket = parsed.command.handler(ctx, call)
    except NoteMissing as missing:
        return _ask(ctx, call, missing)
    except UsageError:
        answer(ctx, incoming, ctx.texts("command.usage", usage=parsed.command.usage))
        return None
    questions.settle(ctx, incoming, parsed.command.name)
    return ticket


def _ask(ctx: Context, call: Call, missing: NoteMissing) -> Ticket:
    """Once; who still says nothing of it hears how the command is used, or it is done without."""
    name, ticket = call.command.name, missing.ticket
    if questions.ask(ctx, call.incoming, ticket, name, missing.said, missing.ask):
        return ticket
    if name in GOES_ON:
        parsed = Parsed(call.command, ticket.number, ctx.texts("command.no_reason"))
        return run(ctx, call.incoming, parsed) or ticket
    answer(ctx, call.incoming, ctx.texts("command.usage", usage=call.command.usage), ticket=ticket)
    return ticket


_ALSO_OF_TAKERS = {"交回"}  # who has taken an order says it for 退回


def _was_asked(ctx: Context, call: Call) -> bool:
    """Whether something was given to this person to do: who has it in hand may say how it goes, whoever."""
    if call.command.permission is not Permission.STAFF and call.command.name not in _ALSO_OF_TAKERS:
        return False
    return any(ticket.handler == call.actor.id for ticket in store.of_person(ctx.session, call.actor.id, 50))
