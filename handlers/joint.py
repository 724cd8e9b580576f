"""Joint dispatch: one ticket, a lead unit and any number of joint ones, each with its own state and clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from handlers import tickets
from handlers.context import Context
from handlers.organisation import Unit
from handlers.permissions import Actor
from storage import joint as store
from storage.tables import Ticket, TicketEvent, TicketUnit


class PartState(StrEnum):
    """How far a unit is, in this order."""

    NOTIFIED = "notified"
    RECEIVED = "received"
    ON_SCENE = "on_scene"
    DONE = "done"
    EXCUSED = "excused"

    @property
    def rank(self) -> int:
        return list(PartState).index(self)


OVER = frozenset({PartState.DONE, PartState.EXCUSED})
# What needs every unit: the others end a ticket that was none, or goes on elsewhere.
WAITS_FOR_ALL = frozenset({"submit", "check", "close"})


def parts(ctx: Context, ticket: Ticket) -> list[TicketUnit]:
    """The lead first."""
    return store.of_ticket(ctx.session, ticket.id)


def missing(ctx: Context, ticket: Ticket) -> list[TicketUnit]:
    """The units whose part is neither done nor excused."""
    return [part for part in parts(ctx, ticket) if part.state not in OVER]


def names(found: Iterable[TicketUnit | Unit]) -> str:
    return "、".join(one.name for one in found)


def units_of(ctx: Context, actor: Actor) -> list[Unit]:
    """The units that the actor speaks for."""
    person = ctx.organisation.person(actor.id)
    return ctx.organisation.units_of(person) if person else []


def has_part(ctx: Context, actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor speaks for a unit that has the ticket in hand together with others."""
    units = {unit.code for unit in units_of(ctx, actor)}
    return bool(units) and any(part.unit in units for part in missing(ctx, ticket))


