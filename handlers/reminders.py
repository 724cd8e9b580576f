"""Reminders: ahead of a deadline in private, after it in the group; in the end the ticket climbs."""

from datetime import datetime, timedelta

from handlers import ladder, tickets
from handlers.context import Context
from handlers.deadlines import next_look, quiet_end, time_of
from handlers.lifecycle import State
from handlers.organisation import Level, Person, Role
from handlers.permissions import BOT
from handlers.replies import Place, command_places, reporting_places, say
from handlers.wording import at, clock_of, facts
from storage import messages
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
    if ticket.deadline_at is not None and ctx.now < ticket.deadline_at:
        _remind_ahead(ctx, ticket)
    elif ticket.reminders < ctx.rules.reminders.most:
        _remind(ctx, ticket)
    elif (level := ladder.above(ctx, ticket)) is not None:
        _climb(ctx, ticket, level)
    else:
        ticket.due_at = None  # nobody above is left to tell: it stays overdue on the board and in the digest


def _pause_end(ctx: Context, ticket: Ticket) -> datetime:
    """The next look: after the usual pause, for urgency 3 no longer than its limit to accept."""
    every = ctx.rules.reminders.every_minutes
    if ticket.urgency == 3:
        every = min(every, ctx.rules.deadlines.urgency_3.accept or every)
    return time_of(ctx, ticket).add(ctx.now, max(every, 1))


def _remind_ahead(ctx: Context, ticket: Ticket) -> None:
    """In private, so often at most as there are marks; not who wrote about it a moment ago."""
    ticket.due_at = next_look(ctx, ticket)
    step, person = _step(ticket), _waited_for(ctx, ticket)
    said = _said_ahead(ctx, ticket)
    if person is None or said >= len(ctx.rules.reminders.ahead) or ticket.deadline_at is None:
        return
    since = ctx.now - timedelta(minutes=ctx.rules.reminders.every_minutes)
    if messages.wrote_about(ctx.session, ticket.id, person.id, since):
        return
    data = {"step": ticket.due_kind, "ahead": said + 1}
    event = tickets.record(ctx, ticket, "remind", BOT, data=data)
    values = facts(ctx, ticket) | {"deadline": clock_of(ctx, ticket.deadline_at)}
    place = Place(ticket.account, "", person.id)
    _tell(ctx, ticket, place, ctx.texts(f"remind.ahead_{step}", **values), f"e{event.id}", [])


def _said_ahead(ctx: Context, ticket: Ticket) -> int:
    """Reminders ahead of this step; with another urgency, and when it is reopened, it begins anew."""
    said = 0
    for event in store.events(ctx.session, ticket.id):
        if {"urgency", "closed_at"} & set(event.data.get("changed", ())):
            said = 0
        elif event.action == "remind" and event.data.get("ahead") and event.data["step"] == ticket.due_kind:
            said += 1
    return said


def _step(ticket: Ticket) -> str:
    """What is waited for, as the texts call it."""
    return "check" if ticket.state == State.PENDING_CHECK else str(ticket.due_kind)


def _remind(ctx: Context, ticket: Ticket) -> None:
    """In one group and by name, so that only the one it waits for is disturbed."""
    ticket.reminders += 1
    ticket.due_at = _pause_end(ctx, ticket)
    event = tickets.record(ctx, ticket, "remind", BOT, data={"step": ticket.due_kind, "n": ticket.reminders})
    person = _waited_for(ctx, ticket)
    values = facts(ctx, ticket) | {"who": at(person, ctx.texts("report.nobody"))}
    for place in _where(ctx, ticket)[:1]:
        text = ctx.texts(f"remind.{_step(ticket)}", **values)
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


def _climb(ctx: Context, ticket: Ticket, level: Level) -> None:
    ladder.go(ctx, ticket, level, "climb", BOT)
    ticket.due_at = _pause_end(ctx, ticket)


def rest(ctx: Context, ticket: Ticket) -> None:
    """Somebody has just moved it on: who has it now is not reminded at once."""
    if ticket.deadline_at is not None and ticket.deadline_at <= ctx.now:
        ticket.due_at = _pause_end(ctx, ticket)


def _tell(ctx: Context, ticket: Ticket, place: Place, text: str, key: str, people: list[Person]) -> None:
    say(ctx, place, text, key=key, ticket=ticket, mentions=people, urgency=ticket.urgency)
