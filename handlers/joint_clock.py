"""A unit that does not answer, or does not come: it is reminded, a few times; then the owner is told."""

from collections.abc import Sequence
from datetime import timedelta

from handlers import tickets
from handlers.context import Context
from handlers.deadlines import quiet_end
from handlers.joint import PartState, names, parts
from handlers.joint_telling import tell, told_where
from handlers.lifecycle import State
from handlers.organisation import Person
from handlers.permissions import BOT
from handlers.replies import Place, command_places, say
from handlers.wording import at, facts
from storage import joint as store
from storage.tables import Ticket, TicketUnit

_WAITS = {PartState.NOTIFIED: "receive", PartState.RECEIVED: "arrive"}


def sweep(ctx: Context, limit: int = 50) -> int:
    """Looks at the tickets with parts that are due, at most `limit`; how many there were."""
    found = store.due_tickets(ctx.session, ctx.now, limit)
    for ticket in found:
        late = [p for p in parts(ctx, ticket) if p.due_at is not None and p.due_at <= ctx.now]
        _look(ctx, ticket, late)
    return len(found)


def _look(ctx: Context, ticket: Ticket, late: Sequence[TicketUnit]) -> None:
    if ticket.state == State.CLOSED:
        return _put_off(ctx, late, None)
    if ticket.state == State.SUSPENDED:
        return _put_off(ctx, late, ctx.rules.joint.every_minutes)
    if ticket.urgency < 3 and (morning := quiet_end(ctx)) is not None:
        return _put_off(ctx, late, (morning - ctx.now).total_seconds() / 60)
    most = ctx.rules.joint.most
    for state, step in _WAITS.items():
        behind = [part for part in late if part.state == state]
        if again := [part for part in behind if part.reminders < most]:
            _remind(ctx, ticket, again, step)
        if silent := [part for part in behind if part.reminders >= most]:
            _tell_owner(ctx, ticket, silent, step)
    _put_off(ctx, [part for part in late if part.state not in _WAITS], None)
    return None


def _put_off(ctx: Context, some: Sequence[TicketUnit], minutes: float | None) -> None:
    for part in some:
        part.due_at = None if minutes is None else ctx.now + timedelta(minutes=minutes)
        ctx.session.add(part)


def _remind(ctx: Context, ticket: Ticket, some: Sequence[TicketUnit], step: str) -> None:
    """All that are late in one message, their people by name."""
    for part in some:
        part.reminders += 1
    _put_off(ctx, some, ctx.rules.joint.every_minutes)
    codes = [part.unit for part in some]
    event = tickets.record(ctx, ticket, "part_remind", BOT, note=names(some), data={"units": codes})
    for place, own in told_where(ctx, ticket, some).items():
        people = _people(ctx, own) if place.room else []
        values = facts(ctx, ticket) | {"names": names(own), "who": at(people)}
        text = ctx.texts(f"joint.remind_{step}", **values)
        say(
            ctx,
            place,
            text,
            key=f"e{event.id}",
            ticket=ticket,
            mentions=people,
            urgency=min(ticket.urgency, 2),
        )


def _people(ctx: Context, some: Sequence[TicketUnit]) -> list[Person]:
    """Who is called by name: the first of each unit."""
    first = [ctx.organisation.members(part.unit)[:1] for part in some]
    return list({person.id: person for found in first for person in found}.values())


def _tell_owner(ctx: Context, ticket: Ticket, some: Sequence[TicketUnit], step: str) -> None:
    """In private; the coordinators where nobody answers for it. Then the unit is left to people."""
    codes = [part.unit for part in some]
    event = tickets.record(ctx, ticket, "part_silent", BOT, note=names(some), data={"units": codes})
    _put_off(ctx, some, None)
    places = [Place(ticket.account, "", ticket.owner)] if ticket.owner else []
    places = places or command_places(ctx, ticket.account, ticket.area)[:1]
    text = ctx.texts(f"joint.silent_{step}", **facts(ctx, ticket), names=names(some))
    for place in places:
        tell(ctx, ticket, place, text, f"e{event.id}", None)
