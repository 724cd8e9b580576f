"""Orders: a service ticket is offered to a volunteers' group, and the first who replies 接单 has it.

Volunteers' groups only: the street put them together for this. Couriers' groups are open to anybody.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from classifiers.verdict import Label
from handlers import sides, tickets
from handlers.commands.parsing import FULL_NUMBER, Parsed
from handlers.context import Context
from handlers.deadlines import quiet_end
from handlers.incoming import Incoming, MessageKind
from handlers.lifecycle import State
from handlers.organisation import Group, GroupKind, Organisation, Role
from handlers.permissions import BOT, Actor
from handlers.replies import Place, answer, command_places, place_of, reporting_places, say
from handlers.wording import facts, spoken
from storage import offers as store
from storage import replies as outbox
from storage import rooms
from storage import tickets as ticket_store
from storage.tables import Offer, Ticket, TicketEvent

_REMEMBERED = timedelta(days=7)  # an order older than that is not spoken of any more
_SAME_MOMENT = timedelta(minutes=2)  # who replies so shortly after meant what was taken just now
_TICKET = rf"(?:{FULL_NUMBER}|[0-9]{{1,5}})"
_WORD = re.compile(
    rf"^[#＃]?(?:(?P<before>{_TICKET})[号单]?[\s,，:：]*)?我?(?:来|要)?(?:接单|接|抢单)(?:了|吧)?"
    rf"(?:[\s#＃]*(?P<after>{_TICKET})[号单]?)?[\s,，。.!！~～]*$"
)
_MENTIONS = re.compile(r"^(?:@[^\s\u2005]+[\s\u2005]+)+")
_NUMBER = re.compile(FULL_NUMBER)


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody in a volunteers' group seems to take an order. `typed`: as a command, which is answered."""

    number: str
    typed: bool = False


def heard(organisation: Organisation, incoming: Incoming, command: Parsed | None) -> Claim | None:
    """Whether the message looks like a claim. Asked of every message: no look into the database."""
    group = organisation.group(incoming.room, incoming.room_topic)
    if incoming.is_private or group.kind is not GroupKind.VOLUNTEER or incoming.kind is not MessageKind.TEXT:
        return None
    if command is not None:
        return Claim(command.number, typed=True) if command.command.name == "接单" else None
    found = _WORD.match(_MENTIONS.sub("", incoming.text.strip()))
    return Claim((found["before"] or found["after"] or "").upper()) if found else None


def refusal(ctx: Context, ticket: Ticket) -> str:
    """Why the ticket is not for volunteers, "" where it is: only what is asked for, and never danger."""
    if ticket.urgency == 3:
        return ctx.texts("order.urgent", **facts(ctx, ticket))
    if ticket.label != Label.SERVICE:
        return ctx.texts("order.no_service", **facts(ctx, ticket))
    return ""


def groups(ctx: Context, area: str) -> list[Group]:
    """The volunteers' groups of the area and of those above it, nearest first."""
    return ctx.organisation.groups_of(GroupKind.VOLUNTEER, area)


def group_named(ctx: Context, words: str, area: str) -> Group | None:
    """The volunteers' group of that name, or the nearest one whose name holds the words."""
    everywhere = [g for g in ctx.organisation.groups if g.kind is GroupKind.VOLUNTEER and g.topic]
    near = [g for g in groups(ctx, area) if g.topic]
    short = words.removesuffix("群")
    exact = [g for g in everywhere if g.topic in {words, f"{words}群"}]
    return next(iter([*exact, *(g for g in near if len(short) > 1 and short in g.topic)]), None)


def offer(
    ctx: Context, ticket: Ticket, event: TicketEvent, room: str, topic: str, by: str, said_in: Sequence[Place]
) -> None:
    """Offers the ticket to the group; an order that is still open elsewhere is withdrawn."""
    _open(ctx, ticket, room, topic, by)
    there = Place(ticket.account, room)
    values = facts(ctx, ticket) | {"group": topic}
    for place in dict.fromkeys([*reporting_places(ctx, ticket), *said_in]):
        if place != there:
            _say(ctx, ticket, place, ctx.texts("order.told", **values), event)
    _say(ctx, ticket, there, ctx.texts("order.ask", **values), event)


