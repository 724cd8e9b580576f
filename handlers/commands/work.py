"""The commands of those who do the work: 到场 反馈 挂起 恢复 办结 误报 改类."""

import re
from dataclasses import replace

from classifiers.verdict import Label
from handlers import corrections, recurring, tickets, tracks
from handlers.commands import target
from handlers.commands.change import already, do, handled_by, may, person_list, refused
from handlers.commands.registry import Call, NoteMissing, UsageError, command
from handlers.context import Context
from handlers.corrections import FOR_NOTHING, Taken
from handlers.lifecycle import Resolution, State
from handlers.organisation import Person
from handlers.permissions import Permission, is_handler
from handlers.replies import answer, command_places, place_of, reporting_places, say
from handlers.track_rules import Track
from handlers.wording import at, facts, label_of, spoken
from storage import tickets as store
from storage.tables import CorrectionKind, Ticket


@command("到场", "arrive", "onsite", usage="#到场 [号]", permission=Permission.STAFF, help="人到现场了")
def arrive(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.arrived_at is None)
    if ticket is None or refused(ctx, call, ticket, "arrive"):
        return ticket
    if ticket.arrived_at is not None and ticket.state == State.IN_PROGRESS and ticket.handler:
        return already(ctx, call, ticket)
    changes = handled_by(call.actor) if ticket.handler is None else None
    return do(ctx, call, ticket, "arrive", changes=changes)


@command(
    "反馈",
    "feedback",
    "note",
    usage="#反馈 [号] 说明",
    permission=Permission.STAFF,
    help="告诉群里办到哪了",
    glued=True,
)
def feedback(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "feedback"):
        return ticket
    return do(ctx, call, ticket, "feedback", note=call.argument)


@command(
    "挂起",
    "suspend",
    usage="#挂起 [号] 原因",
    permission=Permission.STAFF,
    help="一时办不了，请指挥中心批准暂停",
    glued=True,
)
def suspend(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.state == State.IN_PROGRESS)
    if ticket is None:
        return None
    if ticket.state == State.SUSPENDED:
        return already(ctx, call, ticket)
    if may(ctx, call, ticket, Permission.STREET):
        if refused(ctx, call, ticket, "suspend"):
            return ticket
        return do(ctx, call, ticket, "suspend", note=call.argument)
    if refused(ctx, call, ticket, "suspend_request"):
        return ticket
    event = tickets.act(
        ctx,
        ticket,
        "suspend_request",
        call.actor,
        note=call.argument,
        message_id=call.incoming.row_id,
    )
    values = facts(ctx, ticket) | {"actor": call.actor.name, "note": spoken(call.argument)}
    for place in command_places(ctx, ticket.account, ticket.area):
        text = ctx.texts("event.suspend_request", **values)
        say(ctx, place, text, key=f"e{event.id}:ask", ticket=ticket, urgency=2)
    answer(ctx, call.incoming, ctx.texts("event.suspend_asked", **values), ticket=ticket)
    return ticket


@command("恢复", "resume", usage="#恢复 [号]", permission=Permission.STAFF, help="挂起的事接着办")
def resume(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.state == State.SUSPENDED)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED and may(ctx, call, ticket, Permission.STREET):
        return do(ctx, call, ticket, "restore", mentions=person_list(ctx, ticket.owner))
    if refused(ctx, call, ticket, "resume"):
        return ticket
    return do(ctx, call, ticket, "resume")


# A note may begin with how it ended; without such a word it was solved.
_ENDINGS = {
    Resolution.EXPLAINED: re.compile(r"^(?:未解决)?已?解释[\s,，:：]*"),
    Resolution.REFERRED: re.compile(r"^已?转办[\s,，:：]*"),
}


