"""撤销: taking back one's own last command, by one more event that says what it undid.

An event tells in `data["changed"]` and `data["rows"]` (see handlers/sides.py) what was before; that is put
back. What a command did besides is put back by the functions that `also` was given. What was said is not
unsaid: what still waits is dropped, and where something was said one line tells that it was taken back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from handlers import sides, tickets
from handlers.context import Context
from handlers.lifecycle import State
from handlers.permissions import BOT, Actor
from storage import corrections, replies
from storage import tickets as store
from storage.tables import Correction, CorrectionKind, Ticket, TicketEvent

UNDO = "undo"
# How long one is told that it is too late, rather than that there is nothing.
_REMEMBERED = timedelta(days=1)
# What people do that is no command about the ticket's course: by it nobody has "acted since".
_BESIDE = frozenset({"open", "join", "picture", "settled", "review", "report_withdrawn"})


class Refusal(StrEnum):
    """Why it is not done; the text is command.undo_<value>."""

    NOTHING = "nothing"
    OTHERS = "others"  # the ticket's last step was not one's own
    LATE = "late"
    UNDONE = "undone"  # an undoing is not undone
    MOVED = "moved"  # somebody acted since
    REPORT = "report"  # 撤回 takes a report back
    MERGED = "merged"
    SPLIT = "split"
    FINAL = "final"


_NOT_UNDONE: Mapping[str, Refusal] = {
    UNDO: Refusal.UNDONE,
    "open": Refusal.REPORT,
    "join": Refusal.REPORT,
    "picture": Refusal.REPORT,
    "report_withdrawn": Refusal.FINAL,
    "merge": Refusal.MERGED,
    "absorb": Refusal.MERGED,
    "split": Refusal.SPLIT,
    "unmerge": Refusal.SPLIT,
}

Also = Callable[[Context, Ticket, TicketEvent], None]
_ALSO: dict[str, list[Also]] = {}


def also(action: str, function: Also) -> None:
    """`function` puts back what events of that action did beside the ticket's columns.

    It is given the event before the columns are restored, and may raise CannotUndo.
    """
    _ALSO.setdefault(action, []).append(function)


def final(*actions: str) -> None:
    """These actions are not undone."""
    global _NOT_UNDONE
    _NOT_UNDONE = {**_NOT_UNDONE, **dict.fromkeys(actions, Refusal.FINAL)}


class CannotUndo(Exception):
    """这一步现在撤不了。"""


@dataclass(frozen=True, slots=True)
class Last:
    """One's last command: its ticket, locked, and the events that it left there, in their order."""

    ticket: Ticket
    events: list[TicketEvent]

    @property
    def message_id(self) -> int:
        return self.events[-1].message_id or 0


def last_of(ctx: Context, actor: Actor, ticket: Ticket | None = None) -> Last | Refusal:
    """The last command of the person, on that ticket if one is named; why there is none to undo."""
    on = ticket.id if ticket else None
    soon = ctx.now - timedelta(minutes=ctx.rules.undo_minutes)
    # Who has just done something and then said something about it means the former.
    newest = store.last_event_of(ctx.session, actor.id, soon, on, but=_BESIDE)
    newest = newest or store.last_event_of(ctx.session, actor.id, ctx.now - _REMEMBERED, on)
    if newest is None:
        return Refusal.OTHERS if ticket else Refusal.NOTHING
    # Of a merge the ticket that was merged is the one to be taken apart again.
    ticket = store.locked(ctx.session, newest.data.get("merged") or newest.ticket_id)
    trail = store.events(ctx.session, ticket.id)
    return Last(ticket, [event for event in trail if event.message_id == newest.message_id])


def refusal(ctx: Context, actor: Actor, last: Last) -> Refusal | None:
    """Why the command is not undone; None where it can be."""
    for event in reversed(last.events):
        if event.actor == actor.id and event.action in _NOT_UNDONE:
            return _NOT_UNDONE[event.action]
    if store.touched_by(ctx.session, last.message_id) != {last.ticket.id}:
        return Refusal.FINAL  # it changed more than this ticket
    trail = store.events(ctx.session, last.ticket.id)
    since = [event for event in trail if event.id > last.events[-1].id]
    others = [e for e in since if e.actor not in {actor.id, BOT.id} and e.action not in _BESIDE]
    if others or not _still_so(ctx, last):
        return Refusal.MOVED
    if ctx.now - last.events[-1].at > timedelta(minutes=ctx.rules.undo_minutes):
        return Refusal.LATE
    return None


def _still_so(ctx: Context, last: Last) -> bool:
    """Whether the ticket and what stands beside it are still what the command made of them."""
    if not all(sides.still_so(ctx, last.ticket, event) for event in last.events):
        return False
    now = tickets.snapshot(last.ticket)
    after: dict[str, Any] = {}
    for event in last.events:
        after |= {name: pair[1] for name, pair in event.data.get("changed", {}).items()}
    return all(now[name] == value for name, value in after.items())


def take_back(ctx: Context, actor: Actor, last: Last, message_id: int) -> TicketEvent:
    """Puts everything back and notes it. Raises CannotUndo, with nothing changed that a savepoint keeps."""
    ticket, before = last.ticket, tickets.snapshot(last.ticket)
    for event in reversed(last.events):
        for function in _ALSO.get(event.action, ()):
            function(ctx, ticket, event)
        sides.put_back(ctx, event)
        for name, (old, _) in event.data.get("changed", {}).items():
            setattr(ticket, name, _value(name, old))
    changed = tickets.changed_between(before, tickets.snapshot(ticket))
    state = State(ticket.state)
    ticket.state = before["state"]  # the event tells the way from it
    undone = [event.id for event in last.events]
    event = tickets.record(
        ctx,
        ticket,
        UNDO,
        actor,
        to_state=state if "state" in changed else None,
        data={"undone": undone, "message": last.message_id, "changed": changed},
        message_id=message_id,
    )
    ticket.state, ticket.updated_at = state, ctx.now
    tickets.reschedule(ctx, ticket, event, anew=True)
    ctx.session.add(ticket)
    return event


_INSTANTS = frozenset({"accepted_at", "arrived_at", "closed_at", "clock_from"})


def _value(name: str, told: Any) -> Any:
    return datetime.fromisoformat(told) if name in _INSTANTS and told else told


def undone(events: list[TicketEvent]) -> frozenset[int]:
    """Ids of the events that were taken back."""
    return frozenset(id for event in events if event.action == UNDO for id in event.data["undone"])


def unsay(ctx: Context, last: Last) -> list[tuple[str, str, str]]:
    """Drops what the command wrote and nobody has heard; (account, room, person) where it was heard."""
    return replies.unsay(ctx.session, last.message_id)


def _forget(kind: CorrectionKind) -> Also:
    """What was put right is no lesson when it was a slip."""

    def function(ctx: Context, ticket: Ticket, event: TicketEvent) -> None:
        first = store.reports(ctx.session, ticket.id)[0]
        corrections.forget(
            ctx.session, Correction(kind=kind, message_id=first.message_id, made_by=event.actor, at=event.at)
        )

    return function


also("relabel", _forget(CorrectionKind.RELABEL))
also("false_alarm", _forget(CorrectionKind.FALSE_ALARM))