def offer_again(ctx: Context, ticket: Ticket, event: TicketEvent, order: Offer, said_in: Place) -> None:
    """Who had taken it handed it back, by that event: the group is asked once more."""
    _open(ctx, ticket, order.room, order.topic, order.made_by)
    there = Place(ticket.account, order.room)
    values = facts(ctx, ticket) | {
        "actor": event.actor_name,
        "note": spoken(event.note),
        "group": order.topic,
    }
    for place in dict.fromkeys([there, *reporting_places(ctx, ticket), said_in]):
        key = "order.again" if place == there else "order.returned"
        _say(ctx, ticket, place, ctx.texts(key, **values), event)


def _open(ctx: Context, ticket: Ticket, room: str, topic: str, by: str) -> None:
    """A night or a time of peace in the group does not count as waiting."""
    store.end(ctx.session, ticket.id, "withdrawn")
    heard_from = rooms.silent_until(ctx.session, ticket.account, room)
    begins = max(quiet_end(ctx) or ctx.now, heard_from or ctx.now)
    ctx.session.add(
        Offer(
            ticket_id=ticket.id,
            account=ticket.account,
            room=room,
            topic=topic,
            made_by=by,
            made_at=ctx.now,
            expires_at=begins + timedelta(minutes=ctx.rules.orders.minutes),
        )
    )


def _say(ctx: Context, ticket: Ticket, place: Place, text: str, event: TicketEvent, suffix: str = "") -> None:
    urgency = min(ticket.urgency, 2)
    message_id = event.message_id
    say(ctx, place, text, key=f"e{event.id}{suffix}", ticket=ticket, message_id=message_id, urgency=urgency)


def handle(ctx: Context, incoming: Incoming, claim: Claim) -> Ticket | None:
    """Takes the claim; None where no order is meant, and the message is read as anything else."""
    since = ctx.now - _REMEMBERED
    here = store.in_room(ctx.session, incoming.account, incoming.room, since)
    meant = _meant(ctx, incoming, claim, here) if here else []
    if len(meant) > 1:
        return _ask_which(ctx, incoming, meant)
    if not meant:
        return None
    # The ticket first, then its order: here as everywhere.
    ticket = ticket_store.locked(ctx.session, meant[0].ticket_id)
    sides.watch(ctx, ticket)
    found = store.last_of(ctx.session, ticket.id)
    assert found is not None
    actor = tickets.actor_of(ctx, incoming)
    if not tickets.is_free(ticket) or refusal(ctx, ticket):
        store.end(ctx.session, ticket.id, "withdrawn")  # it went another way meanwhile
    elif found.room == incoming.room and store.take(
        ctx.session, found.id, actor.id, actor.name[:60], ctx.now
    ):
        _taken(ctx, incoming, ticket, found, actor)
        return ticket
    _too_late(ctx, incoming, ticket, claim)
    return ticket


def _meant(ctx: Context, incoming: Incoming, claim: Claim, here: list[Offer]) -> list[Offer]:
    """By number or quote; else what the bot spoke of last, or the only one that is open."""
    if claim.number or incoming.quote:
        return _named(ctx, incoming, claim, here)
    spoken_of = outbox.last_ticket(ctx.session, incoming.account, incoming.room)
    last = [offer for offer in here if offer.ticket_id == spoken_of]
    person = ctx.organisation.person(incoming.sender)
    if spoken_of and not last and person is not None and person.has(Role.GRID_OWNER, Role.COORDINATOR):
        return []  # he accepts what he answers for
    open_ = [offer for offer in here if offer.state == "open"]
    just_now = [o for o in last if o.taken_at is not None and ctx.now - o.taken_at <= _SAME_MOMENT]
    return [o for o in last if o.state == "open"] or just_now or open_ or last


def _named(ctx: Context, incoming: Incoming, claim: Claim, here: list[Offer]) -> list[Offer]:
    ids: set[int] = set()
    numbers: set[str] = set()
    if claim.number:
        numbers = {claim.number}
    elif incoming.quote is not None:
        numbers = set(_NUMBER.findall(incoming.quote.text.upper()))
        if incoming.quote.id:
            ids = set(ticket_store.of_quoted(ctx.session, incoming.account, incoming.quote.id))
    found = []
    for one in here:
        ticket = ctx.session.get_one(Ticket, one.ticket_id)
        if one.ticket_id in ids or ticket.number in numbers or f"{ticket.running}" in numbers:
            found.append(one)
    if claim.number.isdigit():  # of short numbers that came again the open one, else the newest
        return [one for one in found if one.state == "open"] or found[:1]
    return found


