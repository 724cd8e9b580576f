"""The commands by which those responsible put things right: 改派 重开 备注."""

from collections.abc import Sequence
from dataclasses import replace

from handlers import joint, orders, tickets
from handlers.commands import offering, target
from handlers.commands.change import already, do, person_list, refused
from handlers.commands.handover import NUMBER_AND_NAME, Recipient, is_known, is_slip, units_group, whom
from handlers.commands.leading import new_lead, unit_of
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.lifecycle import State
from handlers.organisation import Group, Person, Role
from handlers.permissions import Permission
from handlers.replies import Place, answer, place_of, reporting_places, say
from handlers.undo import undone
from handlers.wording import at, facts
from storage import tickets as store
from storage.tables import Offer, Ticket

_AT_WORK = {State.DISPATCHED, State.IN_PROGRESS}


@command(
    "改派",
    "reassign",
    usage="#改派 [号] @谁|单位",
    permission=Permission.OWNER,
    help="已派出去的事换人去办",
    glued=True,
)
def reassign(ctx: Context, call: Call) -> Ticket | None:
    glued = NUMBER_AND_NAME.match(call.argument)
    if glued and not call.number and is_known(ctx, glued[2]):
        call = replace(call, number=glued[1], argument=glued[2])
    ticket = target.find(ctx, call, lambda t: t.state in _AT_WORK)
    if ticket is None or refused(ctx, call, ticket, "reassign"):
        return ticket
    person, asked = whom(ctx, call, ticket)
    if not asked:
        raise UsageError
    order = orders.held(ctx, ticket)
    if person is None and (group := offering.group_meant(ctx, call, ticket)):
        return _to_group(ctx, call, ticket, group, order)
    if joint.missing(ctx, ticket):
        return new_lead(ctx, call, ticket, asked, "reassign")
    unit = None if person else unit_of(ctx, asked, ticket.area)
    if len(asked) > 30 or (person is None and unit is None and is_slip(ctx, call.argument, asked)):
        answer(ctx, call.incoming, ctx.texts("command.not_found_person", asked=asked[:30]), ticket=ticket)
        return ticket
    to = Recipient.of(ctx, asked, person, unit)
    if ticket.handler == to.id:
        return already(ctx, call, ticket)
    former, people = _former(ctx, ticket), to.people[:1]
    name = at(former) or ticket.handler_name
    values = {"handler": to.name, "mention": at(people)}
    values["former"] = ctx.texts("names.former", former=name) if name else ""
    do(
        ctx,
        call,
        ticket,
        "reassign",
        note=to.name,
        template=f"event.reassign{to.lacks}",
        values=values,
        mentions=[*people, *former],
        # Who comes anew has to arrive anew.
        changes={**to.changes, "arrived_at": None},
    )
    _relieve(ctx, call, ticket, former, order)
    begun = ticket.state == State.IN_PROGRESS
    to.notify(ctx, call, ticket, "event.reassign_notice" if begun else "event.dispatch_notice")
    return ticket


def _former(ctx: Context, ticket: Ticket) -> list[Person]:
    """Who had it: the person, or the first of a unit. The units of a joint dispatch were told before."""
    if joint.parts(ctx, ticket):
        return person_list(ctx, ticket.handler)
    return ctx.organisation.members(ticket.handler)[:1] if ticket.handler else []


def _to_group(ctx: Context, call: Call, ticket: Ticket, group: Group | str, order: Offer | None) -> Ticket:
    """To a volunteers' group instead, where the first to take it has it."""
    had, former = ticket.handler, person_list(ctx, ticket.handler)
    offering.offer(ctx, call, ticket, group, moving=True)
    if had and ticket.handler is None:
        _relieve(ctx, call, ticket, former, order)
    return ticket


def _relieve(ctx: Context, call: Call, ticket: Ticket, former: Sequence[Person], order: Offer | None) -> None:
    """Who had it is told where he lives, too: a unit in the units' group, anybody else in private.

    Who took it as an order hears of it in the group where he did.
    """
    told = {*reporting_places(ctx, ticket), place_of(call.incoming)}
    values = facts(ctx, ticket)
    values["handler"] = ctx.texts("names.given_to", handler=ticket.handler_name) if ticket.handler else ""
    key = f"m{call.incoming.row_id}:relieved"
    if order is not None and (place := Place(order.account, order.room)) not in told:
        text = ctx.texts("event.relieved", **values | {"former": order.taken_name})
        say(ctx, place, text, key=key, ticket=ticket, message_id=call.incoming.row_id, urgency=2)
        return
    for one in former:
        groups = units_group(ctx, ticket) if one.has(Role.UNIT) else []
        places = groups or [Place(ticket.account, "", one.id)]
        text = ctx.texts("event.relieved", **values | {"former": at(one)})
        for place in places:
            if place not in told and one.id != call.actor.id:
                say(ctx, place, text, key=key, ticket=ticket, mentions=[one], urgency=2)


@command(
    "重开",
    "redo",
    usage="#重开 [号] 原因",
    permission=Permission.OWNER,
    help="办结了的事没办好，重新办",
)
def redo(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.state == State.CLOSED, only_open=False)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED and ticket.merged_into:
        answer(ctx, call.incoming, ctx.texts("command.redo_merged", **facts(ctx, ticket)), ticket=ticket)
        return ticket
    if refused(ctx, call, ticket, "redo"):
        return ticket
    return do(ctx, call, ticket, "redo", note=call.argument, mentions=person_list(ctx, ticket.owner))


@command(
    "备注",
    "remark",
    "memo",
    usage="#备注 [号] 内容",
    permission=Permission.STAFF,
    help="记一条只给工作人员看的备注，请私聊发",
    glued=True,
)
def remark(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "remark"):
        return ticket
    if _remarked(ctx, call, ticket):
        text = ctx.texts("command.remarked_before", **facts(ctx, ticket))
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    row_id = call.incoming.row_id
    tickets.act(ctx, ticket, "remark", call.actor, note=call.argument, message_id=row_id)
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    quiet = call.incoming.is_private or group.kind in target.OVERSIGHT
    text = ctx.texts("command.remarked" if quiet else "command.remarked_here", **facts(ctx, ticket))
    answer(ctx, call.incoming, text, ticket=ticket)
    return ticket


def _remarked(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether this person has put down the same words before."""
    events = store.events(ctx.session, ticket.id)
    gone = undone(events)
    own = [e for e in events if e.action == "remark" and e.actor == call.actor.id and e.id not in gone]
    return any(event.note == call.argument for event in own)
