"""Doing an action because somebody asked: permission, state, event, and the word to every group."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handlers import joint, joint_telling, ladder, tickets, tracks
from handlers.commands.registry import Call, NoteMissing, UsageError, all_commands
from handlers.context import Context
from handlers.lifecycle import ACTIONS, Resolution, State, possible
from handlers.organisation import Level, Person
from handlers.permissions import Actor, Permission, allowed, is_handler
from handlers.replies import Place, answer, command_places, place_of, reporting_places, say
from handlers.track_rules import Track
from handlers.wording import at, facts, spoken
from storage import tickets as store
from storage.erasing import GONE
from storage.tables import Ticket

# Which command people type for an action, where the names differ from case to case.
_COMMAND_OF = {
    "accept": "接单",
    "take": "接单",
    "dispatch": "派单",
    "arrive": "到场",
    "feedback": "反馈",
    "return": "退回",
    "rework": "退回",
    "suspend": "挂起",
    "suspend_request": "挂起",
    "resume": "恢复",
    "extend_request": "延期",
    "close": "办结",
    "submit": "办结",
    "check": "办结",
    "false_alarm": "误报",
    "relabel": "改类",
    "withdraw": "撤回",
    "restore": "恢复",
    "redo": "重开",
    "reassign": "改派",
    "satisfied": "满意",
    "reopen": "不满意",
}


# Commands that do what others do as well.
_ALSO_DOES = {"核查": ["check", "rework"]}
# Where the note is missing, the sentence that asks for it; for the others how the command is used.
_ASKED = {"close": "ask.done", "check": "ask.done", "submit": "ask.done"}
# What every unit of a joint dispatch may do, not just the lead.
_OF_UNITS = {"feedback"}


def may(ctx: Context, call: Call, ticket: Ticket, permission: Permission) -> bool:
    if permission is Permission.CHECKER and joint.did_part(ctx, call.actor, ticket):
        return False
    reporters = frozenset(report.reporter for report in store.reports(ctx.session, ticket.id))
    return allowed(ctx.organisation, permission, call.actor, ticket, reporters)


def refused(ctx: Context, call: Call, ticket: Ticket, action: str, *, wordless: bool = False) -> bool:
    """Whether the action is refused; the reason has then been given. wordless: needs no note this time."""
    permission = ACTIONS[action].permission
    shares = action in _OF_UNITS and joint.has_part(ctx, call.actor, ticket)
    if not shares and not may(ctx, call, ticket, permission):
        reason = _why_no_check(ctx, call, ticket) if permission is Permission.CHECKER else permission
        area = ladder.desk(ctx, ticket, Level(ticket.level))
        answer(ctx, call.incoming, ctx.texts(f"permission.{reason}", area=area), ticket=ticket)
        return True
    if State(ticket.state) not in ACTIONS[action].paths:
        answer(ctx, call.incoming, wrong_state(ctx, call, ticket), ticket=ticket)
        return True
    if ACTIONS[action].needs_note and not call.argument and not wordless:
        raise NoteMissing(ticket, _ASKED[action]) if action in _ASKED else UsageError
    if action in joint.WAITS_FOR_ALL and (left := joint.missing(ctx, ticket)):
        values = facts(ctx, ticket) | {"names": joint.names(left), "command": call.command.name}
        answer(ctx, call.incoming, ctx.texts("joint.waits", **values), ticket=ticket)
        return True
    return False


def _why_no_check(ctx: Context, call: Call, ticket: Ticket) -> str:
    """The text for somebody who may not check: did it himself, is no owner at all, or of a level below."""
    if is_handler(call.actor, ticket) or joint.did_part(ctx, call.actor, ticket):
        return "checker"
    return "level" if may(ctx, call, ticket, Permission.OWNER) else "owner"


def wrong_state(ctx: Context, call: Call, ticket: Ticket) -> str:
    """Where the ticket stands and what this person can do now."""
    names = [
        _COMMAND_OF[action]
        for action in possible(State(ticket.state))
        if action in _COMMAND_OF
        and not _done_before(ticket, action)
        and may(ctx, call, ticket, ACTIONS[action].permission)
    ]
    known = {entry.name for entry in all_commands()}
    ways = "、".join(f"#{name}" for name in dict.fromkeys(names) if name in known)
    following = ctx.texts("command.next", commands=ways) if ways else ""
    values = facts(ctx, ticket) | {"command": call.command.name, "next": following}
    return ctx.texts("command.wrong_state", **values)


def possible_for(ctx: Context, call: Call, ticket: Ticket, action: str = "") -> bool:
    """Whether this person can do the action, or one of the command's, to the ticket as it stands."""
    own = [a for a, name in _COMMAND_OF.items() if name == call.command.name]
    actions = [action] if action else own or _ALSO_DOES.get(call.command.name, [])
    return any(
        State(ticket.state) in ACTIONS[name].paths
        and not _done_before(ticket, name)
        and may(ctx, call, ticket, ACTIONS[name].permission)
        for name in actions
    )


