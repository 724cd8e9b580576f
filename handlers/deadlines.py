"""When something has to have happened, in which time, and when the bot looks at it next.

Deadlines live in the ticket's row (`due_at`, indexed) and are swept in small batches, so that a restart or a
second process changes nothing.
"""

from datetime import datetime, timedelta
from typing import Protocol

from handlers.context import Context
from handlers.lifecycle import State
from handlers.rules import Limits, Reminders
from handlers.workdays import AllTime, TimeCount, WorkingTime
from storage.tables import Room, Ticket


class Clocked(Protocol):
    """What of a ticket says how long it may take."""

    @property
    def account(self) -> str: ...
    @property
    def room(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def urgency(self) -> int: ...
    @property
    def clock_from(self) -> datetime: ...
    @property
    def extended_minutes(self) -> int: ...


def limits_of(ctx: Context, ticket: Clocked) -> Limits:
    """By urgency, label and the kind of the group where it was first reported."""
    rules = ctx.rules.deadlines
    by_kind = any(special.kind for special in rules.special)
    return rules.of(ticket.urgency, ticket.label, _kind_of(ctx, ticket) if by_kind else "")


def _kind_of(ctx: Context, ticket: Clocked) -> str:
    if not ticket.room:
        return ""
    room = ctx.session.get(Room, (ticket.account, ticket.room))
    return ctx.organisation.group(ticket.room, room.topic if room else "").kind


def working_time(ctx: Context) -> WorkingTime:
    return WorkingTime(ctx.world.zone, ctx.rules.working_hours)


def time_of(ctx: Context, ticket: Clocked) -> TimeCount:
    """The time that the ticket's limits are counted in."""
    return working_time(ctx) if limits_of(ctx, ticket).clock == "working" else AllTime()


def step_of(ticket: Ticket, limits: Limits) -> tuple[str, float] | None:
    """The step that is due next and its limit in minutes; None while no clock runs. A limit of 0 is none."""
    if ticket.state in {State.CLOSED, State.SUSPENDED}:
        return None
    waits = ticket.state in {State.REPORTED, State.ACCEPTED} and ticket.accepted_at is None
    if waits and limits.accept:
        return "accept", limits.accept
    if ticket.arrived_at is None and limits.arrive and ticket.state != State.PENDING_CHECK:
        return "arrive", limits.arrive
    return ("solve", limits.solve + ticket.extended_minutes) if limits.solve else None


def solved_by(ctx: Context, ticket: Clocked) -> datetime | None:
    """When it has to be solved, whatever step is due next; None without a limit."""
    limits = limits_of(ctx, ticket)
    if not limits.solve:
        return None
    return time_of(ctx, ticket).add(ticket.clock_from, limits.solve + ticket.extended_minutes)


def schedule(ctx: Context, ticket: Ticket) -> None:
    """Sets what the ticket is due for next; keeps the reminders while the step stays the same."""
    step = step_of(ticket, limits_of(ctx, ticket))
    if step is None:
        ticket.due_kind = ticket.due_at = ticket.deadline_at = None
        ticket.reminders = 0
        return
    (kind, minutes), time = step, time_of(ctx, ticket)
    deadline = time.add(ticket.clock_from, minutes)
    if kind == ticket.due_kind and deadline == ticket.deadline_at:
        return
    ticket.due_kind, ticket.deadline_at = kind, deadline
    # A step that begins late is not called late the moment it begins.
    earliest = time.add(ctx.now, min(minutes, ctx.rules.reminders.every_minutes))
    ticket.due_at = earliest if earliest > deadline else next_look(ctx, ticket)
    ticket.reminders = 0


def next_look(ctx: Context, ticket: Ticket) -> datetime | None:
    """The next reminder ahead of the deadline, else the deadline itself."""
    step, reminders = step_of(ticket, limits_of(ctx, ticket)), ctx.rules.reminders
    if step is None or step[1] < reminders.ahead_from_minutes:
        return ticket.deadline_at
    time = time_of(ctx, ticket)
    ahead = [time.add(ticket.clock_from, step[1] * share) for share in reminders.ahead]
    return min((mark for mark in ahead if mark > ctx.now), default=ticket.deadline_at)


def go_on(ctx: Context, ticket: Ticket, stopped: datetime) -> None:
    """The clock stood still since `stopped`: what was left of each limit then is left now."""
    time = time_of(ctx, ticket)
    ticket.clock_from = time.back(ctx.now, time.between(ticket.clock_from, stopped))


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
