"""When something has to have happened, and what the bot does when it has not.

Deadlines live in the ticket's row (`due_at`, indexed) and are swept in small batches, so that a restart or a
second process changes nothing.
"""

from datetime import datetime, timedelta

from handlers.context import Context
from handlers.lifecycle import State
from handlers.rules import Limits, Reminders
from storage.tables import Ticket


def step_of(ticket: Ticket, limits: Limits) -> tuple[str, float] | None:
    """The step that is due next and its limit in minutes; None while no clock runs. A limit of 0 is none."""
    if ticket.state in {State.CLOSED, State.SUSPENDED}:
        return None
    waits = ticket.state in {State.REPORTED, State.ACCEPTED} and ticket.accepted_at is None
    if waits and limits.accept:
        return "accept", limits.accept
    if ticket.arrived_at is None and limits.arrive and ticket.state != State.PENDING_CHECK:
        return "arrive", limits.arrive
    return ("solve", limits.solve) if limits.solve else None


def schedule(ctx: Context, ticket: Ticket) -> None:
    """Sets what the ticket is due for next; keeps the reminders while the step stays the same."""
    step = step_of(ticket, ctx.rules.deadlines.of(ticket.urgency))
    if step is None:
        ticket.due_kind = ticket.due_at = ticket.deadline_at = None
        ticket.reminders = 0
        return
    kind, minutes = step
    deadline = ticket.clock_from + timedelta(minutes=minutes)
    if kind == ticket.due_kind and deadline == ticket.deadline_at:
        return
    ticket.due_kind, ticket.deadline_at = kind, deadline
    # A step that begins late is not called late the moment it begins.
    earliest = ctx.now + timedelta(minutes=min(minutes, ctx.rules.reminders.every_minutes))
    ticket.due_at = max(deadline, earliest)
    ticket.reminders = 0


def quiet_end(ctx: Context) -> datetime | None:
    """The end of the night's quiet when it is quiet now, else None. The quiet may span midnight."""
    reminders: Reminders = ctx.rules.reminders
    local = ctx.local(ctx.now)
    start, end, now = reminders.quiet_from, reminders.quiet_until, local.time()
    quiet = start <= now < end if start <= end else now >= start or now < end
    if not quiet:
        return None
    day = local.date() if now < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=local.tzinfo)