def _ask_which(ctx: Context, incoming: Incoming, meant: list[Offer]) -> Ticket:
    found = [ctx.session.get_one(Ticket, offer.ticket_id) for offer in meant]
    listed = "\n".join(ctx.texts("order.which_line", **facts(ctx, ticket)) for ticket in found[:8])
    answer(ctx, incoming, ctx.texts("order.which", lines=listed))
    return found[0]


def _taken(ctx: Context, incoming: Incoming, ticket: Ticket, offer: Offer, actor: Actor) -> None:
    """He has it in hand now; what the group need not read he is told in private."""
    event = tickets.act(
        ctx,
        ticket,
        "order",
        actor,
        note=offer.topic,
        message_id=incoming.row_id,
        changes={"handler": actor.id, "handler_name": actor.name},
        offer=offer.id,
    )
    values = facts(ctx, ticket) | {"actor": actor.name}
    here = place_of(incoming)
    for place in dict.fromkeys([here, *reporting_places(ctx, ticket)]):
        key = "order.taken" if place == here else "event.accept"
        _say(ctx, ticket, place, ctx.texts(key, **values), event)
    _say(
        ctx, ticket, Place(ticket.account, "", actor.id), ctx.texts("order.details", **values), event, ":own"
    )


def _too_late(ctx: Context, incoming: Incoming, ticket: Ticket, claim: Claim) -> None:
    """Told kindly, once an order; who typed a command is answered in any case."""
    last = store.last_of(ctx.session, ticket.id)
    assert last is not None
    values = facts(ctx, ticket)
    if last.state == "taken" and last.taken_by == incoming.sender:
        answer(ctx, incoming, ctx.texts("order.own", **values), ticket=ticket)
        return
    key = f"o{last.id}:late"
    told = outbox.said_lately(ctx.session, ticket.id, incoming.room, key, last.made_at)
    if told and not claim.typed:
        return
    taken = last.state == "taken"
    values |= {"who": last.taken_name} if taken else {}
    text = ctx.texts("order.gone" if taken else "order.over", **values)
    if told:
        answer(ctx, incoming, text, ticket=ticket)
        return
    say(ctx, place_of(incoming), text, key=key, ticket=ticket, message_id=incoming.row_id)


def held(ctx: Context, ticket: Ticket) -> Offer | None:
    """The order by which the ticket's handler has it."""
    last = store.last_of(ctx.session, ticket.id) if ticket.handler else None
    return last if last is not None and last.state == "taken" and last.taken_by == ticket.handler else None


def waiting(ctx: Context, ticket: Ticket) -> str:
    """That the ticket waits for somebody to take it, "" where it does not."""
    last = store.last_of(ctx.session, ticket.id)
    if last is None or last.state != "open" or not tickets.is_free(ticket):
        return ""
    return ctx.texts("order.waits", group=last.topic)


def sweep(ctx: Context, limit: int = 50) -> int:
    """Takes back the orders that nobody took in time, at most `limit`; how many there were."""
    found = store.due(ctx.session, ctx.now, limit)
    morning = quiet_end(ctx)
    for ticket in found:
        last = store.last_of(ctx.session, ticket.id)
        assert last is not None
        if not tickets.is_free(ticket):
            store.end(ctx.session, ticket.id, "withdrawn")
        elif morning is not None:
            last.expires_at = morning + timedelta(minutes=ctx.rules.orders.minutes)
            ctx.session.add(last)
        else:
            _unclaimed(ctx, ticket, last)
    return len(found)


def _unclaimed(ctx: Context, ticket: Ticket, offer: Offer) -> None:
    """Back to who answers for it, in private; to the coordinators where nobody does."""
    store.end(ctx.session, ticket.id, "expired")
    event = tickets.record(ctx, ticket, "unclaimed", BOT, note=offer.topic)
    places = [Place(ticket.account, "", ticket.owner)] if ticket.owner else []
    places = places or command_places(ctx, ticket.account, ticket.area)[:1]
    key = "order.unclaimed" if ticket.state == State.ACCEPTED else "order.unclaimed_begun"
    text = ctx.texts(key, **facts(ctx, ticket), group=offer.topic)
    for place in places:
        _say(ctx, ticket, place, text, event)