def _done_before(ticket: Ticket, action: str) -> bool:
    done = {"accept": ticket.accepted_at, "arrive": ticket.arrived_at, "satisfied": ticket.satisfied}
    return done.get(action) is not None


def already(ctx: Context, call: Call, ticket: Ticket) -> Ticket:
    """What was asked for has happened before: says so and who has it, changes nothing."""
    values = facts(ctx, ticket) | {"command": call.command.name}
    answer(ctx, call.incoming, ctx.texts("command.already", **values), ticket=ticket)
    return ticket


def do(
    ctx: Context,
    call: Call,
    ticket: Ticket,
    action: str,
    *,
    note: str = "",
    resolution: Resolution | None = None,
    template: str | None = None,
    mentions: Sequence[Person] = (),
    values: dict[str, str] | None = None,
    to_reporters: bool = False,
    changes: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Ticket:
    """Takes the action and tells it in each group that reported the ticket, and where it was asked for.

    Behind it stands what is asked for next, `next.<template>`, of those mentioned or of whoever acts, where
    they read along. to_reporters: it is asked of those who reported there, as {reporter}. data: more for the
    event.
    """
    event = tickets.act(
        ctx,
        ticket,
        action,
        call.actor,
        note=note,
        resolution=resolution,
        message_id=call.incoming.row_id,
        changes=changes,
        **(data or {}),
    )
    shown = _shown(ctx, call, ticket, note) | (values or {})
    key = template or f"event.{action}"
    places = dict.fromkeys([*reporting_places(ctx, ticket), place_of(call.incoming)])
    for place in places:
        people = _reporters(ctx, ticket, place) if to_reporters else list(mentions)
        text = ctx.texts(key, **shown)
        if not to_reporters or people:
            text += _next(ctx, call, place, key, shown | {"reporter": at(people)}, people)
        called = [person for person in people if at(person).strip() in text]
        _say(ctx, call, ticket, place, text, event.id, called)
    if ticket.state == State.CLOSED:
        joint_telling.release(ctx, ticket, call.incoming.row_id)
    elif action == "rework":
        leads = joint.again(ctx, ticket)
        joint_telling.tell_again(ctx, ticket, leads, note, call.incoming.row_id)
    over = ticket.state == State.CLOSED and action not in {"satisfied", "merge"}  # merged, it goes on
    ending = "danger_over" if ticket.urgency == 3 else "large_over"
    if over and (ticket.urgency == 3 or ticket.track == Track.LARGE):
        for place in command_places(ctx, ticket.account, ticket.area):
            if place not in places:
                _say(ctx, call, ticket, place, ctx.texts(f"event.{ending}", **shown), event.id)
    if tracks.became_large(event):
        tracks.tell_watchers(ctx, ticket, f"e{event.id}", message_id=call.incoming.row_id)
    return ticket


# Only whoever acts is told how to go on, so only where he did.
_OWN_NEXT = {"event.accept", "event.arrive", "event.take_up"}


def _next(
    ctx: Context, call: Call, place: Place, key: str, shown: Mapping[str, str], people: Sequence[Person]
) -> str:
    """What is asked for next, "" where nothing is or nobody who could do it reads along."""
    following = f"next.{key.removeprefix('event.')}"
    here = place == place_of(call.incoming)
    reads = here if key in _OWN_NEXT else place.room or place.person in {person.id for person in people}
    return ctx.texts(following, **shown) if reads and ctx.texts.has(following) else ""


def _shown(ctx: Context, call: Call, ticket: Ticket, note: str) -> dict[str, str]:
    owner = ctx.organisation.person(ticket.owner or "")
    return facts(ctx, ticket) | {
        "actor": call.actor.name,
        "note": spoken(note),
        "owner": at(owner, ctx.texts("report.nobody")),
        "resolution": ctx.texts(f"names.resolution.{ticket.resolution}") if ticket.resolution else "",
    }


def handled_by(actor: Actor) -> dict[str, str]:
    """The change by which somebody has the ticket in hand."""
    return {"handler": actor.id, "handler_name": actor.name}


def person_list(ctx: Context, person_id: str | None) -> list[Person]:
    """The person to be mentioned, if the organisation knows him."""
    person = ctx.organisation.person(person_id or "")
    return [person] if person else []


def _say(
    ctx: Context,
    call: Call,
    ticket: Ticket,
    place: Place,
    text: str,
    event_id: int,
    mentions: Iterable[Person] = (),
) -> None:
    say(
        ctx,
        place,
        text,
        key=f"e{event_id}",
        ticket=ticket,
        message_id=call.incoming.row_id,
        mentions=mentions,
        urgency=min(ticket.urgency, 2),
    )


def _reporters(ctx: Context, ticket: Ticket, place: Place) -> list[Person]:
    """Those who reported the ticket there, the first three."""
    found = {
        report.reporter: Person(id=report.reporter, name=report.reporter_name[:60])
        for report in store.reports(ctx.session, ticket.id)
        if report.reporter_name
        and not report.reporter.startswith(GONE)
        and (report.room, "" if report.room else report.reporter) == place.where
    }
    return list(found.values())[:3]
