"""The commands that only tell: 帮助 进度."""

from handlers import joint_telling, orders, undo
from handlers.commands import target
from handlers.commands.registry import Call, all_commands, command
from handlers.context import Context
from handlers.organisation import GroupKind, Role
from handlers.permissions import Permission, could, covers
from handlers.replies import answer
from handlers.wording import clock_of, facts, shorten
from storage import tickets as store
from storage.tables import Ticket

_STAFF = (Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR)


@command("帮助", "help", "?", "？", usage="#帮助", permission=Permission.ANYONE, help="看我能听懂什么")
def help_(ctx: Context, call: Call) -> Ticket | None:
    """What this person may do here."""
    lines = "\n".join(
        ctx.texts("command.help_line", usage=entry.usage, help=entry.help)
        for entry in all_commands()
        if could(entry.permission, call.actor)
    )
    answer(ctx, call.incoming, ctx.texts("command.help", lines=lines))
    return None


@command("进度", "status", "progress", usage="#进度 [号]", permission=Permission.ANYONE, help="看办到哪一步")
def progress(ctx: Context, call: Call) -> Ticket | None:
    """One ticket's state, or without a number the open ones the person has to do with."""
    if call.number or target.quotes_ticket(ctx, call):
        ticket = target.find(ctx, call, only_open=False)
        if ticket is not None:
            answer(ctx, call.incoming, _detail(ctx, call, ticket), ticket=ticket)
        return ticket
    mine = store.of_person(ctx.session, call.actor.id)
    if mine:
        text = target.lines(ctx, mine)
    elif here := target.open_here(ctx, call):
        text = ctx.texts("command.progress_here", lines=target.lines(ctx, here))
    else:
        text = ctx.texts("command.progress_none")
    answer(ctx, call.incoming, text)
    return None


def _detail(ctx: Context, call: Call, ticket: Ticket) -> str:
    hidden = {"open", "recur"} | (set() if _among_staff(ctx, call, ticket) else {"remark"})
    trail = store.events(ctx.session, ticket.id)
    gone = undo.undone(trail)
    told = [event for event in trail if event.note and event.action not in hidden and event.id not in gone]
    last = ""
    if told:
        at, note = clock_of(ctx, told[-1].at), shorten(told[-1].note)
        last = "\n" + ctx.texts("command.progress_last", at=at, note=note)
    opened = clock_of(ctx, ticket.opened_at)
    detail = ctx.texts("command.progress_detail", **facts(ctx, ticket), opened=opened, last=last)
    more = (orders.waiting(ctx, ticket), joint_telling.lines(ctx, ticket))
    return "\n".join(part for part in (detail, *more) if part)


def _among_staff(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether nobody reads along whom the staff's remarks are kept from."""
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    alone = call.incoming.is_private or group.kind is GroupKind.COORDINATORS
    return alone and covers(ctx.organisation, call.actor, ticket.area, *_STAFF)