@command(
    "办结",
    "close",
    "done",
    usage="#办结 [号] 说明",
    permission=Permission.STAFF,
    help="办完了，写清怎么办的（已解释/已转办 写在最前）",
    glued=True,
)
def close(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED:
        return already(ctx, call, ticket)
    if ticket.state == State.PENDING_CHECK:
        return checked(ctx, call, ticket)
    alone = False
    action = "close" if may(ctx, call, ticket, Permission.OWNER) else "submit"
    if action == "close" and tracks.needs_check(ctx, ticket, call.actor):
        # Of a large matter nobody says himself that it is done, unless there is nobody else.
        alone = not tracks.checkers(ctx, ticket, call.actor)
        action = "close" if alone else "submit"
    if refused(ctx, call, ticket, action):
        return ticket
    return (
        ended(ctx, call, ticket, action, unchecked=alone) if action == "close" else _submit(ctx, call, ticket)
    )


def checked(ctx: Context, call: Call, ticket: Ticket) -> Ticket:
    """Somebody else has looked and finds it done; without words of his own, those of who did it hold."""
    said = [event for event in store.events(ctx.session, ticket.id) if event.action == "submit"]
    if not call.argument and said and not said[-1].data.get("unsaid"):
        call = replace(call, argument=said[-1].note)
    if refused(ctx, call, ticket, "check"):
        return ticket
    if said and said[-1].data.get("false_alarm"):
        return _for_nothing(ctx, call, ticket, "check")
    return ended(ctx, call, ticket, "check")


def ended(ctx: Context, call: Call, ticket: Ticket, action: str, *, unchecked: bool = False) -> Ticket:
    """Closes the ticket, with the ending that the note begins with."""
    ending = next((end for end, words in _ENDINGS.items() if words.match(call.argument)), None)
    note = _ENDINGS[ending].sub("", call.argument) if ending else call.argument
    if not note:
        raise NoteMissing(ticket, f"ask.{ending or 'done'}", call.argument)
    return do(
        ctx,
        call,
        ticket,
        action,
        note=note,
        resolution=ending,
        template="event.close_explained" if ending is Resolution.EXPLAINED else "event.close",
        to_reporters=True,
        data={"unchecked": True} if unchecked else None,
    )


def _submit(ctx: Context, call: Call, ticket: Ticket, *, false_alarm: bool = False) -> Ticket:
    """Whoever says that it is done, or was nothing, has done it; somebody else checks."""
    large, own = ticket.track == Track.LARGE, not may(ctx, call, ticket, Permission.OWNER)
    own = own or is_handler(call.actor, ticket)
    people = tracks.checkers(ctx, ticket, call.actor)[:1] if large else person_list(ctx, ticket.owner)
    note = call.argument or ctx.texts(f"names.resolution.{Resolution.FALSE_ALARM}")
    values = {"owner": at(people, ctx.texts("report.nobody"))}
    values["why"] = ctx.texts("names.told", note=spoken(call.argument)) if call.argument else ""
    do(
        ctx,
        call,
        ticket,
        "submit",
        note=note,
        template="event.nothing" if false_alarm else None,
        mentions=people,
        values=values,
        # Who answers below where it has come to says it for those who were sent.
        changes=None if ticket.handler and not own else handled_by(call.actor),
        data={"false_alarm": True} if false_alarm else None,
    )
    told = {*reporting_places(ctx, ticket), place_of(call.incoming)}
    above = [place for place in tracks.watchers(ctx, ticket) if large and place not in told]
    for place in above:
        shown = facts(ctx, ticket) | values | {"actor": call.actor.name, "note": spoken(call.argument)}
        say(
            ctx,
            place,
            ctx.texts("event.nothing_ask" if false_alarm else "event.check_ask", **shown),
            key=f"m{call.incoming.row_id}:check",
            ticket=ticket,
            message_id=call.incoming.row_id,
            mentions=people,
            urgency=2,
        )
    return ticket


@command(
    "误报", "false", usage="#误报 [号] [说明]", permission=Permission.OWNER, help="不是真事，结掉", glued=True
)
def false_alarm(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None:
        return None
    if ticket.resolution == Resolution.FALSE_ALARM:
        return already(ctx, call, ticket)
    if refused(ctx, call, ticket, "false_alarm"):
        return ticket
    if ticket.state == State.PENDING_CHECK and must_be_seen(ctx, call, ticket):
        return already(ctx, call, ticket)
    if must_be_seen(ctx, call, ticket) and not _taken_back(ctx, call, ticket):
        if refused(ctx, call, ticket, "submit", wordless=True):
            return ticket
        return _submit(ctx, call, ticket, false_alarm=True)
    return _for_nothing(ctx, call, ticket, "false_alarm")


def must_be_seen(ctx: Context, call: Call, ticket: Ticket) -> list[Person]:
    """Who may look at what this person has in hand and must not end or make small alone; nobody: he may."""
    if may(ctx, call, ticket, Permission.STREET) or not tracks.needs_check(ctx, ticket, call.actor):
        return []
    return tracks.checkers(ctx, ticket, call.actor)[:1]


def _taken_back(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether somebody else who reported it has said last that it is over, or was nothing."""
    told = [e for e in store.events(ctx.session, ticket.id) if e.action in {"settled", "join", "raise"}]
    return bool(told) and told[-1].action == "settled" and told[-1].actor != call.actor.id


def _for_nothing(ctx: Context, call: Call, ticket: Ticket, action: str) -> Ticket:
    corrections.of_ticket(ctx, ticket, CorrectionKind.FALSE_ALARM, by=call.actor.id, after=FOR_NOTHING)
    ending, text = Resolution.FALSE_ALARM, "event.false_alarm"
    note = "" if call.argument == ctx.texts(f"names.resolution.{ending}") else call.argument
    return do(ctx, call, ticket, action, note=note, resolution=ending, template=text)


@command(
    "改类",
    "relabel",
    usage="#改类 [号] 汛情|纠纷|安全|服务",
    permission=Permission.OWNER,
    help="类别记错了，改过来",
    glued=True,
)
def relabel(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "relabel"):
        return ticket
    label = _label(ctx, call.argument)
    if label is None:
        raise UsageError
    if ticket.label == label:
        text = ctx.texts("command.relabel_same", **facts(ctx, ticket))
        answer(ctx, call.incoming, text, ticket=ticket)
        return ticket
    after = Taken(label, ticket.urgency)
    corrections.of_ticket(ctx, ticket, CorrectionKind.RELABEL, by=call.actor.id, after=after)
    note = f"{label_of(ctx, ticket.label)}→{label_of(ctx, label)}"
    do(ctx, call, ticket, "relabel", note=note, changes={"label": label})
    recurring.look(ctx, ticket, call.incoming.row_id)
    return ticket


def _label(ctx: Context, word: str) -> Label | None:
    reports = [label for label in Label if label is not Label.NONE]
    spelt = word.lower()[:8]
    return next((label for label in reports if label in spelt or label_of(ctx, label) in spelt), None)
