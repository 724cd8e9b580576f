"""The commands of those who do the work: 接单 派单 到场 反馈 退回 挂起 恢复 办结 误报 改类."""

import re

from classifiers.verdict import Label
from handlers import tickets
from handlers.commands import target
from handlers.commands.change import already, do, may, refused
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.lifecycle import Resolution, State
from handlers.organisation import GroupKind, Person, Role
from handlers.permissions import Permission
from handlers.replies import Place, answer, command_places, room_of, say
from handlers.wording import at, facts, label_of, spoken
from storage.tables import Ticket


@command("接单", "accept", "take", usage="#接单 [号]", permission=Permission.STAFF, help="接下这件事")
def accept(ctx: Context, call: Call) -> Ticket | None:
    def waits(ticket: Ticket) -> bool:
        given = ticket.state == State.DISPATCHED and ticket.handler == call.actor.id
        return given or ticket.accepted_at is None

    ticket = target.find(ctx, call, waits)
    if ticket is None:
        return None
    if ticket.state == State.DISPATCHED and may(ctx, call, ticket, Permission.STAFF):
        ticket.handler, ticket.handler_name = call.actor.id, call.actor.name
        return do(ctx, call, ticket, "take", template="event.accept")
    if refused(ctx, call, ticket, "accept"):
        return ticket
    if ticket.accepted_at is not None:
        return already(ctx, call, ticket)
    ticket.owner = call.actor.id
    return do(ctx, call, ticket, "accept")


@command(
    "派单",
    "dispatch",
    "assign",
    usage="#派单 [号] @谁|单位",
    permission=Permission.OWNER,
    help="派给谁去办",
    glued=True,
)
def dispatch(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None or refused(ctx, call, ticket, "dispatch"):
        return ticket
    person, asked = _whom(ctx, call, ticket)
    if not asked:
        raise UsageError
    if len(asked) > 30:
        answer(ctx, call.incoming, ctx.texts("command.not_found_person", asked=asked[:30]), ticket=ticket)
        return ticket
    if ticket.state == State.DISPATCHED and ticket.handler == (person.id if person else asked):
        return already(ctx, call, ticket)
    ticket.handler = person.id if person else asked
    ticket.handler_name = asked
    values = {"handler": ticket.handler_name, "mention": at(person) if person else ""}
    template = "event.dispatch" if person else "event.dispatch_unknown"
    do(
        ctx,
        call,
        ticket,
        "dispatch",
        note=asked,
        template=template,
        values=values,
        mentions=[person] if person else [],
    )
    if person:
        _notify_unit(ctx, call, ticket, person)
    return ticket


_AFTER_NAME = re.compile(r"[\s\u2005,，:：。;；、]")


def _whom(ctx: Context, call: Call, ticket: Ticket) -> tuple[Person | None, str]:
    """Who is to do it, and the name: mentioned, or named up front; None for a name nobody knows."""
    words = call.argument.lstrip("@＠ ")
    typed = _AFTER_NAME.split(words, maxsplit=1)[0]
    others = [m for m in call.incoming.mentions if m != call.incoming.account]
    known = [person for m in others if (person := ctx.organisation.person(m))]
    near = ctx.organisation.staff(ticket.area, *Role)
    named = [p for p in [*near, *ctx.organisation.people.values()] if words.startswith(p.name)]
    if found := [*known, *sorted(named, key=lambda person: -len(person.name))]:
        return found[0], found[0].name
    if others and typed:
        return Person(
            id=others[0], name=typed[:60]
        ), typed  # somebody of the group whom the file does not name
    return None, typed


def _notify_unit(ctx: Context, call: Call, ticket: Ticket, person: Person) -> None:
    """A unit is told in the units' group as well, where it lives."""
    if person.role is not Role.UNIT:
        return
    groups = ctx.organisation.groups_of(GroupKind.UNITS, ticket.area)
    rooms = [room for group in groups if (room := room_of(ctx, ticket.account, group))]
    for room in rooms[:1]:
        text = ctx.texts("event.dispatch_notice", **facts(ctx, ticket), handler=at(person))
        say(
            ctx,
            Place(ticket.account, room),
            text,
            key=f"m{call.incoming.row_id}:unit",
            ticket=ticket,
            message_id=call.incoming.row_id,
            mentions=[person],
            urgency=2,
        )


@command("到场", "arrive", "onsite", usage="#到场 [号]", permission=Permission.STAFF, help="人到现场了")
def arrive(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call, lambda t: t.arrived_at is None)
    if ticket is None or refused(ctx, call, ticket, "arrive"):
        return ticket
    if ticket.arrived_at is not None and ticket.state == State.IN_PROGRESS and ticket.handler:
        return already(ctx, call, ticket)
    if ticket.handler is None:
        ticket.handler, ticket.handler_name = call.actor.id, call.actor.name
    return do(ctx, call, ticket, "arrive")


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
    "退回",
    "return",
    usage="#退回 [号] 原因",
    permission=Permission.STAFF,
    help="派错了退回，或核实不属实退回再办",
    glued=True,
)
def give_back(ctx: Context, call: Call) -> Ticket | None:
    states = {State.DISPATCHED, State.PENDING_CHECK}
    ticket = target.find(ctx, call, lambda t: t.state in states)
    if ticket is None:
        return None
    action = "rework" if ticket.state == State.PENDING_CHECK else "return"
    if refused(ctx, call, ticket, action):
        return ticket
    do(ctx, call, ticket, action, note=call.argument, mentions=_owner(ctx, ticket))
    if action == "return":
        ticket.handler, ticket.handler_name = None, ""
    return ticket


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
        return do(ctx, call, ticket, "restore", mentions=_owner(ctx, ticket))
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
        action = "check"
    else:
        action = "close" if may(ctx, call, ticket, Permission.OWNER) else "submit"
    if refused(ctx, call, ticket, action):
        return ticket
    if action == "submit":
        # Whoever says that it is done has done it; somebody else checks.
        ticket.handler, ticket.handler_name = call.actor.id, call.actor.name
        return do(ctx, call, ticket, "submit", note=call.argument, mentions=_owner(ctx, ticket))
    ending = next((end for end, words in _ENDINGS.items() if words.match(call.argument)), None)
    note = _ENDINGS[ending].sub("", call.argument) if ending else call.argument
    if not note:
        raise UsageError
    return do(
        ctx,
        call,
        ticket,
        action,
        note=note,
        resolution=ending,
        template="event.close",
        to_reporters=True,
    )


@command(
    "误报", "false", usage="#误报 [号] [说明]", permission=Permission.OWNER, help="不是真事，结掉", glued=True
)
def false_alarm(ctx: Context, call: Call) -> Ticket | None:
    ticket = target.find(ctx, call)
    if ticket is None:
        return None
    if ticket.state == State.CLOSED:
        return already(ctx, call, ticket)
    if refused(ctx, call, ticket, "false_alarm"):
        return ticket
    return do(ctx, call, ticket, "false_alarm", note=call.argument)


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
    before, ticket.label = ticket.label, label
    return do(ctx, call, ticket, "relabel", note=f"{label_of(ctx, before)}→{label_of(ctx, label)}")


def _label(ctx: Context, word: str) -> Label | None:
    reports = [label for label in Label if label is not Label.NONE]
    spelt = word.lower()[:8]
    return next((label for label in reports if label in spelt or label_of(ctx, label) in spelt), None)


def _owner(ctx: Context, ticket: Ticket) -> list[Person]:
    owner = ctx.organisation.person(ticket.owner or "")
    return [owner] if owner else []