def did_part(ctx: Context, actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor speaks for a unit that has done its part of the ticket."""
    units = {unit.code for unit in units_of(ctx, actor)}
    return bool(units) and any(p.unit in units and p.state == PartState.DONE for p in parts(ctx, ticket))


def outcome(done: Iterable[TicketUnit]) -> str:
    """What the units say that they did, each thing once; "" where none of them said anything."""
    said: dict[str, list[TicketUnit]] = {}
    for part in done:
        if part.note:
            said.setdefault(part.note, []).append(part)
    return "；".join(f"{note.rstrip('。.;；,， ')}（{names(some)}）" for note, some in said.items())


@dataclass(frozen=True, slots=True)
class Called:
    """What a call brought about. `fresh`: the parts that began by it; `first`: there were none before."""

    event: TicketEvent
    fresh: tuple[TicketUnit, ...]
    first: bool


def call(ctx: Context, ticket: Ticket, units: Sequence[Unit], actor: Actor, message_id: int) -> Called | None:
    """Calls the units to the ticket; None where all of them have an open part already.

    The first unit ever called leads, and has the ticket in hand. One whose part is over begins anew.
    """
    known = {part.unit: part for part in parts(ctx, ticket)}
    wanted = [u for u in units if u.code not in known or known[u.code].state in OVER]
    if not wanted:
        return None
    led = any(part.lead and part.state != PartState.EXCUSED for part in known.values())
    changes = {} if led else {"handler": wanted[0].code, "handler_name": wanted[0].name}
    event = tickets.act(
        ctx,
        ticket,
        "joint",
        actor,
        note=names(wanted),
        message_id=message_id,
        changes=changes,
        units=[unit.code for unit in wanted],
    )
    fresh = []
    for index, unit in enumerate(wanted):
        part = known.get(unit.code) or TicketUnit(ticket_id=ticket.id, unit=unit.code, name=unit.name)
        part.lead = not led and index == 0
        _begin(ctx, ticket, part)
        fresh.append(part)
    return Called(event, tuple(fresh), first=not known)


@dataclass(frozen=True, slots=True)
class NewLead:
    """Another unit leads now. `fresh`: its part began by it. `former`: of who led and need not come."""

    event: TicketEvent
    lead: TicketUnit
    fresh: bool
    former: TicketUnit | None


def change_lead(
    ctx: Context, ticket: Ticket, unit: Unit, action: str, actor: Actor, message_id: int
) -> NewLead | None:
    """Gives the lead to the unit, called already or not; None where it has it. Who has done its part has."""
    known = {part.unit: part for part in parts(ctx, ticket)}
    part = known.get(unit.code)
    if part is not None and part.lead and part.state not in OVER:
        return None
    changes = {"handler": unit.code, "handler_name": unit.name}
    event = tickets.act(
        ctx, ticket, action, actor, note=unit.name, message_id=message_id, changes=changes, units=[unit.code]
    )
    former = next((one for one in known.values() if one.lead and one.unit != unit.code), None)
    relieved = former if former is not None and former.state not in OVER else None
    if former is not None:
        former.lead = False
        ctx.session.add(former)
    if relieved is not None:
        relieved.state, relieved.done_at, relieved.due_at = PartState.EXCUSED, ctx.now, None
    fresh = part is None or part.state in OVER
    part = part or TicketUnit(ticket_id=ticket.id, unit=unit.code, name=unit.name)
    part.lead = True
    if fresh:
        _begin(ctx, ticket, part)
    ctx.session.add(part)
    return NewLead(event, part, fresh, relieved)


def _begin(ctx: Context, ticket: Ticket, part: TicketUnit) -> None:
    part.state, part.notified_at, part.note = PartState.NOTIFIED, ctx.now, ""
    part.received_at = part.on_scene_at = part.done_at = None
    set_clock(ctx, ticket, part)
    ctx.session.add(part)


def set_clock(ctx: Context, ticket: Ticket, part: TicketUnit) -> None:
    """When the unit is looked at next: to have answered, to be there. Then the ticket's clock runs."""
    rules = ctx.rules.joint
    minutes = {
        PartState.NOTIFIED: rules.receive_minutes or rules.arrive(ticket.urgency),
        PartState.RECEIVED: rules.arrive(ticket.urgency),
    }.get(PartState(part.state), 0)
    part.reminders = 0
    if not minutes:
        part.due_at = None
        return
    # A step that begins late is not called late the moment it begins.
    earliest = ctx.now + timedelta(minutes=min(minutes, rules.every_minutes))
    part.due_at = max(part.notified_at + timedelta(minutes=minutes), earliest)


def advance(
    ctx: Context,
    ticket: Ticket,
    some: Sequence[TicketUnit],
    step: PartState,
    actor: Actor,
    note: str,
    message_id: int,
) -> TicketEvent:
    """The units have come that far; earlier steps are implied."""
    for part in some:
        part.state = step
        part.received_at = part.received_at or ctx.now
        if step is not PartState.RECEIVED:
            part.on_scene_at = part.on_scene_at or ctx.now
        if step is PartState.DONE:
            part.done_at = ctx.now
        part.person, part.person_name = actor.id, actor.name
        # What was said on the way is not what was done.
        part.note = note[:500] if step is PartState.DONE else note[:500] or part.note
        set_clock(ctx, ticket, part)
        ctx.session.add(part)
    shown = f"{names(some)}：{note}" if note else names(some)
    codes = [part.unit for part in some]
    return tickets.act(ctx, ticket, f"part_{step}", actor, note=shown, message_id=message_id, units=codes)


def excuse(
    ctx: Context, ticket: Ticket, some: Sequence[TicketUnit], actor: Actor, reason: str, message_id: int
) -> TicketEvent:
    """These units need not come. Where the lead goes, the next one leads."""
    for part in some:
        part.state, part.done_at, part.due_at = PartState.EXCUSED, ctx.now, None
        part.note = reason[:500] or part.note
        ctx.session.add(part)
    rest = [part for part in parts(ctx, ticket) if part.state != PartState.EXCUSED]
    changes = {}
    if rest and any(part.lead for part in some):
        for part in some:
            part.lead = False
        rest[0].lead = True
        changes = {"handler": rest[0].unit, "handler_name": rest[0].name}
    note = f"{names(some)}：{reason}" if reason else names(some)
    codes = [part.unit for part in some]
    return tickets.act(
        ctx, ticket, "excuse", actor, note=note, message_id=message_id, changes=changes, units=codes
    )


def again(ctx: Context, ticket: Ticket) -> list[TicketUnit]:
    """Checked and not good: the lead unit has its part again."""
    leads = [part for part in parts(ctx, ticket) if part.lead and part.state == PartState.DONE]
    for part in leads:
        part.state, part.done_at, part.due_at = PartState.ON_SCENE, None, None
        ctx.session.add(part)
    return leads


def stand_down(ctx: Context, ticket: Ticket, unit: str, reason: str) -> None:
    """The unit hands the ticket back: it is missing no more."""
    for part in parts(ctx, ticket):
        if part.unit == unit and part.state not in OVER:
            part.state, part.done_at, part.due_at, part.lead = PartState.EXCUSED, ctx.now, None, False
            part.note = reason[:500]
            ctx.session.add(part)
