"""The commands about what it takes to end a matter: 核查 大事 小事."""

import re
from dataclasses import replace

from handlers import tracks
from handlers.commands import target
from handlers.commands.change import already, do, person_list, refused
from handlers.commands.registry import Call, NoteMissing, UsageError, command
from handlers.commands.work import checked, must_be_seen
from handlers.context import Context
from handlers.lifecycle import State
from handlers.permissions import Permission
from handlers.replies import Place, answer, place_of, reporting_places, say
from handlers.track_rules import Track
from handlers.wording import at, facts
from storage.tables import Ticket

_RESULT = re.compile(
    r"^(?:(通过|属实|合格|ok)|(返工|退回|不通过|不合格|redo))[\s,，:：。]*(.*)$", re.DOTALL | re.IGNORECASE
)


@command(
    "核查",
    "check",
    "verify",
    usage="#核查 [号] 通过|返工 [说明]",
    permission=Permission.OWNER,
    help="看过了：办好了就通过，没办好返工（写原因）",
    glued=True,
)
def check(ctx: Context, call: Call) -> Ticket | None:
    result = _RESULT.match(call.argument)
    if result is None:
        raise UsageError
    ticket = target.find(ctx, call, lambda t: t.state == State.PENDING_CHECK)
    if ticket is None:
        return None
    call = replace(call, argument=result[3])
    if result[1]:
        if ticket.state == State.CLOSED:
            return already(ctx, call, ticket)
        if refused(ctx, call, ticket, "check", wordless=True):
            return ticket
        try:
            return checked(ctx, call, ticket)
        except NoteMissing as missing:
            raise NoteMissing(ticket, missing.ask, result[1]) from None
    return ticket if refused(ctx, call, ticket, "rework") else sent_back(ctx, call, ticket)


def sent_back(ctx: Context, call: Call, ticket: Ticket) -> Ticket:
    """Not done yet: who did it goes on."""
    people = person_list(ctx, ticket.handler)
    values = {"mention": at(people)}
    return do(ctx, call, ticket, "rework", note=call.argument, mentions=people, values=values)


@command(
    "大事",
    "large",
    usage="#大事 [号] [原因]",
    permission=Permission.OWNER,
    help="转为大事：指挥群盯着，办完由别人核实",
    bare=True,
)
def lift(ctx: Context, call: Call) -> Ticket | None:
    return _turn(ctx, call, Track.LARGE)


@command(
    "小事",
    "small",
    usage="#小事 [号] [原因]",
    permission=Permission.OWNER,
    help="转为小事：照常办结，不用别人核实",
    bare=True,
)
def lower(ctx: Context, call: Call) -> Ticket | None:
    return _turn(ctx, call, Track.SMALL)


def _turn(ctx: Context, call: Call, track: Track) -> Ticket | None:
    action = "lift" if track is Track.LARGE else "lower"
    ticket = target.find(ctx, call, lambda t: t.track != track)
    if ticket is None or refused(ctx, call, ticket, action):
        return ticket
    if ticket.track == track:
        values = facts(ctx, ticket) | {"track": ctx.texts(f"names.track.{track}")}
        answer(ctx, call.incoming, ctx.texts("command.track_same", **values), ticket=ticket)
        return ticket
    if track is Track.SMALL and ticket.urgency == 3 and (others := must_be_seen(ctx, call, ticket)):
        text = ctx.texts("command.lower_own", **facts(ctx, ticket), owner=others[0].name)
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    do(ctx, call, ticket, action, note=call.argument, changes={"track": track})
    if track is Track.SMALL:
        _tell_above(ctx, call, ticket)
    return ticket


def _tell_above(ctx: Context, call: Call, ticket: Ticket) -> None:
    """Who watched it hears that it is watched no more."""
    told = {*reporting_places(ctx, ticket), place_of(call.incoming)}
    above: list[Place] = [place for place in tracks.watchers(ctx, ticket) if place not in told]
    for place in above:
        text = ctx.texts("event.lower", **facts(ctx, ticket), actor=call.actor.name)
        say(ctx, place, text, key=f"m{call.incoming.row_id}:lower", ticket=ticket, urgency=1)
