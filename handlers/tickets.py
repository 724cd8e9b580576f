"""Opening a ticket, joining a report to one, taking an action on one: rows, events, deadlines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from classifiers.verdict import Verdict
from handlers import deadlines, tracks
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.lifecycle import ACTIONS, Resolution, State, path
from handlers.organisation import Level, Person, Role
from handlers.permissions import BOT, Actor, as_actor
from handlers.wording import shorten
from storage import duties, extensions, offers
from storage import tickets as store
from storage.tables import Ticket, TicketEvent, TicketReport

# By these a person has shown that somebody cares, or is there.
_ACCEPTING = {"accept", "take", "dispatch", "joint", "offer", "arrive", "submit", "close"}
_ARRIVING = {"arrive", "submit", "part_on_scene", "part_done"}


@dataclass(frozen=True, slots=True)
class WrongState(Exception):
    """这件事现在的状态不能这样办。"""

    state: State
    action: str


def day_of(ctx: Context) -> date:
    """The day that counts for numbers: the street's calendar day."""
    return ctx.local(ctx.now).date()


def lock_openings(ctx: Context) -> None:
    store.lock_street(ctx.session, ctx.organisation.street_code, day_of(ctx))


def owner_of(ctx: Context, area: str, level: Level = Level.GRID) -> Person | None:
    """Who answers for the area at that level: the nearest grid owner, or the level's own coordinator.

    Of several who could, one who is on duty now goes first. Where no grid owner is named, the nearest
    coordinator answers: somebody always does, if there is anybody.
    """
    organisation = ctx.organisation
    if level is Level.GRID:
        owners = organisation.staff(area, Role.GRID_OWNER)
        return _called_first(ctx, owners or organisation.staff(area, Role.COORDINATOR), area)
    above = organisation.area_at(area, level)
    own = organisation.posted(above.code) if above else []
    coordinators = [person for post, person in own if post.role is Role.COORDINATOR]
    return _called_first(ctx, coordinators, area)


def _called_first(ctx: Context, people: list[Person], area: str) -> Person | None:
    if len(people) < 2:
        return next(iter(people), None)
    areas = [above.code for above in ctx.organisation.upwards(area)]
    on_duty = {duty.person_id for duty in duties.now_on(ctx.session, areas, ctx.now)}
    return next((person for person in people if person.id in on_duty), people[0])


def open_ticket(
    ctx: Context, incoming: Incoming, verdict: Verdict, area: str, text: str, *, care: bool = False
) -> Ticket:
    """A new ticket with its first report; urgency 3 is accepted at once, though not yet by a person.

    care: it concerns somebody of the care register, which the event keeps without saying whom.
    """
    day, street = day_of(ctx), ctx.organisation.street_code
    running = store.next_running(ctx.session, street, day)
    owner, reporter = owner_of(ctx, area), actor_of(ctx, incoming)
    ticket = Ticket(
        number=f"{street}{day:%m%d}-{running:03d}",
        street=street,
        day=day,
        running=running,
        label=verdict.label,
        urgency=max(1, verdict.urgency),
        state=State.REPORTED,
        level=ctx.organisation.level_of(area),
        account=incoming.account,
        room=incoming.room,
        area=area,
        place=verdict.place,
        summary=text[:500],
        reporter=incoming.sender,
        reporter_name=reporter.name,
        owner=owner.id if owner else None,
        opened_at=ctx.now,
        clock_from=ctx.now,
        updated_at=ctx.now,
    )
    tracks.settle(ctx, ticket)
    ctx.session.add(ticket)
    add_report(ctx, ticket, incoming, text)
    data = {"care": True} if care else {}
    note, row_id = text[:500], incoming.row_id
    record(ctx, ticket, "open", reporter, to_state=State.REPORTED, note=note, data=data, message_id=row_id)
    if ticket.urgency == 3:
        _pass_through(ctx, ticket, "auto_accept", (State.ACCEPTED,), BOT, "", {}, incoming.row_id)
    deadlines.schedule(ctx, ticket)
    return ticket


def add_report(ctx: Context, ticket: Ticket, incoming: Incoming, text: str) -> None:
    """Notes that this message reported the ticket."""
    ctx.session.add(
        TicketReport(
            ticket_id=ticket.id,
            message_id=incoming.row_id,
            account=incoming.account,
            room=incoming.room,
            reporter=incoming.sender,
            reporter_name=actor_of(ctx, incoming).name,
            text=text[:2000],
            at=ctx.now,
        )
    )


def is_free(ticket: Ticket) -> bool:
    """Whether it waits for somebody to take it in hand: as an order it can be taken."""
    begun = ticket.state == State.IN_PROGRESS and not ticket.handler
    return ticket.state == State.ACCEPTED or begun


def actor_of(ctx: Context, incoming: Incoming) -> Actor:
    """The sender with the role the organisation gives, else as a resident."""
    person = ctx.organisation.person(incoming.sender)
    if person is None:
        name = shorten(incoming.sender_name, 30) or ctx.texts("names.role.resident")
        return Actor(incoming.sender, name, Role.RESIDENT)
    return as_actor(person)


