"""The commands by which a matter goes up and comes back: 升级 交回."""

import re
from dataclasses import replace

from handlers import ladder, orders, reminders
from handlers.commands import target
from handlers.commands.change import possible_for, refused
from handlers.commands.handover import give_back
from handlers.commands.registry import Call, command
from handlers.context import Context
from handlers.organisation import Level, Role
from handlers.permissions import Permission, covers
from handlers.replies import answer, place_of
from handlers.wording import facts
from storage.tables import Ticket

_NAMED = {"社区": Level.COMMUNITY, "街道": Level.STREET, "区": Level.DISTRICT, "区里": Level.DISTRICT}
_WORDS = {f"转{name}": level for name, level in _NAMED.items()}
_TO = re.compile(r"^(?:到|至|给|转)?(社区|街道|区里?)(?:$|[\s,，:：。]+)")
_LADDER = list(Level)


@command(
    "升级",
    "escalate",
    "转社区",
    "转街道",
    "转区",
    usage="#升级 [号] [原因]",
    permission=Permission.OWNER,
    help="请上一级来办；也可以直接 #转社区、#转街道、#转区 原因",
)
def escalate(ctx: Context, call: Call) -> Ticket | None:
    call, wanted = _wanted(call)
    ticket = target.find(ctx, call, lambda t: wanted is None or t.level != wanted)
    if ticket is None or refused(ctx, call, ticket, "escalate"):
        return ticket
    level = wanted or ladder.above(ctx, ticket) or Level.DISTRICT
    if problem := _problem(ctx, call, ticket, level):
        values = facts(ctx, ticket) | {"area": ladder.desk(ctx, ticket, Level(ticket.level))}
        answer(ctx, call.incoming, ctx.texts(f"command.{problem}", **values), ticket=ticket)
        return ticket
    return _go(ctx, call, ticket, level, "escalate")


def _wanted(call: Call) -> tuple[Call, Level | None]:
    """The level that is named, by the command's word or behind it, and the call without it."""
    named = _TO.match(call.argument)
    if call.word in _WORDS:
        return call, _WORDS[call.word]
    if named is None:
        return call, None
    return replace(call, argument=call.argument[named.end() :]), _NAMED[named[1]]


def _problem(ctx: Context, call: Call, ticket: Ticket, level: Level) -> str:
    """Why it cannot go there, as the name of what is answered; "" where it can."""
    if _LADDER.index(level) <= _LADDER.index(Level(ticket.level)):
        return "at_level"
    if ladder.answers(ctx, ticket, level) is None:
        return "nobody_above"
    if level is not Level.DISTRICT:
        return ""
    if not covers(ctx.organisation, call.actor, ctx.organisation.root, Role.COORDINATOR):
        return "only_street"
    return "" if call.argument else "why_district"


def _go(ctx: Context, call: Call, ticket: Ticket, level: Level, action: str) -> Ticket:
    ladder.go(
        ctx,
        ticket,
        level,
        action,
        call.actor,
        note=call.argument,
        message_id=call.incoming.row_id,
        asked_in=place_of(call.incoming),
    )
    reminders.rest(ctx, ticket)
    return ticket


def _came_up(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether it is at a level that this person speaks for, with another one below."""
    mine = ladder.of_level(ctx, call.actor, ticket, Level(ticket.level))
    return mine and ladder.below(ctx, ticket) is not None and possible_for(ctx, call, ticket, "hand_back")


@command(
    "交回",
    "handback",
    usage="#交回 [号] 原因",
    permission=Permission.OWNER,
    help="上报来的事还归下一级办，交回去",
    glued=True,
    fits=_came_up,
)
def hand_back(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: ladder.below(ctx, t) is not None)
    if ticket is not None and ticket.handler == call.actor.id and orders.held(ctx, ticket):
        return give_back(ctx, call)  # a volunteer's own word for it
    if ticket is None or refused(ctx, call, ticket, "hand_back", wordless=True):
        return ticket
    level = ladder.below(ctx, ticket)
    problem = "nobody_below" if level is None else ""
    if level is not None and not ladder.of_level(ctx, call.actor, ticket, Level(ticket.level)):
        problem = "not_level"
    if problem or level is None:
        values = facts(ctx, ticket) | {"area": ladder.desk(ctx, ticket, Level(ticket.level))}
        answer(ctx, call.incoming, ctx.texts(f"command.{problem}", **values), ticket=ticket)
        return ticket
    if refused(ctx, call, ticket, "hand_back"):
        return ticket
    return _go(ctx, call, ticket, level, "hand_back")
