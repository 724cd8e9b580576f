"""The command that takes back one's own last one: 撤销."""

from handlers import undo
from handlers.commands import target
from handlers.commands.registry import Call, command
from handlers.context import Context
from handlers.permissions import Permission
from handlers.replies import Place, answer, place_of, say
from handlers.undo import CannotUndo, Last, Refusal
from handlers.wording import facts
from storage.tables import Ticket


@command(
    "撤销",
    "undo",
    usage="#撤销 [号]",
    permission=Permission.ANYONE,
    help="刚才的指令发错了，几分钟内收回",
)
def take_back(ctx: Context, call: Call) -> Ticket | None:
    named = None
    if call.number or target.quotes_ticket(ctx, call):
        named = target.find(ctx, call, only_open=False)
        if named is None:
            return None
    last = undo.last_of(ctx, call.actor, named)
    if isinstance(last, Refusal):
        return _refused(ctx, call, last, named)
    if reason := undo.refusal(ctx, call.actor, last):
        return _refused(ctx, call, reason, last.ticket)
    try:
        with ctx.session.begin_nested():
            event = undo.take_back(ctx, call.actor, last, call.incoming.row_id)
    except CannotUndo:
        ctx.session.refresh(last.ticket)
        return _refused(ctx, call, Refusal.FINAL, last.ticket)
    _tell(ctx, call, last, event.id)
    return last.ticket


def _refused(ctx: Context, call: Call, why: Refusal, ticket: Ticket | None) -> Ticket | None:
    minutes = {"minutes": f"{ctx.rules.undo_minutes:g}"}
    values = minutes | (facts(ctx, ticket) if ticket else {})
    answer(ctx, call.incoming, ctx.texts(f"command.undo_{why}", **values), ticket=ticket)
    return ticket


def _tell(ctx: Context, call: Call, last: Last, event_id: int) -> None:
    """Where it was asked for, and wherever something of the command was heard."""
    heard = [Place(*place) for place in undo.unsay(ctx, last)]
    values = facts(ctx, last.ticket) | {"actor": call.actor.name}
    for place in dict.fromkeys([place_of(call.incoming), *heard]):
        say(
            ctx,
            place,
            ctx.texts("event.undo", **values),
            key=f"e{event_id}",
            ticket=last.ticket,
            message_id=call.incoming.row_id,
            urgency=min(last.ticket.urgency, 2),
        )
