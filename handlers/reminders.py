"""A deadline has passed: the owner is reminded, a few times; then the ticket climbs one level."""

from datetime import timedelta

from handlers import tickets
from handlers.context import Context
from handlers.deadlines import quiet_end
from handlers.lifecycle import State
from handlers.organisation import Level, Person, Role
from handlers.permissions import BOT
from handlers.replies import Place, command_places, group_name, reporting_places, say
from handlers.wording import at, facts
from storage import tickets as store
from storage.tables import Ticket


def sweep(ctx: Context, limit: int = 50) -> int:
    """Looks at the tickets that are due, at most `limit`; how many there were."""
    found = store.due(ctx.session, ctx.now, limit)
    for ticket in found:
        _look(ctx, ticket)
    return len(found)


def _look(ctx: Context, ticket: Ticket) -> None:
    if ticket.urgency < 3 and (morning := quiet_end(ctx)) is not None:
        ticket.due_at = morning
        return
    if ticket.reminders < ctx.rules.reminders.most:
        _remind(ctx, ticket)
    elif _next_level(ctx, ticket) is not None:
        _climb(ctx, ticket)
    else:
        ticket.due_at = None  # nobody above is left to tell: it stays overdue on the board and in the digest


def _pause(ctx: Context, ticket: Ticket) -> timedelta:
    """Until the next look: the usual pause, for urgency 3 no longer than its limit to accept."""
    every = ctx.rules.reminders.every_minutes
    if ticket.urgency == 3:
        every = min(every, ctx.rules.deadlines.urgency_3.accept or every)
    return timedelta(minutes=max(every, 1))


def _remind(ctx: Context, ticket: Ticket) -> None:
    """In one group and by name, so that only the one it waits for is disturbed."""
    ticket.reminders += 1
    ticket.due_at = ctx.now + _pause(ctx, ticket)
    event = tickets.record(ctx, ticket, "remind", BOT, data={"step": ticket.due_kind, "n": ticket.reminders})
    person = _waited_for(ctx, ticket)
    values = facts(ctx, ticket) | {"who": at(person, ctx.texts("report.nobody"))}
    step = "check" if ticket.state == State.PENDING_CHECK else ticket.due_kind
    for place in _where(ctx, ticket)[:1]:
        text = ctx.texts(f"remind.{step}", **values)
        _tell(ctx, ticket, place, text, f"e{event.id}", [person] if person else [])


def _waited_for(ctx: Context, ticket: Ticket) -> Person | None:
    """Who has it in hand while it is being done, as long as it has not climbed; else who answers for it."""
    at_work = ticket.state in {State.DISPATCHED, State.IN_PROGRESS}
    climbed = Level(ticket.level) is not ctx.organisation.level_of(ticket.area)
    handler = ctx.organisation.person(ticket.handler or "") if at_work and not climbed else None
    return handler or ctx.organisation.person(ticket.owner or "")


def _where(ctx: Context, ticket: Ticket) -> list[Place]:
    """The group where it was reported, until coordinators answer for it: then theirs.

    Who reported in private is not reminded of what others have to do.
    """
    groups = [place for place in reporting_places(ctx, ticket) if place.room]
    owner = ctx.organisation.person(ticket.owner or "")
    above = command_places(ctx, ticket.account, ticket.area)
    if owner is not None and not owner.has(Role.COORDINATOR):
        return groups + above
    area = ctx.organisation.area_at(ticket.area, Level(ticket.level))
    return (command_places(ctx, ticket.account, area.code) if area else above) + groups


def _next_level(ctx: Context, ticket: Ticket) -> Level | None:
    """The next level that has somebody else to answer for it; missed deadlines do not reach the district."""
    level = Level(ticket.level).above
    while level is not None and level is not Level.DISTRICT:
        owner = tickets.owner_of(ctx, ticket.area, level)
        if owner is not None and owner.id != ticket.owner:
            return level
        level = level.above
    return None


def _climb(ctx: Context, ticket: Ticket) -> None:
    """One level up, told to the reporters' groups and to the coordinators' group of that level."""
    before, level = Level(ticket.level), _next_level(ctx, ticket)
    assert level is not None
    owner = tickets.owner_of(ctx, ticket.area, level)
    assert owner is not None
    changes = {"level": level, "owner": owner.id, "reminders": 0}
    event = tickets.act(ctx, ticket, "climb", BOT, changes=changes, before=before, after=level)
    ticket.due_at = ctx.now + _pause(ctx, ticket)
    area = ctx.organisation.area_at(ticket.area, level)
    values = facts(ctx, ticket) | {"owner": at(owner), "area": area.name if area else ""}
    code = area.code if area else ctx.organisation.root
    above = command_places(ctx, ticket.account, code)[:1]
    for place in reporting_places(ctx, ticket):
        if place not in above:
            _tell(ctx, ticket, place, ctx.texts("event.climb", **values), f"e{event.id}", [owner])
    values |= {"from_level": ctx.texts(f"names.level.{before}"), "group": group_name(ctx, ticket)}
    for place in above:
        text = ctx.texts("event.climb_notice", **values)
        _tell(ctx, ticket, place, text, f"e{event.id}:notice", [owner])


def _tell(ctx: Context, ticket: Ticket, place: Place, text: str, key: str, people: list[Person]) -> None:
    say(ctx, place, text, key=key, ticket=ticket, mentions=people, urgency=ticket.urgency)
