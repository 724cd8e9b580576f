"""A deadline has passed: the owner is reminded, a few times; then the ticket climbs one level."""

from datetime import timedelta

from handlers import tickets
from handlers.context import Context
from handlers.deadlines import quiet_end
from handlers.organisation import Level, Person
from handlers.permissions import BOT
from handlers.replies import Place, command_places, reporting_places, say
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
    """In the group where it was reported first; by name, so that only the owner is disturbed."""
    ticket.reminders += 1
    ticket.due_at = ctx.now + _pause(ctx, ticket)
    event = tickets.record(ctx, ticket, "remind", BOT, data={"step": ticket.due_kind, "n": ticket.reminders})
    owner = ctx.organisation.person(ticket.owner or "")
    values = facts(ctx, ticket) | {"owner": at(owner, ctx.texts("report.nobody"))}
    place = reporting_places(ctx, ticket)[0]
    say(
        ctx,
        place,
        ctx.texts(f"remind.{ticket.due_kind}", **values),
        key=f"e{event.id}",
        ticket=ticket,
        mentions=[owner] if owner else [],
        urgency=ticket.urgency,
    )


def _next_level(ctx: Context, ticket: Ticket) -> Level | None:
    """The next level that has somebody to answer for it; the district is not reached by missed deadlines."""
    level = Level(ticket.level).above
    while level is not None and level is not Level.DISTRICT:
        if tickets.owner_of(ctx, ticket.area, level) is not None:
            return level
        level = level.above
    return None


def _climb(ctx: Context, ticket: Ticket) -> None:
    """One level up, told to the reporters' groups and to the coordinators' group of that level."""
    before, level = Level(ticket.level), _next_level(ctx, ticket)
    assert level is not None
    owner = tickets.owner_of(ctx, ticket.area, level)
    assert owner is not None
    ticket.level, ticket.owner, ticket.reminders = level, owner.id, 0
    event = tickets.act(ctx, ticket, "climb", BOT, before=before, after=level)
    ticket.due_at = ctx.now + _pause(ctx, ticket)
    area = ctx.organisation.area_at(ticket.area, level)
    values = facts(ctx, ticket) | {"owner": at(owner), "area": area.name if area else ""}
    for place in reporting_places(ctx, ticket):
        _tell(ctx, ticket, place, ctx.texts("event.climb", **values), f"e{event.id}", owner)
    group = ctx.organisation.group(ticket.room)
    values |= {
        "from_level": ctx.texts(f"names.level.{before}"),
        "group": group.topic or ctx.texts("report.some_group"),
    }
    code = area.code if area else ctx.organisation.root
    for place in command_places(ctx, ticket.account, code)[:1]:
        _tell(ctx, ticket, place, ctx.texts("event.climb_notice", **values), f"e{event.id}:notice", owner)


def _tell(ctx: Context, ticket: Ticket, place: Place, text: str, key: str, owner: Person) -> None:
    say(ctx, place, text, key=key, ticket=ticket, mentions=[owner], urgency=ticket.urgency)
