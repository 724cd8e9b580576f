"""派单 to a volunteers' group, and the taker's handing back: what the commands do about orders."""

from handlers import joint, orders, tickets
from handlers.commands.change import already, do, person_list, refused, wrong_state
from handlers.commands.leading import only_units
from handlers.commands.registry import Call
from handlers.context import Context
from handlers.lifecycle import State
from handlers.organisation import Group
from handlers.replies import answer, place_of, room_of
from handlers.wording import facts
from storage import offers
from storage.tables import Offer, Ticket

_LONGEST = 30  # characters of a group's name


def group_meant(ctx: Context, call: Call, ticket: Ticket) -> Group | str | None:
    """The volunteers' group that is named; the word where there is none of that name. None: no group."""
    word = call.argument.strip(" \u2005@＠，。")
    if not word.endswith("群") or len(word) > _LONGEST:
        return None
    return orders.group_named(ctx, word, ticket.area) or word


def offer(ctx: Context, call: Call, ticket: Ticket, group: Group | str, *, moving: bool = False) -> Ticket:
    """Offers the ticket to the group, or says why not. moving: away from who has it in hand."""
    if refused(ctx, call, ticket, "offer"):
        return ticket
    if not moving and orders.held(ctx, ticket):
        return already(ctx, call, ticket)
    if not moving and ticket.handler and ticket.state == State.IN_PROGRESS:
        answer(ctx, call.incoming, wrong_state(ctx, call, ticket), ticket=ticket)
        return ticket
    if joint.missing(ctx, ticket):
        return only_units(ctx, call, ticket)
    room = room_of(ctx, ticket.account, group) if isinstance(group, Group) else None
    if isinstance(group, str) or room is None:
        answer(ctx, call.incoming, _no_group(ctx, ticket, group), ticket=ticket)
        return ticket
    if why := orders.refusal(ctx, ticket):
        answer(ctx, call.incoming, why, ticket=ticket)
        return ticket
    last = offers.last_of(ctx.session, ticket.id)
    if last is not None and last.state == "open" and last.room == room:
        text = ctx.texts("order.already", **facts(ctx, ticket), group=last.topic)
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    event = tickets.act(
        ctx,
        ticket,
        "offer",
        call.actor,
        note=group.topic,
        message_id=call.incoming.row_id,
        # Who comes anew has to arrive anew.
        changes={"handler": None, "handler_name": "", "arrived_at": None},
    )
    orders.offer(ctx, ticket, event, room, group.topic, call.actor.id, [place_of(call.incoming)])
    return ticket


def _no_group(ctx: Context, ticket: Ticket, group: Group | str) -> str:
    known = orders.groups(ctx, ticket.area)
    names = "、".join(g.topic for g in known if g.topic and room_of(ctx, ticket.account, g))
    asked = group if isinstance(group, str) else group.topic
    return ctx.texts("order.no_group" if names else "order.no_groups", asked=asked, names=names)


def taken_back(ctx: Context, call: Call, ticket: Ticket, order: Offer) -> Ticket:
    """Its taker hands it back: the group is asked again, unless it is nothing for volunteers any more."""
    if refused(ctx, call, ticket, "order_back"):
        return ticket
    offers.give_back(ctx.session, order.id)
    # Who comes anew has to arrive anew.
    nobody = {"handler": None, "handler_name": "", "arrived_at": None}
    if orders.refusal(ctx, ticket):
        owner = person_list(ctx, ticket.owner)
        return do(
            ctx,
            call,
            ticket,
            "order_back",
            note=call.argument,
            template="event.return",
            mentions=owner,
            changes=nobody,
        )
    event = tickets.act(
        ctx,
        ticket,
        "order_back",
        call.actor,
        note=call.argument,
        message_id=call.incoming.row_id,
        changes=nobody,
    )
    orders.offer_again(ctx, ticket, event, order, place_of(call.incoming))
    return ticket
