"""延期: whether a ticket may have more time, who decides on it, and the promise that comes of it."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from handlers.context import Context
from handlers.deadlines import limits_of, solved_by, time_of, working_time
from handlers.organisation import Level, Person, Role
from handlers.periods import Period, read
from handlers.permissions import Actor
from handlers.replies import Place, command_places
from handlers.wording import clock_of, facts
from storage import tickets as store
from storage.tables import Message, Ticket


@dataclass(frozen=True, slots=True)
class Wish:
    """More time, as asked for. minutes: of the ticket's own time; until: the deadline that they make."""

    words: str
    minutes: int
    until: datetime


def wish_of(ctx: Context, ticket: Ticket, text: str) -> tuple[Wish, str] | None:
    """The wish that the text begins with and the reason behind it; None where it names no time."""
    period: Period | None = read(text, ctx.now, working_time(ctx))
    if period is None:
        return None
    before = solved_by(ctx, ticket) or ctx.now
    minutes = ceil(period.minutes(time_of(ctx, ticket), before) - 1e-6)
    return Wish(period.words, minutes, until(ctx, ticket, minutes)), period.rest


def until(ctx: Context, ticket: Ticket, minutes: int) -> datetime:
    """The deadline with so many minutes more."""
    limit = limits_of(ctx, ticket).solve + ticket.extended_minutes + minutes
    return time_of(ctx, ticket).add(ticket.clock_from, limit)


def objection(ctx: Context, ticket: Ticket, minutes: int) -> str | None:
    """Why there cannot be so much more time, in words; None where there can."""
    limit, deadline = limits_of(ctx, ticket).solve, solved_by(ctx, ticket)
    most = ctx.rules.extensions.most
    values = facts(ctx, ticket) | {"most": f"{most}"}
    if deadline is None:
        return ctx.texts("extension.unlimited", **values)
    values["deadline"] = clock_of(ctx, deadline)
    if ctx.now >= deadline:
        return ctx.texts("extension.late", **values)
    if ticket.extensions >= most:
        return ctx.texts("extension.enough", **values)
    if minutes <= 0:
        return ctx.texts("extension.no_later", **values)
    if minutes > limit:
        values["longest"] = clock_of(ctx, until(ctx, ticket, int(limit)))
        return ctx.texts("extension.long", **values)
    return None


def deciders(ctx: Context, ticket: Ticket, asker: Actor) -> tuple[list[Place], Person | None]:
    """Where it is asked, and the nearest coordinator at the ticket's level or above who is to decide.

    Where they have no group it is asked of him in private; with neither there is nobody to ask.
    """
    area = ctx.organisation.area_at(ticket.area, Level(ticket.level))
    code = ticket.area if area is None or ticket.level == Level.GRID else area.code
    found = ctx.organisation.staff(code, Role.COORDINATOR)
    person = next((person for person in found if person.id != asker.id), None)
    places = command_places(ctx, ticket.account, code)[:1]
    if not places and person is not None:
        places = [Place(ticket.account, "", person.id)]
    return places, person


def asked_where(ctx: Context, ticket: Ticket) -> Place | None:
    """Where the last request was made: there it is answered too."""
    asked = [event for event in store.events(ctx.session, ticket.id) if event.action == "extend_request"]
    message = ctx.session.get(Message, asked[-1].message_id) if asked and asked[-1].message_id else None
    if message is None:
        return None
    return Place(message.account, message.room, "" if message.room else message.sender)