def act(
    ctx: Context,
    ticket: Ticket,
    action: str,
    actor: Actor,
    *,
    note: str = "",
    resolution: Resolution | None = None,
    message_id: int = 0,
    changes: Mapping[str, Any] | None = None,
    **data: Any,
) -> TicketEvent:
    """Takes the action on a locked ticket: its states, its events, its deadlines. Permission is the caller's.

    changes: columns of the ticket that the action sets, such as its handler. The event tells in
    `data["changed"]` what was before and what came of it, by column; 撤销 takes it back by that.
    Returns the last event. Raises WrongState where the lifecycle does not allow it.
    """
    steps = path(action, State(ticket.state))
    if steps is None:
        raise WrongState(State(ticket.state), action)
    if resolution or ACTIONS[action].resolution:
        data["resolution"] = str(resolution or ACTIONS[action].resolution)
    before, was = State(ticket.state), snapshot(ticket)
    more = tracks.grown(ctx, ticket, changes or {}, note if action == "join" else "")
    for name, value in {**(changes or {}), **more}.items():
        setattr(ticket, name, value)
    event = _pass_through(ctx, ticket, action, steps, actor, note, data, message_id)
    if steps:
        _turn(ctx, ticket, before, data)
    if not is_free(ticket) or ticket.urgency == 3:
        # It goes another way than through the order, and danger does not wait for volunteers.
        offers.end(ctx.session, ticket.id, "withdrawn")
    if action in _ACCEPTING and ticket.accepted_at is None:
        ticket.accepted_at = ctx.now
    if action in _ARRIVING and ticket.arrived_at is None:
        ticket.arrived_at = ctx.now
    ticket.updated_at = ctx.now
    reschedule(ctx, ticket, event)
    if changed := changed_between(was, snapshot(ticket)):
        event.data = {**event.data, "changed": changed}
    ctx.session.add(ticket)
    return event


def reschedule(ctx: Context, ticket: Ticket, event: TicketEvent, *, anew: bool = False) -> None:
    """Sets what the ticket is due for next. The event keeps which promise ran before and which runs since.

    In `data["promise"]`, apart from `changed`: what was overdue on a day of the past can be told by it, while
    the rules may have become others since.
    """
    before = _promise(ticket)
    if anew:  # the clock is set, whatever it was
        ticket.due_kind = None
    deadlines.schedule(ctx, ticket)
    if (after := _promise(ticket)) != before:
        event.data = {**event.data, "promise": [before, after]}


def _promise(ticket: Ticket) -> list[str | None]:
    """Which step is due, and when."""
    at = ticket.deadline_at
    return [ticket.due_kind, at.astimezone(UTC).isoformat() if at else None]


# What an event tells of the change it made, and what can be taken back.
_TOLD = (
    "state", "resolution", "label", "urgency", "level", "track", "risk_point", "area", "place", "owner",
    "handler", "handler_name", "accepted_at", "arrived_at", "closed_at", "clock_from", "satisfied",
    "merged_into", "recurring", "extensions", "extended_minutes",
)  # fmt: skip


def snapshot(ticket: Ticket) -> dict[str, Any]:
    """What can be told of a ticket's columns, in JSON's types."""
    values = {name: getattr(ticket, name) for name in _TOLD}
    return {
        name: v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for name, v in values.items()
    }


def changed_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{column: [before, after]} of the columns that differ."""
    return {name: [old, after[name]] for name, old in before.items() if old != after[name]}


def _turn(ctx: Context, ticket: Ticket, before: State, data: dict[str, Any]) -> None:
    """What a change of state brings with it."""
    if before is State.CLOSED:
        ticket.closed_at = ticket.resolution = None
        ticket.clock_from = ctx.now
        ticket.extended_minutes = 0
    if before is State.SUSPENDED:
        since = [e.at for e in store.events(ctx.session, ticket.id) if e.to_state == State.SUSPENDED]
        deadlines.go_on(ctx, ticket, since[-1])
    if ticket.state == State.CLOSED:
        ticket.closed_at, ticket.resolution = ctx.now, data["resolution"]
        extensions.lapse(ctx.session, ticket.id)
        ticket.satisfied = None  # what was said of an earlier ending does not hold for this one


def _pass_through(
    ctx: Context,
    ticket: Ticket,
    action: str,
    steps: tuple[State, ...],
    actor: Actor,
    note: str,
    data: dict[str, Any],
    message_id: int,
) -> TicketEvent:
    """One event a step; note and data belong to the last one."""
    for step in steps[:-1]:
        record(ctx, ticket, action, actor, to_state=step, data={"implied": True}, message_id=message_id)
        ticket.state = step
    last = steps[-1] if steps else None
    event = record(ctx, ticket, action, actor, to_state=last, note=note, data=data, message_id=message_id)
    if last is not None:
        ticket.state = last
    return event


def record(
    ctx: Context,
    ticket: Ticket,
    action: str,
    actor: Actor,
    *,
    to_state: State | None = None,
    note: str = "",
    data: dict[str, Any] | None = None,
    message_id: int = 0,
) -> TicketEvent:
    """Appends one event to the ticket's trail."""
    event = TicketEvent(
        ticket_id=ticket.id,
        at=ctx.now,
        actor=actor.id,
        actor_name=actor.name,
        action=action,
        from_state=ticket.state if to_state and action != "open" else None,
        to_state=to_state,
        note=note,
        data=data or {},
        message_id=message_id or None,
    )
    ctx.session.add(event)
    return event
