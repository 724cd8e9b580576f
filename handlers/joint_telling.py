"""What is said of a joint dispatch: to the units, to those who reported it, to who answers for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers import tickets
from handlers.context import Context
from handlers.joint import OVER, Called, NewLead, PartState, missing, names, outcome, parts
from handlers.lifecycle import State, path
from handlers.organisation import GroupKind
from handlers.permissions import Actor
from handlers.replies import Place, reporting_places, room_of, say
from handlers.wording import at, clock_of, facts, shorten, spoken
from storage.tables import Ticket, TicketEvent, TicketUnit


def unit_places(ctx: Context, ticket: Ticket) -> list[Place]:
    """The units' groups of the ticket's area and of those above it that the bot is in, nearest first."""
    groups = ctx.organisation.groups_of(GroupKind.UNITS, ticket.area)
    rooms = [room for group in groups if (room := room_of(ctx, ticket.account, group))]
    return [Place(ticket.account, room) for room in dict.fromkeys(rooms)]


def told_where(ctx: Context, ticket: Ticket, some: Sequence[TicketUnit]) -> Mapping[Place, list[TicketUnit]]:
    """Where these units hear of it: in their groups or, where there is none, each member in private."""
    if groups := unit_places(ctx, ticket):
        return {place: list(some) for place in groups}
    found: dict[Place, list[TicketUnit]] = {}
    for part in some:
        for person in ctx.organisation.members(part.unit):
            found.setdefault(Place(ticket.account, "", person.id), []).append(part)
    return found


def tell_call(ctx: Context, ticket: Ticket, called: Called, asked_in: Place, message_id: int) -> None:
    """One line for those who reported it, and what is asked for the units: all of them in one message."""
    everybody = [part for part in parts(ctx, ticket) if part.state != PartState.EXCUSED]
    lead = next((part for part in everybody if part.lead), everybody[0])
    values = facts(ctx, ticket) | {
        "lead": lead.name,
        "count": str(len(everybody)),
        "names": shorten(names(called.fresh), 60),
    }
    key = f"e{called.event.id}"
    where = told_where(ctx, ticket, called.fresh)
    template = "joint.told_more" if not called.first else "joint.told" if everybody[1:] else "joint.told_one"
    for place in dict.fromkeys([*reporting_places(ctx, ticket), asked_in]):
        if place not in where:
            tell(ctx, ticket, place, ctx.texts(template, **values), key, message_id)
    for place, some in where.items():
        own = values | {"names": names(some)}
        tell(ctx, ticket, place, ctx.texts("joint.ask", **own), key, message_id)
    heard = {part.unit for some in where.values() for part in some}
    if unheard := [part for part in called.fresh if part.unit not in heard]:
        text = ctx.texts("joint.unreachable", **values | {"names": names(unheard)})
        tell(ctx, ticket, asked_in, text, f"{key}:unreachable", message_id)


def tell_lead(ctx: Context, ticket: Ticket, changed: NewLead, asked_in: Place) -> None:
    """Who leads now, in the units' groups as well; who is new there is asked to come."""
    lead, former, message_id = changed.lead, changed.former, changed.event.message_id
    values = facts(ctx, ticket) | {"lead": lead.name, "names": lead.name}
    values["former"] = ctx.texts("names.former", former=former.name) if former else ""
    key, text = f"e{changed.event.id}", ctx.texts("joint.new_lead", **values)
    units = told_where(ctx, ticket, [lead, *([former] if former else [])])
    for place in dict.fromkeys([*reporting_places(ctx, ticket), asked_in, *units]):
        tell(ctx, ticket, place, text, key, message_id)
    where = told_where(ctx, ticket, [lead])
    for place in where if changed.fresh else ():
        tell(ctx, ticket, place, ctx.texts("joint.ask", **values), f"{key}:ask", message_id)
    if not where:
        tell(
            ctx, ticket, asked_in, ctx.texts("joint.unreachable", **values), f"{key}:unreachable", message_id
        )


def tell(ctx: Context, ticket: Ticket, place: Place, text: str, key: str, message_id: int | None) -> None:
    say(
        ctx,
        place,
        text,
        key=key,
        ticket=ticket,
        message_id=message_id,
        urgency=min(ticket.urgency, 2),
    )


def meaningful(left: int, of: int) -> bool:
    """Whether it is worth a word how many are left: each time their number has halved."""
    halves = set()
    while of > 1:
        of //= 2
        halves.add(of)
    return left in halves


