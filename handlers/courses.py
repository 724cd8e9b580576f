"""A ticket's course for ledgers: who did what when, how long it took, how it ended. All times are elapsed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers import deadlines, discretion
from handlers.context import Context
from handlers.figures.facts import BACK, held
from handlers.lifecycle import State
from handlers.wording import shorten
from storage.tables import Ticket, TicketEvent

_NOTE = 60  # characters of a step's note
_ENDS = frozenset({"close", "check", "merge", "false_alarm", "withdraw", "settled"})
# What is no step of the work.
_SILENT = frozenset({"picture", "remind", "remark", "review", "undo", "recur", "satisfied", "raise"})


@dataclass(frozen=True, slots=True)
class Course:
    """minutes: elapsed, None where it has not come to that. on_time: None where nothing was promised."""

    accepted_by: str
    accept_minutes: int | None
    solve_minutes: int | None
    checked_by: str
    ending: str
    due: datetime | None
    on_time: bool | None
    times_back: int


def course_of(ctx: Context, ticket: Ticket, events: Sequence[TicketEvent]) -> Course:
    """events: all of the ticket, the oldest first."""
    kept = held(events)
    due = deadlines.solved_by(ctx, ticket) if ticket.state != State.SUSPENDED else None
    ends = [e for e in kept if e.action in _ENDS and e.note] if ticket.state == State.CLOSED else []
    checks = [e for e in kept if e.action == "check"] if ticket.state == State.CLOSED else []
    accepts = [e for e in kept if e.at == ticket.accepted_at and e.actor != "bot"]
    return Course(
        accepted_by=_who(ctx, accepts[0]) if accepts else "",
        accept_minutes=_minutes(ticket.opened_at, ticket.accepted_at),
        solve_minutes=_minutes(ticket.opened_at, ticket.closed_at),
        checked_by=_who(ctx, checks[-1]) if checks else "",
        ending=discretion.told(ctx, ends[-1].note) if ends else "",
        due=due,
        on_time=None if due is None else (ticket.closed_at or ctx.now) <= due,
        times_back=sum(1 for event in kept if event.action in BACK),
    )


def steps_of(ctx: Context, events: Sequence[TicketEvent]) -> str:
    """07-12 12:00 唐**立事项；07-12 12:03 周网格长接单；…"""
    return "；".join(_step(ctx, event) for event in held(events) if event.action not in _SILENT)


def _minutes(start: datetime, end: datetime | None) -> int | None:
    return int((end - start).total_seconds() // 60) if end is not None else None


def _who(ctx: Context, event: TicketEvent) -> str:
    return discretion.doer(ctx, event.actor, event.actor_name)


def _step(ctx: Context, event: TicketEvent) -> str:
    """07-12 12:03 周网格长接单：马上到"""
    key = f"names.event.{event.action}"
    what = ctx.texts(key) if ctx.texts.has(key) else event.action
    # The opening report stands in a column of its own.
    note = shorten(event.note, _NOTE) if event.action not in {"open", "join"} else ""
    said = f"：{discretion.told(ctx, note)}" if note else ""
    return f"{ctx.local(event.at):%m-%d %H:%M} {_who(ctx, event)}{what}{said}"