def tell_step(
    ctx: Context, ticket: Ticket, some: Sequence[TicketUnit], event: TicketEvent, place: Place
) -> None:
    """Confirmed where it was said; arrival and end are told to those who reported it as well."""
    step, everybody = PartState(some[0].state), parts(ctx, ticket)
    called = [part for part in everybody if part.state != PartState.EXCUSED]
    left = [part for part in everybody if part.state not in OVER]
    changes = step is PartState.DONE and meaningful(len(left), len(called))
    values = facts(ctx, ticket) | {
        "names": names(some),
        "note": f"：{spoken(some[0].note)}" if some[0].note and step is not PartState.RECEIVED else "",
        "missing": ctx.texts("joint.missing", names=names(left)) if changes else "",
    }
    places = [place]
    if step is not PartState.RECEIVED:
        places += reporting_places(ctx, ticket)
    if changes:
        places += unit_places(ctx, ticket)
    for one in dict.fromkeys(places):
        tell(ctx, ticket, one, ctx.texts(f"joint.{step}", **values), f"e{event.id}", event.message_id)
    if step is PartState.DONE and not left:
        complete(ctx, ticket, event, place)


def complete(ctx: Context, ticket: Ticket, last: TicketEvent, place: Place) -> None:
    """All have done their part: the ticket waits for somebody else's check, where it can."""
    if path("submit", State(ticket.state)) is None:
        return
    done = [part for part in parts(ctx, ticket) if part.state == PartState.DONE]
    if not done:
        return
    by = Actor(last.actor, last.actor_name, ctx.organisation.role(last.actor))
    said = outcome(done)
    note, message_id = said or names(done), last.message_id or 0
    # Where no unit said what it did, who checks is asked for it.
    event = tickets.act(ctx, ticket, "submit", by, note=note, message_id=message_id, unsaid=not said)
    owner = ctx.organisation.person(ticket.owner or "")
    owners = [owner] if owner else []
    values = facts(ctx, ticket) | {"owner": at(owner, ctx.texts("report.nobody"))}
    for one in dict.fromkeys([*reporting_places(ctx, ticket), place]):
        say(
            ctx,
            one,
            ctx.texts("joint.all_done", **values),
            key=f"e{event.id}",
            ticket=ticket,
            message_id=last.message_id,
            mentions=owners,
            urgency=min(ticket.urgency, 2),
        )


def release(ctx: Context, ticket: Ticket, message_id: int) -> None:
    """The ticket has ended without them: open parts are excused, and the units are told, once."""
    left = missing(ctx, ticket)
    if not left:
        return
    for part in left:
        part.state, part.done_at, part.due_at = PartState.EXCUSED, ctx.now, None
        ctx.session.add(part)
    resolution = ctx.texts(f"names.resolution.{ticket.resolution}")
    told = {*reporting_places(ctx, ticket)}
    for place, some in told_where(ctx, ticket, left).items():
        if place not in told:
            values = facts(ctx, ticket) | {"names": names(some), "resolution": resolution}
            key = f"m{message_id}:released:{ticket.id}"
            tell(ctx, ticket, place, ctx.texts("joint.stood_down", **values), key, message_id)


def tell_again(ctx: Context, ticket: Ticket, some: Sequence[TicketUnit], note: str, message_id: int) -> None:
    """Their people may read along where the units are told, and nowhere else."""
    for place, own in (told_where(ctx, ticket, some) if some else {}).items():
        values = facts(ctx, ticket) | {"names": names(own), "note": spoken(note)}
        text = ctx.texts("joint.again", **values)
        tell(ctx, ticket, place, text, f"m{message_id}:again", message_id)


def lines(ctx: Context, ticket: Ticket) -> str:
    """Where each unit stands and who is missing; "" where no unit was called."""
    found = parts(ctx, ticket)
    if not found:
        return ""
    left = [part for part in found if part.state not in OVER]
    listed = "\n".join(
        ctx.texts(
            "joint.line",
            name=part.name,
            lead=ctx.texts("joint.leads") if part.lead else "",
            state=ctx.texts(f"names.part.{part.state}"),
            at=clock_of(ctx, since(part)),
            note=f" {shorten(part.note, 20)}" if part.note else "",
        )
        for part in found
    )
    left_out = ctx.texts("joint.missing", names=names(left)) if left else ""
    return ctx.texts("joint.lines", count=len(found), missing=left_out, lines=listed)


def since(part: TicketUnit) -> datetime:
    """When it came to where it is."""
    return part.done_at or part.on_scene_at or part.received_at or part.notified_at
